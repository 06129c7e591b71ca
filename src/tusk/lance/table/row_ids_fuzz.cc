// Row id and version sequences of any bytes, beside what protobuf and plain loops make of them.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/lance/row_id_bytes.h"
#include "tusk/lance/table/row_ids.h"
#include "tusk/lance/table/row_ids.pb.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {
namespace {

/// Longer sequences are not compared id by id.
constexpr int64_t kMostCompared = 20'000;

template <typename T>
void AppendPlain(uint64_t base, std::string_view bytes, std::vector<uint64_t>* out) {
  for (size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    uint64_t value = 0;
    for (size_t byte = 0; byte < sizeof(T); ++byte) {
      value |= uint64_t{static_cast<uint8_t>(bytes[i + byte])} << (8 * byte);
    }
    out->push_back(base + value);
  }
}

std::vector<uint64_t> Plain(const proto::EncodedU64Array& array) {
  std::vector<uint64_t> values;
  if (array.has_u16_array()) {
    AppendPlain<uint16_t>(array.u16_array().base(), array.u16_array().offsets(), &values);
  } else if (array.has_u32_array()) {
    AppendPlain<uint32_t>(array.u32_array().base(), array.u32_array().offsets(), &values);
  } else if (array.has_u64_array()) {
    AppendPlain<uint64_t>(0, array.u64_array().values(), &values);
  }
  return values;
}

/// The ids of a sequence that was not refused, and is not long, as its message says them.
std::vector<uint64_t> Plain(const proto::RowIdSequence& sequence) {
  std::vector<uint64_t> ids;
  for (const proto::U64Segment& segment : sequence.segments()) {
    if (segment.has_range()) {
      for (uint64_t id = segment.range().start(); id < segment.range().end(); ++id) {
        ids.push_back(id);
      }
    } else if (segment.has_range_with_holes()) {
      const auto& range = segment.range_with_holes();
      const std::vector<uint64_t> holes = Plain(range.holes());
      for (uint64_t id = range.start(); id < range.end(); ++id) {
        if (!std::ranges::binary_search(holes, id)) ids.push_back(id);
      }
    } else if (segment.has_range_with_bitmap()) {
      const auto& range = segment.range_with_bitmap();
      for (uint64_t id = range.start(); id < range.end(); ++id) {
        const uint64_t bit = id - range.start();
        if (static_cast<uint8_t>(range.bitmap()[bit / 8]) >> bit % 8 & 1) ids.push_back(id);
      }
    } else {
      const std::vector<uint64_t> values =
          Plain(segment.has_sorted_array() ? segment.sorted_array() : segment.array());
      ids.insert(ids.end(), values.begin(), values.end());
    }
  }
  return ids;
}

void CheckFind(const RowIdSequence& sequence, const std::vector<uint64_t>& ids) {
  std::vector<uint64_t> asked = {0, ~uint64_t{0}};
  for (const uint64_t id : ids) {
    asked.insert(asked.end(), {id - 1, id, id + 1});
  }
  std::ranges::sort(asked);
  asked.erase(std::ranges::unique(asked).begin(), asked.end());
  std::map<int64_t, uint64_t> found;
  sequence.Find(asked, [&](uint64_t id, int64_t position) {
    Require(found.emplace(position, id).second, "a position is told once");
  });
  Require(found.size() == ids.size(), "all ids are found and no others");
  for (const auto& [position, id] : found) {
    Require(ids[static_cast<size_t>(position)] == id, "an id is found where it is");
  }
}

void CheckRowIds(std::string_view bytes) {
  const auto sequence = RowIdSequence::Parse(bytes);
  const auto count = CountRowIds(bytes);
  Require(count.ok() == sequence.ok(), "what has a length is a sequence");
  if (!sequence.ok()) {
    RequireRefusal(sequence.status());
    return;
  }
  Require(*count == sequence->length(), "ids are counted");
  const auto longer = AppendRowIdRange(bytes, 5, 3);
  Require(longer.status(), "a sequence is continued");
  if (sequence->length() > kMostCompared) return;

  proto::RowIdSequence message;
  Require(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
          "what is read is a message");
  const std::vector<uint64_t> ids = Plain(message);
  const auto all = DecodeRowIds(bytes);
  Require(all.status(), "a short sequence is read");
  Require(*all == ids, "ids are those of the message");
  for (const size_t begin : {ids.size() / 3, ids.size() / 2}) {
    std::vector<uint64_t> part((ids.size() - begin) / 2);
    sequence->Fill(static_cast<int64_t>(begin), part);
    Require(std::ranges::equal(
                part, std::vector(ids.begin() + static_cast<int64_t>(begin),
                                  ids.begin() + static_cast<int64_t>(begin + part.size()))),
            "a part is that of the whole");
  }
  CheckFind(*sequence, ids);
  const auto again = DecodeRowIds(EncodeRowIds(ids));
  Require(again.status(), "what is written is read");
  Require(*again == ids, "what is read again is the same");
}

void CheckVersions(std::string_view bytes) {
  const auto versions = RowVersions::Parse(bytes);
  if (!versions.ok()) {
    RequireRefusal(versions.status());
    return;
  }
  const auto again = RowVersions::Parse(versions->Serialize());
  Require(again.status(), "versions that are written are read");
  Require(again->length() == versions->length(), "as many versions are read");
  if (versions->length() == 0) return;
  for (const int64_t row : {int64_t{0}, versions->length() / 2, versions->length() - 1}) {
    Require(again->At(row) == versions->At(row), "a row has the same version");
  }
}

}  // namespace
}  // namespace tusk::lance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = tusk::AsText({data, size});
  tusk::lance::CheckRowIds(bytes);
  tusk::lance::CheckVersions(bytes);
  return 0;
}
