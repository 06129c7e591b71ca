#include "tusk/lance/table/roaring_bitmap.h"

#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tusk/base/little_endian.h"

namespace tusk::lance {
namespace {

// The layout, integers little-endian:
//   u32 cookie          low half kNoRuns: u32 container count follows
//                       low half kRuns: the high half is the container count - 1, and a bit for
//                       each container follows that says whether it is one of runs
//   {u16 key, u16 cardinality - 1} for each container; key is the upper half of its values
//   u32 offset for each container, unless there are runs and less than kMinForOffsets containers
//   containers: runs      u16 count, then {u16 first, u16 length - 1} each
//               bits      8,192 bytes, if the cardinality is above kMaxArray
//               array     u16 for each value
constexpr uint32_t kNoRuns = 12346;
constexpr uint32_t kRuns = 12347;
constexpr uint32_t kMaxContainers = 1 << 16;
constexpr uint32_t kMinForOffsets = 4;
constexpr uint32_t kMaxArray = 4096;
constexpr size_t kBitsBytes = 8192;

/// Takes integers from the front of bytes; zeros and `failed` once they do not suffice.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Take() {
    const std::string_view bytes = TakeBytes(sizeof(T));
    return bytes.empty() ? T{0} : LoadLittle<T>(bytes, 0);
  }
  std::string_view TakeBytes(size_t length) {
    if (length > bytes_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return taken;
  }
  bool failed() const { return failed_; }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

struct Container {
  int64_t high = 0;
  uint32_t cardinality = 0;
  bool is_runs = false;
};

Status TakeRuns(int64_t high, Cursor* cursor, DeletedRows* out) {
  const auto count = cursor->Take<uint16_t>();
  for (uint32_t i = 0; i < count && !cursor->failed(); ++i) {
    const int64_t first = cursor->Take<uint16_t>();
    const int64_t length = cursor->Take<uint16_t>() + 1;
    ARROW_RETURN_NOT_OK(out->Add(high + first, high + first + length));
  }
  return Status::OK();
}

Status TakeBits(int64_t high, Cursor* cursor, DeletedRows* out) {
  const std::string_view bytes = cursor->TakeBytes(kBitsBytes);
  for (size_t word = 0; word < bytes.size() / sizeof(uint64_t); ++word) {
    auto bits = LoadLittle<uint64_t>(bytes, word * sizeof(uint64_t));
    for (; bits != 0; bits &= bits - 1) {
      const int64_t value = high + static_cast<int64_t>(word) * 64 + std::countr_zero(bits);
      ARROW_RETURN_NOT_OK(out->Add(value, value + 1));
    }
  }
  return Status::OK();
}

Status TakeArray(const Container& container, Cursor* cursor, DeletedRows* out) {
  const std::string_view bytes = cursor->TakeBytes(container.cardinality * sizeof(uint16_t));
  for (size_t i = 0; i < bytes.size(); i += sizeof(uint16_t)) {
    const int64_t value = container.high + LoadLittle<uint16_t>(bytes, i);
    ARROW_RETURN_NOT_OK(out->Add(value, value + 1));
  }
  return Status::OK();
}

/// The containers that the header announces; what follows is theirs.
std::vector<Container> TakeHeader(Cursor* cursor) {
  const auto cookie = cursor->Take<uint32_t>();
  const bool has_runs = (cookie & 0xFFFF) == kRuns;
  uint32_t count = has_runs ? (cookie >> 16) + 1 : 0;
  if (cookie == kNoRuns) count = cursor->Take<uint32_t>();
  if (count > kMaxContainers || (!has_runs && cookie != kNoRuns)) {
    (void)cursor->TakeBytes(~size_t{0});  // fails
    return {};
  }
  const std::string_view run_flags = cursor->TakeBytes(has_runs ? (count + 7) / 8 : 0);
  std::vector<Container> containers;
  for (uint32_t i = 0; i < count && !cursor->failed(); ++i) {
    Container& container = containers.emplace_back();
    container.high = int64_t{cursor->Take<uint16_t>()} << 16;
    container.cardinality = cursor->Take<uint16_t>() + 1U;
    container.is_runs = has_runs && (static_cast<uint8_t>(run_flags[i / 8]) >> i % 8 & 1) != 0;
  }
  if (!has_runs || count >= kMinForOffsets) (void)cursor->TakeBytes(count * sizeof(uint32_t));
  return containers;
}

}  // namespace

Result<DeletedRows> ParseRoaringBitmap(std::string_view bytes) { return TakeRoaringBitmap(&bytes); }

Result<DeletedRows> TakeRoaringBitmap(std::string_view* bytes) {
  Cursor cursor(*bytes);
  const std::vector<Container> containers = TakeHeader(&cursor);
  DeletedRows rows;
  for (const Container& container : containers) {
    if (cursor.failed()) break;
    const int64_t before = rows.count();
    if (container.is_runs) {
      ARROW_RETURN_NOT_OK(TakeRuns(container.high, &cursor, &rows));
    } else if (container.cardinality > kMaxArray) {
      ARROW_RETURN_NOT_OK(TakeBits(container.high, &cursor, &rows));
    } else {
      ARROW_RETURN_NOT_OK(TakeArray(container, &cursor, &rows));
    }
    if (!cursor.failed() && rows.count() - before != container.cardinality) {
      return Corrupt("a Roaring container says ", container.cardinality, " values and has ",
                     rows.count() - before);
    }
  }
  if (cursor.failed()) return Corrupt("not a Roaring bitmap of ", bytes->size(), " bytes");
  *bytes = cursor.rest();
  return rows;
}

std::string SerializeRoaringBitmap(const DeletedRows& rows) {
  // Each container as runs: those of deletions are long, and 2,048 of them, from which on bits
  // would be smaller, take 8 KiB as well.
  struct Runs {
    uint32_t cardinality = 0;
    std::vector<std::pair<uint32_t, uint32_t>> runs;  // the first and the last
  };
  std::map<uint32_t, Runs> containers;
  for (const DeletedRows::Run& run : rows.runs()) {
    for (int64_t begin = run.begin; begin < run.end;) {
      const int64_t end = std::min(run.end, (begin | 0xFFFF) + 1);
      Runs& container = containers[static_cast<uint32_t>(begin >> 16)];
      container.cardinality += static_cast<uint32_t>(end - begin);
      container.runs.emplace_back(begin & 0xFFFF, (end - 1) & 0xFFFF);
      begin = end;
    }
  }
  const auto count = static_cast<uint32_t>(containers.size());
  std::string bytes;
  if (count == 0) {
    AppendLittle(kNoRuns, &bytes);
    AppendLittle(count, &bytes);
    return bytes;
  }
  AppendLittle(kRuns | (count - 1) << 16, &bytes);
  std::string are_runs((count + 7) / 8, '\0');
  for (uint32_t i = 0; i < count; ++i) {
    are_runs[i / 8] = static_cast<char>(are_runs[i / 8] | 1 << (i % 8));
  }
  bytes += are_runs;
  for (const auto& [key, container] : containers) {
    AppendLittle(static_cast<uint16_t>(key), &bytes);
    AppendLittle(static_cast<uint16_t>(container.cardinality - 1), &bytes);
  }
  if (count >= kMinForOffsets) {
    auto offset = static_cast<uint32_t>(bytes.size() + count * sizeof(uint32_t));
    for (const auto& [key, container] : containers) {
      AppendLittle(offset, &bytes);
      offset += static_cast<uint32_t>(sizeof(uint16_t) + container.runs.size() * sizeof(uint32_t));
    }
  }
  for (const auto& [key, container] : containers) {
    AppendLittle(static_cast<uint16_t>(container.runs.size()), &bytes);
    for (const auto& [first, last] : container.runs) {
      AppendLittle(static_cast<uint16_t>(first), &bytes);
      AppendLittle(static_cast<uint16_t>(last - first), &bytes);
    }
  }
  return bytes;
}

}  // namespace tusk::lance
