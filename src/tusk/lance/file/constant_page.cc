#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/file/page.h"
#include "tusk/lance/file/page_rows.h"

namespace tusk::lance {
namespace {

constexpr int64_t kLevelBytes = 2;
/// Every so many rows it is noted where the row begins.
constexpr int64_t kRowsPerMark = 1024;
/// Of texts that are all the same, in one piece.
constexpr int64_t kRunBytes = 16 << 10;

/// The value of a page, in Arrow's buffers for an array of one row. Owns the memory.
class Constant {
 public:
  explicit Constant(std::shared_ptr<arrow::Buffer> bytes) : bytes_(std::move(bytes)) {}

  /// Splits it in buffers: u32 count, u32 length of each, then their bytes.
  static Result<std::unique_ptr<const Constant>> Parse(
      const std::shared_ptr<arrow::Buffer>& bytes) {
    const std::span<const uint8_t> all(bytes->data(), bytes->size());
    const auto broken = [&] {
      return Corrupt("value of a constant page in ", all.size(), " bytes breaks its layout");
    };
    if (all.size() < sizeof(uint32_t)) return broken();
    const uint64_t count = LoadLittle<uint32_t>(all.data());
    uint64_t at = (count + 1) * sizeof(uint32_t);
    // A value has one buffer, or offsets and bytes.
    if (count < 1 || count > 2 || at > all.size()) return broken();
    auto constant = std::make_unique<Constant>(bytes);
    for (uint64_t i = 0; i < count; ++i) {
      const auto length = LoadLittle<uint32_t>(all.data() + (i + 1) * sizeof(uint32_t));
      if (length > all.size() - at) return broken();
      constant->buffers_.push_back(all.subspan(at, length));
      at += length;
    }
    if (at != all.size()) return broken();
    return constant;
  }
  static std::unique_ptr<const Constant> OfBuffer(std::string_view value) {
    auto constant = std::make_unique<Constant>(arrow::Buffer::FromString(std::string(value)));
    constant->buffers_.emplace_back(constant->bytes_->data(), constant->bytes_->size());
    return constant;
  }

  const std::shared_ptr<arrow::Buffer>& bytes() const { return bytes_; }
  /// The bytes of a value of `shape`. Corrupt if there are other buffers or lengths.
  Result<std::span<const uint8_t>> Value(const ValueShape& shape) const;

 private:
  std::shared_ptr<arrow::Buffer> bytes_;
  std::vector<std::span<const uint8_t>> buffers_;
};

Result<std::span<const uint8_t>> Constant::Value(const ValueShape& shape) const {
  if (!shape.is_variable) {
    if (buffers_.size() == 1 &&
        static_cast<int64_t>(buffers_[0].size()) == BytesForBits(shape.row_bits())) {
      return buffers_[0];
    }
    return Corrupt("value of a constant page does not have the column's ", shape.row_bits(),
                   " bits");
  }
  const auto width = static_cast<size_t>(shape.bits / 8);
  if (buffers_.size() == 2 && buffers_[0].size() == 2 * width) {
    uint64_t begin = 0;
    uint64_t end = 0;
    std::memcpy(&begin, buffers_[0].data(), width);
    std::memcpy(&end, buffers_[0].data() + width, width);
    if (begin <= end && end <= buffers_[1].size()) return buffers_[1].subspan(begin, end - begin);
  }
  return Corrupt("value of a constant page is no text with offsets of ", shape.bits, " bits");
}

/// What was read of a page: its value, unless it is in the description, and the levels of all its
/// entries, unless they are read by row.
class ConstantIndex final : public PageIndex {
 public:
  std::unique_ptr<const Constant> value;
  std::vector<uint16_t> repetition;
  std::vector<uint16_t> definition;
  std::vector<int64_t> marks;  ///< columns with lists: where every kRowsPerMark-th row begins
};

/// Slots that all have the same value.
class ConstantValues final : public PendingValues {
 public:
  /// `value` is null if all slots are.
  ConstantValues(const Constant* value, int64_t num_slots) : value_(value), num_slots_(num_slots) {}

  int64_t num_slots() const override { return num_slots_; }
  Status DecodeInto(int64_t position, ColumnOutput* out) const override {
    return Fill(value_, position, num_slots_, out);
  }

  /// Writes the value, or what stands for a null, to `count` rows of the output.
  static Status Fill(const Constant* value, int64_t position, int64_t count, ColumnOutput* out);

 private:
  /// The same for `text`, which lies in `owner`.
  static Status FillTexts(const std::shared_ptr<arrow::Buffer>& owner,
                          std::span<const uint8_t> text, int64_t position, int64_t count,
                          ColumnOutput* out);

  const Constant* value_;
  int64_t num_slots_;
};

Status ConstantValues::Fill(const Constant* value, int64_t position, int64_t count,
                            ColumnOutput* out) {
  const ValueShape& shape = out->shape();
  if (value == nullptr) {
    if (shape.is_variable) return Status::OK();
    // Nothing uninitialized leaves the reader, not even under a null.
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    ClearBits(values, position * shape.row_bits(), count * shape.row_bits());
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto bytes, value->Value(shape));
  if (shape.is_variable) return FillTexts(value->bytes(), bytes, position, count, out);
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  const int64_t bits = shape.row_bits();
  if (bits == 1) {
    if ((bytes[0] & 1) != 0) {
      SetBits(values, position, count);
    } else {
      ClearBits(values, position, count);
    }
    return Status::OK();
  }
  uint8_t* to = values + position * (bits / 8);
  for (int64_t i = 0; i < count; ++i, to += bits / 8) std::memcpy(to, bytes.data(), bits / 8);
  return Status::OK();
}

Status ConstantValues::FillTexts(const std::shared_ptr<arrow::Buffer>& owner,
                                 std::span<const uint8_t> text, int64_t position, int64_t count,
                                 ColumnOutput* out) {
  const auto length = static_cast<int64_t>(text.size());
  const int64_t width = out->shape().bits / 8;
  const int64_t most =
      width == 4 ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int64_t>::max();
  if (length > 0 && count > most / length) {
    return InvalidArgument(count, " rows of ", length,
                           " bytes are too many for one read: read fewer rows");
  }
  ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
  if (length == 0 || count == 0) return Status::OK();
  for (int64_t row = position; row < position + count; ++row) {
    std::memcpy(lengths + (row + 1) * width, &length, width);
  }
  // Short texts stand many times in memory, since each run costs some as well.
  const int64_t copies = std::clamp<int64_t>(kRunBytes / length, 1, count);
  std::shared_ptr<arrow::Buffer> repeated = owner;
  const uint8_t* from = text.data();
  if (copies > 1) {
    ARROW_ASSIGN_OR_RAISE(repeated, arrow::AllocateBuffer(copies * length, out->pool()));
    uint8_t* to = repeated->mutable_data();
    for (int64_t i = 0; i < copies; ++i) std::memcpy(to + i * length, text.data(), length);
    from = to;
  }
  for (int64_t row = 0; row < count; row += copies) {
    out->AddRun(position + row, std::min(copies, count - row), from);
  }
  out->Keep(std::move(repeated));
  return Status::OK();
}

/// Where the levels of a page are and how they are encoded; absent levels are all 0.
struct ConstantLevels {
  io::ByteRange bytes;
  int64_t count = 0;
  bool is_plain = true;  ///< they stand as words
  std::optional<LevelDecoder> decoder;

  /// `count` levels if they are encoded, else as many as the bytes hold.
  static Result<ConstantLevels> Of(io::ByteRange bytes,
                                   const std::optional<ValueEncoding>& encoding, uint64_t count) {
    ConstantLevels levels;
    if (bytes.length == 0) return levels;
    levels.bytes = bytes;
    levels.is_plain = !encoding;
    if (levels.is_plain) count = static_cast<uint64_t>(bytes.length / kLevelBytes);
    if (count > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
      return Corrupt("constant page of ", count, " levels");
    }
    levels.count = static_cast<int64_t>(count);
    ARROW_ASSIGN_OR_RAISE(levels.decoder,
                          LevelDecoder::Make(encoding.value_or(ValueEncoding::Flat(16))));
    return levels;
  }
};

class ConstantPage final : public Page {
 public:
  struct Parts {
    bool is_all_null = false;
    std::unique_ptr<const Constant> inline_value;  ///< null if it is in `value`, or nowhere
    io::ByteRange value;
    ConstantLevels repetition;
    ConstantLevels definition;
  };

  ConstantPage(Layers layers, int64_t num_rows, Parts parts)
      : Page(layers), num_rows_(num_rows), parts_(std::move(parts)) {}

  Status CheckShape(const ValueShape& shape) const override {
    if (parts_.is_all_null) return Status::OK();
    if (!shape.packed_fields.empty() || shape.is_nothing()) {
      return Corrupt("constant page with a value, which the column's type does not have");
    }
    if (shape.list_sizes.empty()) return Status::OK();
    return Unsupported("constant pages of fixed-size lists are not supported");
  }
  std::vector<io::ByteRange> index_ranges() const override {
    std::vector<io::ByteRange> ranges;
    if (parts_.value.length > 0) ranges.push_back(parts_.value);
    if (!ReadsLevelsByRow()) {
      if (parts_.repetition.count > 0) ranges.push_back(parts_.repetition.bytes);
      if (parts_.definition.count > 0) ranges.push_back(parts_.definition.bytes);
    }
    return ranges;
  }
  Result<std::unique_ptr<const PageIndex>> ParseIndex(
      std::span<const std::shared_ptr<arrow::Buffer>> bytes,
      arrow::MemoryPool* pool) const override;
  Status Plan(const PageIndex* index, const PageRequest& request,
              std::vector<PlannedRead>* reads) const override {
    if (!ReadsLevelsByRow()) return Status::OK();
    return VisitRuns(request, [&](RowRange rows) { return PlanRuns(index, {&rows, 1}, reads); });
  }
  Status Decode(const PageIndex* index, const PageRequest& request,
                std::span<const PlannedRead> reads,
                std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                ColumnOutput* out) const override;
  std::optional<int64_t> num_items() const override {
    if (has_lists() || parts_.definition.count > 0) return std::nullopt;
    return parts_.is_all_null ? 0 : 1;
  }
  Status DecodeItems(const PageIndex* index, int64_t position, ColumnOutput* out) const override {
    return parts_.is_all_null ? Status::OK() : ConstantValues::Fill(Value(index), position, 1, out);
  }
  Status DecodeCodes(const PageIndex* /*index*/, const PageRequest& request,
                     std::span<const PlannedRead> /*reads*/,
                     std::span<const std::shared_ptr<arrow::Buffer>> /*bytes*/,
                     ColumnOutput* out) const override {
    const int64_t count = request.rows.length();
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    auto* codes = reinterpret_cast<int32_t*>(values) + request.position;
    std::fill(codes, codes + count, parts_.is_all_null ? 0 : request.first_code);
    if (!parts_.is_all_null) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
    ClearBits(validity, request.position, count);
    return Status::OK();
  }
  Status PlanRuns(const PageIndex* /*index*/, std::span<const RowRange> runs,
                  std::vector<PlannedRead>* reads) const override {
    if (!ReadsLevelsByRow()) return Status::OK();
    for (const RowRange& rows : runs) {
      reads->push_back(
          {.bytes = {.offset = parts_.definition.bytes.offset + rows.begin * kLevelBytes,
                     .length = rows.length() * kLevelBytes},
           .units = rows});
    }
    return Status::OK();
  }
  Result<std::unique_ptr<const PendingValues>> Unravel(
      const PageIndex* index, std::span<const RowRange> runs, std::span<const PlannedRead> reads,
      std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool,
      Structure* structure) const override;

 private:
  bool has_lists() const { return meaning().max_repetition() > 0; }
  /// Plain levels without lists are read where the rows are; others all at once, into the index.
  bool ReadsLevelsByRow() const {
    return !has_lists() && parts_.definition.count > 0 && parts_.definition.is_plain;
  }
  /// Null if all slots are.
  const Constant* Value(const PageIndex* index) const {
    if (parts_.is_all_null) return nullptr;
    if (parts_.inline_value != nullptr) return parts_.inline_value.get();
    return static_cast<const ConstantIndex*>(index)->value.get();
  }
  /// The levels in the index; of all entries of the page.
  Levels LevelsOf(const PageIndex* index) const;
  Status MarkRows(ConstantIndex* index) const;
  /// The entry with which `row` begins, or the end of the page.
  int64_t Find(const PageIndex* index, int64_t row) const;

  int64_t num_rows_;
  Parts parts_;
};

Levels ConstantPage::LevelsOf(const PageIndex* index) const {
  Levels levels{.count = std::max(parts_.repetition.count, parts_.definition.count)};
  if (levels.count == 0) levels.count = num_rows_;
  if (index == nullptr) return levels;
  const auto& all = static_cast<const ConstantIndex&>(*index);
  if (!all.repetition.empty()) levels.repetition = all.repetition.data();
  if (!all.definition.empty()) levels.definition = all.definition.data();
  return levels;
}

Result<std::unique_ptr<const PageIndex>> ConstantPage::ParseIndex(
    std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool) const {
  auto index = std::make_unique<ConstantIndex>();
  size_t next = 0;
  if (parts_.value.length > 0) {
    // What was read may be a small piece of a large buffer.
    const auto& piece = bytes[next++];
    ARROW_ASSIGN_OR_RAISE(const std::shared_ptr<arrow::Buffer> copy,
                          piece->CopySlice(0, piece->size(), KeptPool()));
    ARROW_ASSIGN_OR_RAISE(index->value, Constant::Parse(copy));
  }
  if (ReadsLevelsByRow()) return index;
  const auto decode = [&](const ConstantLevels& levels, std::vector<uint16_t>* to) -> Status {
    if (levels.count == 0) return Status::OK();
    const arrow::Buffer& from = *bytes[next++];
    ARROW_RETURN_NOT_OK(levels.decoder->Decode({from.data(), static_cast<size_t>(from.size())},
                                               levels.count, pool, to));
    to->resize(levels.count);
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(decode(parts_.repetition, &index->repetition));
  ARROW_RETURN_NOT_OK(decode(parts_.definition, &index->definition));
  if (has_lists()) ARROW_RETURN_NOT_OK(MarkRows(index.get()));
  return index;
}

Status ConstantPage::MarkRows(ConstantIndex* index) const {
  const Levels levels = LevelsOf(index);
  int64_t row = 0;
  for (int64_t entry = 0; entry < levels.count; ++entry) {
    if (levels.repetition[entry] != meaning().max_repetition()) continue;
    if (row++ % kRowsPerMark == 0) index->marks.push_back(entry);
  }
  if (row == num_rows_) return Status::OK();
  return Corrupt("levels of a page of ", num_rows_, " rows begin ", row);
}

int64_t ConstantPage::Find(const PageIndex* index, int64_t row) const {
  if (!has_lists()) return row;
  const Levels levels = LevelsOf(index);
  if (row == num_rows_) return levels.count;
  int64_t entry = static_cast<const ConstantIndex*>(index)->marks[row / kRowsPerMark];
  for (int64_t left = row % kRowsPerMark; left > 0;) {
    if (levels.repetition[++entry] == meaning().max_repetition()) --left;
  }
  return entry;
}

Result<std::unique_ptr<const PendingValues>> ConstantPage::Unravel(
    const PageIndex* index, std::span<const RowRange> runs, std::span<const PlannedRead> reads,
    std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool,
    Structure* structure) const {
  int64_t num_slots = 0;
  const auto append = [&](const Levels& levels) {
    num_slots += levels.CountVisible(meaning());
    return structure->Append(meaning(), levels);
  };
  if (ReadsLevelsByRow()) {
    std::vector<uint16_t> words;
    for (size_t i = 0; i < reads.size(); ++i) {
      const int64_t count = reads[i].units.length();
      ARROW_RETURN_NOT_OK(parts_.definition.decoder->Decode(
          {bytes[i]->data(), static_cast<size_t>(bytes[i]->size())}, count, pool, &words));
      ARROW_RETURN_NOT_OK(
          append({.repetition = nullptr, .definition = words.data(), .count = count}));
    }
  } else if (const Levels levels = LevelsOf(index); levels.definition == nullptr && !has_lists()) {
    // Without levels every value is there, or none is: then the inner-most layer is null.
    const uint16_t level = parts_.is_all_null ? 1 : 0;
    for (const RowRange& run : runs) {
      if (level <= meaning().max_visible()) num_slots += run.length();
      ARROW_RETURN_NOT_OK(structure->AppendSame(meaning(), level, run.length()));
    }
  } else {
    for (const RowRange& run : runs) {
      const int64_t begin = Find(index, run.begin);
      ARROW_RETURN_NOT_OK(append(levels.Slice(begin, Find(index, run.end) - begin)));
    }
  }
  return std::make_unique<ConstantValues>(Value(index), num_slots);
}

Status ConstantPage::Decode(const PageIndex* index, const PageRequest& request,
                            std::span<const PlannedRead> reads,
                            std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                            ColumnOutput* out) const {
  const Constant* value = Value(index);
  const auto put = [&](int64_t position, uint16_t level) -> Status {
    // A null row has the value too, so that nothing uninitialized leaves the reader.
    ARROW_RETURN_NOT_OK(ConstantValues::Fill(value, position, 1, out));
    if (level == 0) return Status::OK();
    if (level > 1) {
      return Corrupt("definition level ", level, " in a column whose highest is 1");
    }
    ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
    ClearBit(validity, position);
    return Status::OK();
  };
  size_t next_taken = 0;
  if (ReadsLevelsByRow()) {
    for (size_t i = 0; i < reads.size(); ++i) {
      const RowRange rows = reads[i].units;
      const auto put_row = [&](int64_t row, int64_t position) {
        const uint8_t* at = bytes[i]->data() + (row - rows.begin) * kLevelBytes;
        return put(position, LoadLittle<uint16_t>(at));
      };
      ARROW_RETURN_NOT_OK(VisitRows(request, rows, &next_taken, put_row));
    }
    return Status::OK();
  }
  const Levels levels = LevelsOf(index);
  if (levels.definition == nullptr && !request.is_take()) {
    const int64_t count = request.rows.length();
    // Values that are nothing are null, or not, by their type.
    if (value == nullptr && !out->shape().is_nothing()) {
      ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
      ClearBits(validity, request.position, count);
    }
    return ConstantValues::Fill(value, request.position, count, out);
  }
  const RowRange all{
      .begin = request.rows.begin,
      .end = request.is_take() ? std::numeric_limits<int64_t>::max() : request.rows.end};
  const uint16_t plain = value == nullptr ? 1 : 0;
  const auto put_row = [&](int64_t row, int64_t position) {
    return put(position, levels.definition == nullptr ? plain : levels.definition[row]);
  };
  return VisitRows(request, all, &next_taken, put_row);
}

}  // namespace

Result<std::unique_ptr<const Page>> MakeConstantPage(const ConstantLayout& layout, Layers layers,
                                                     int64_t num_rows,
                                                     std::span<const io::ByteRange> buffers) {
  ConstantPage::Parts parts;
  parts.is_all_null = layout.is_all_null;
  if (layout.inline_value) {
    parts.inline_value = Constant::OfBuffer(*layout.inline_value);
  } else if (!layout.is_all_null) {
    if (buffers.empty() || buffers[0].length == 0) return Corrupt("constant page without a value");
    parts.value = buffers[0];
    buffers = buffers.subspan(1);
  }
  if (!buffers.empty() && buffers.size() != 2) {
    return Corrupt("constant page with ", buffers.size(), " buffers of levels");
  }
  if (!buffers.empty()) {
    ARROW_ASSIGN_OR_RAISE(parts.repetition,
                          ConstantLevels::Of(buffers[0], layout.repetition, layout.num_rep_levels));
    ARROW_ASSIGN_OR_RAISE(parts.definition,
                          ConstantLevels::Of(buffers[1], layout.definition, layout.num_def_levels));
  }
  const LevelMeaning meaning(layers);
  const bool has_lists = meaning.max_repetition() > 0;
  const int64_t repetition = parts.repetition.count;
  const int64_t definition = parts.definition.count;
  const bool fits = has_lists
                        ? repetition >= num_rows && (definition == 0 || definition == repetition)
                        : repetition == 0 && (definition == 0 || definition == num_rows);
  if (!fits) {
    return Corrupt("constant page of ", num_rows, " rows with ", meaning.max_repetition(),
                   " lists has ", repetition, " repetition and ", definition, " definition levels");
  }
  // Without levels nothing says that rows are null.
  if (parts.is_all_null && definition == 0 && meaning.max_definition() == 0) {
    return Corrupt("constant page without a value and without nulls");
  }
  return std::make_unique<ConstantPage>(layers, num_rows, std::move(parts));
}

}  // namespace tusk::lance
