#include <algorithm>
#include <limits>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/table/row_ids.h"
#include "tusk/lance/table/row_ids.pb.h"

namespace tusk::lance {
namespace {

template <typename T>
Result<std::vector<uint64_t>> Widen(uint64_t base, std::string_view bytes) {
  if (bytes.size() % sizeof(T) != 0) {
    return Corrupt("row ids of ", sizeof(T), " bytes in ", bytes.size(), " bytes");
  }
  std::vector<uint64_t> values;
  values.reserve(bytes.size() / sizeof(T));
  for (size_t i = 0; i < bytes.size(); i += sizeof(T)) {
    values.push_back(base + LoadLittle<T>(bytes, i));
  }
  return values;
}

Result<std::vector<uint64_t>> Decode(const proto::EncodedU64Array& array) {
  switch (array.array_case()) {
    case proto::EncodedU64Array::kU16Array:
      return Widen<uint16_t>(array.u16_array().base(), array.u16_array().offsets());
    case proto::EncodedU64Array::kU32Array:
      return Widen<uint32_t>(array.u32_array().base(), array.u32_array().offsets());
    case proto::EncodedU64Array::kU64Array:
      return Widen<uint64_t>(0, array.u64_array().values());
    case proto::EncodedU64Array::ARRAY_NOT_SET:
      return std::vector<uint64_t>();
  }
  return Corrupt("row ids in an unknown array encoding");
}

Result<std::vector<uint64_t>> Decode(const proto::U64Segment::RangeWithBitmap& segment) {
  const uint64_t span = segment.end() - segment.start();
  if (segment.end() < segment.start() || span > segment.bitmap().size() * uint64_t{8}) {
    return Corrupt("row ids [", segment.start(), ", ", segment.end(), ") with a bitmap of ",
                   segment.bitmap().size(), " bytes");
  }
  std::vector<uint64_t> ids;
  for (uint64_t i = 0; i < span; ++i) {
    const auto byte = static_cast<uint8_t>(segment.bitmap()[i / 8]);
    if ((byte >> (i % 8) & 1) != 0) ids.push_back(segment.start() + i);
  }
  return ids;
}

template <typename T>
std::string Narrow(std::span<const uint64_t> ids, uint64_t base) {
  std::string bytes;
  bytes.reserve(ids.size() * sizeof(T));
  for (const uint64_t id : ids) AppendLittle(static_cast<T>(id - base), &bytes);
  return bytes;
}

/// Ids in no more bytes than their range needs.
void Encode(std::span<const uint64_t> ids, proto::EncodedU64Array* out) {
  const auto [least, greatest] = std::ranges::minmax(ids);
  const uint64_t span = greatest - least;
  if (span <= std::numeric_limits<uint16_t>::max()) {
    out->mutable_u16_array()->set_base(least);
    out->mutable_u16_array()->set_offsets(Narrow<uint16_t>(ids, least));
  } else if (span <= std::numeric_limits<uint32_t>::max()) {
    out->mutable_u32_array()->set_base(least);
    out->mutable_u32_array()->set_offsets(Narrow<uint32_t>(ids, least));
  } else {
    out->mutable_u64_array()->set_values(Narrow<uint64_t>(ids, 0));
  }
}

}  // namespace

Status RowIdSequence::AddLength(uint64_t length) {
  if (length > static_cast<uint64_t>(std::numeric_limits<int64_t>::max() - length_)) {
    return Corrupt("a row id sequence is longer than 64 bits can count");
  }
  runs_.back().begin = length_;
  runs_.back().length = static_cast<int64_t>(length);
  length_ += static_cast<int64_t>(length);
  return Status::OK();
}

Status RowIdSequence::AddRange(uint64_t start, uint64_t end) {
  if (end < start) return Corrupt("row ids from ", start, " to ", end);
  if (end == start) return Status::OK();
  runs_.emplace_back().start = start;
  return AddLength(end - start);
}

Status RowIdSequence::AddIds(std::vector<uint64_t> ids) {
  if (ids.empty()) return Status::OK();
  const uint64_t length = ids.size();
  runs_.emplace_back().ids = std::move(ids);
  return AddLength(length);
}

Result<RowIdSequence> RowIdSequence::Parse(std::string_view bytes) {
  proto::RowIdSequence in;
  if (!ParseMessage(bytes, &in)) {
    return Corrupt(bytes.size(), " bytes are not a row id sequence");
  }
  RowIdSequence sequence;
  for (const proto::U64Segment& segment : in.segments()) {
    switch (segment.segment_case()) {
      case proto::U64Segment::kRange:
        ARROW_RETURN_NOT_OK(sequence.AddRange(segment.range().start(), segment.range().end()));
        break;
      case proto::U64Segment::kRangeWithHoles: {
        const auto& range = segment.range_with_holes();
        ARROW_ASSIGN_OR_RAISE(const std::vector<uint64_t> holes, Decode(range.holes()));
        uint64_t start = range.start();
        for (const uint64_t hole : holes) {
          if (hole < start || hole >= range.end()) {
            return Corrupt("row id ", hole, " is a hole outside [", start, ", ", range.end(), ")");
          }
          ARROW_RETURN_NOT_OK(sequence.AddRange(start, hole));
          start = hole + 1;
        }
        ARROW_RETURN_NOT_OK(sequence.AddRange(start, range.end()));
        break;
      }
      case proto::U64Segment::kRangeWithBitmap: {
        ARROW_ASSIGN_OR_RAISE(auto ids, Decode(segment.range_with_bitmap()));
        ARROW_RETURN_NOT_OK(sequence.AddIds(std::move(ids)));
        break;
      }
      case proto::U64Segment::kSortedArray: {
        ARROW_ASSIGN_OR_RAISE(auto ids, Decode(segment.sorted_array()));
        ARROW_RETURN_NOT_OK(sequence.AddIds(std::move(ids)));
        break;
      }
      case proto::U64Segment::kArray: {
        ARROW_ASSIGN_OR_RAISE(auto ids, Decode(segment.array()));
        ARROW_RETURN_NOT_OK(sequence.AddIds(std::move(ids)));
        break;
      }
      case proto::U64Segment::SEGMENT_NOT_SET:
        return Corrupt("a row id segment of an unknown kind");
    }
  }
  return sequence;
}

void RowIdSequence::Fill(int64_t begin, std::span<uint64_t> out) const {
  auto run = std::ranges::upper_bound(runs_, begin, {}, &Run::begin);
  if (run != runs_.begin()) --run;
  size_t filled = 0;
  for (; filled < out.size(); ++run) {
    const int64_t skip = begin + static_cast<int64_t>(filled) - run->begin;
    const auto length = std::min<size_t>(run->length - skip, out.size() - filled);
    for (size_t i = 0; i < length; ++i) {
      out[filled + i] = run->ids.empty() ? run->start + skip + i : run->ids[skip + i];
    }
    filled += length;
  }
}

void RowIdSequence::Find(std::span<const uint64_t> ids,
                         const std::function<void(uint64_t id, int64_t position)>& tell) const {
  for (const Run& run : runs_) {
    for (size_t i = 0; i < run.ids.size(); ++i) {
      if (!std::ranges::binary_search(ids, run.ids[i])) continue;
      tell(run.ids[i], run.begin + static_cast<int64_t>(i));
    }
    if (!run.ids.empty()) continue;
    const auto length = static_cast<uint64_t>(run.length);
    // By difference: start + length may be one more than fits.
    for (auto id = std::ranges::lower_bound(ids, run.start);
         id != ids.end() && *id - run.start < length; ++id) {
      tell(*id, run.begin + static_cast<int64_t>(*id - run.start));
    }
  }
}

std::string SerializeRowIdRange(uint64_t start, uint64_t length) {
  proto::RowIdSequence sequence;
  auto* range = sequence.add_segments()->mutable_range();
  range->set_start(start);
  range->set_end(start + length);
  return sequence.SerializeAsString();
}

std::string SerializeRowIds(std::span<const uint64_t> ids) {
  proto::RowIdSequence sequence;
  if (ids.empty()) return sequence.SerializeAsString();
  const auto ascends = [](uint64_t a, uint64_t b) { return a >= b; };
  const bool is_sorted = std::ranges::adjacent_find(ids, ascends) == ids.end();
  auto* segment = sequence.add_segments();
  // The end of a range is the id behind its last one, which has to fit.
  const bool has_end = ids.back() != std::numeric_limits<uint64_t>::max();
  if (is_sorted && has_end && ids.back() - ids.front() == ids.size() - 1) {
    segment->mutable_range()->set_start(ids.front());
    segment->mutable_range()->set_end(ids.back() + 1);
  } else {
    Encode(ids, is_sorted ? segment->mutable_sorted_array() : segment->mutable_array());
  }
  return sequence.SerializeAsString();
}

Result<std::string> AppendRowIdRange(std::string_view row_ids, uint64_t start, uint64_t length) {
  proto::RowIdSequence sequence;
  if (!ParseMessage(row_ids, &sequence)) {
    return Corrupt(row_ids.size(), " bytes are not a row id sequence");
  }
  auto* range = sequence.add_segments()->mutable_range();
  range->set_start(start);
  range->set_end(start + length);
  return sequence.SerializeAsString();
}

namespace {

/// How many rows a run of versions is for.
Result<int64_t> SpanLength(const proto::U64Segment& span) {
  if (span.has_range() && span.range().start() <= span.range().end()) {
    const uint64_t length = span.range().end() - span.range().start();
    if (length <= std::numeric_limits<int64_t>::max()) return static_cast<int64_t>(length);
  }
  proto::RowIdSequence sequence;
  *sequence.add_segments() = span;
  ARROW_ASSIGN_OR_RAISE(const RowIdSequence rows,
                        RowIdSequence::Parse(sequence.SerializeAsString()));
  return rows.length();
}

}  // namespace

Result<RowVersions> RowVersions::Parse(std::string_view bytes) {
  proto::RowDatasetVersionSequence in;
  if (!ParseMessage(bytes, &in)) {
    return Corrupt(bytes.size(), " bytes are not a sequence of row versions");
  }
  RowVersions versions;
  for (const proto::RowDatasetVersionRun& run : in.runs()) {
    ARROW_ASSIGN_OR_RAISE(const int64_t rows, SpanLength(run.span()));
    if (rows > std::numeric_limits<int64_t>::max() - versions.length()) {
      return Corrupt("a sequence of row versions is longer than 64 bits can count");
    }
    versions.Append(rows, run.version());
  }
  return versions;
}

std::string RowVersions::Serialize() const {
  proto::RowDatasetVersionSequence out;
  int64_t begin = 0;
  for (const Run& run : runs_) {
    auto* to = out.add_runs();
    auto* range = to->mutable_span()->mutable_range();
    range->set_start(static_cast<uint64_t>(begin));
    range->set_end(static_cast<uint64_t>(run.end));
    to->set_version(run.version);
    begin = run.end;
  }
  return out.SerializeAsString();
}

void RowVersions::Append(int64_t rows, uint64_t version) {
  if (rows == 0) return;
  const int64_t end = length() + rows;
  if (!runs_.empty() && runs_.back().version == version) {
    runs_.back().end = end;
  } else {
    runs_.push_back({.end = end, .version = version});
  }
}

void RowVersions::AppendRowsOf(const RowVersions& other, int64_t begin, int64_t end) {
  auto run = std::ranges::upper_bound(other.runs_, begin, {}, &Run::end);
  for (; begin < end; ++run) {
    const int64_t run_end = std::min(run->end, end);
    Append(run_end - begin, run->version);
    begin = run_end;
  }
}

uint64_t RowVersions::At(int64_t row) const {
  return std::ranges::upper_bound(runs_, row, {}, &Run::end)->version;
}

std::string SerializeUniformVersion(uint64_t length, uint64_t version) {
  proto::RowDatasetVersionSequence sequence;
  auto* run = sequence.add_runs();
  run->mutable_span()->mutable_range()->set_end(length);
  run->set_version(version);
  return sequence.SerializeAsString();
}

}  // namespace tusk::lance
