#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/fixed_size_list.h"
#include "tusk/lance/encodings/packed_struct.h"
#include "tusk/lance/encodings/single_value_decoder.h"
#include "tusk/lance/file/page.h"
#include "tusk/lance/file/page_rows.h"
#include "tusk/lance/file/row_offsets.h"

namespace tusk::lance {
namespace {

using Kind = ValueEncoding::Kind;

/// The levels in front of an entry, in one word of 0, 1, 2 or 4 bytes by the number of bits.
class ControlWord {
 public:
  ControlWord(uint32_t bits_rep, uint32_t bits_def)
      : bits_def_(bits_def), definition_mask_((uint32_t{1} << bits_def) - 1) {
    const uint32_t bits = bits_rep + bits_def;
    width_ = bits == 0 ? 0 : bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
  }
  int64_t width() const { return width_; }

  struct Entry {
    uint16_t repetition = 0;
    uint16_t definition = 0;
  };
  /// `at` holds at least width() bytes.
  Entry Read(const uint8_t* at) const {
    uint32_t word = 0;
    std::memcpy(&word, at, width_);
    return {.repetition = static_cast<uint16_t>(word >> bits_def_),
            .definition = static_cast<uint16_t>(word & definition_mask_)};
  }
  /// For columns without lists and structs. Corrupt for a level other than 0 and 1.
  Result<bool> IsNull(const uint8_t* at) const {
    const Entry entry = Read(at);
    if (entry.definition <= 1 && entry.repetition == 0) return entry.definition == 1;
    return Corrupt("levels ", entry.repetition, " and ", entry.definition,
                   " in a column whose highest are 0 and 1");
  }

 private:
  uint32_t bits_def_;
  uint32_t definition_mask_;
  int64_t width_;
};

/// What full-zip pages have in common: entries one after the other, each behind its levels.
class FullZipPage : public Page {
 public:
  FullZipPage(Layers layers, ControlWord control, io::ByteRange data, std::optional<RowIndex> index)
      : Page(layers), control_(control), data_(data), index_(index) {}

  std::vector<io::ByteRange> index_ranges() const override {
    return index_ ? std::vector<io::ByteRange>{index_->range} : std::vector<io::ByteRange>();
  }
  Result<std::unique_ptr<const PageIndex>> ParseIndex(
      std::span<const std::shared_ptr<arrow::Buffer>> bytes,
      arrow::MemoryPool* /*pool*/) const override {
    // What was read may be a small piece of a large buffer.
    ARROW_ASSIGN_OR_RAISE(auto copy, bytes[0]->CopySlice(0, bytes[0]->size(), KeptPool()));
    return std::make_unique<RowOffsets>(std::move(copy), index_->width, data_.length);
  }
  Status PlanRuns(const PageIndex* index, std::span<const RowRange> runs,
                  std::vector<PlannedRead>* reads) const override {
    for (const RowRange& rows : runs) {
      ARROW_ASSIGN_OR_RAISE(io::ByteRange bytes, BytesOf(index, rows));
      bytes.offset += data_.offset;
      reads->push_back({.bytes = bytes, .units = rows});
    }
    return Status::OK();
  }
  Status Plan(const PageIndex* index, const PageRequest& request,
              std::vector<PlannedRead>* reads) const override {
    return VisitRuns(request, [&](RowRange rows) { return PlanRuns(index, {&rows, 1}, reads); });
  }
  Result<std::unique_ptr<const PendingValues>> Unravel(
      const PageIndex* index, std::span<const RowRange> runs, std::span<const PlannedRead> reads,
      std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool,
      Structure* structure) const override;

  /// The value of one slot, or null.
  using Slot = std::span<const uint8_t>;
  /// Writes one slot to the output. The bytes of variable values must stay, or be kept.
  virtual Status Put(Slot slot, int64_t position, ColumnOutput* out) const = 0;

 protected:
  const ControlWord& control() const { return control_; }
  const io::ByteRange& data() const { return data_; }
  /// Whether the levels in front of a row say that it is null, which it is made then. For columns
  /// without lists and structs. Corrupt if there are none, or others.
  Result<bool> PutLevels(std::span<const uint8_t> row, int64_t position, ColumnOutput* out) const;
  /// Where `rows` lie within the page's data.
  virtual Result<io::ByteRange> BytesOf(const PageIndex* index, RowRange rows) const = 0;
  /// Cuts the value of an entry with this definition level off the front of `rest`. A slot without
  /// a data pointer has none. Corrupt if it is not there.
  virtual Result<Slot> TakeSlot(uint16_t definition, std::span<const uint8_t>* rest) const = 0;

 private:
  class Values;

  ControlWord control_;
  io::ByteRange data_;
  std::optional<RowIndex> index_;
};

Result<bool> FullZipPage::PutLevels(std::span<const uint8_t> row, int64_t position,
                                    ColumnOutput* out) const {
  if (std::ssize(row) < control_.width()) {
    return Corrupt("full-zip row of ", row.size(), " bytes has no level");
  }
  ARROW_ASSIGN_OR_RAISE(const bool is_null, control_.IsNull(row.data()));
  if (!is_null) return false;
  ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
  ClearBit(validity, position);
  return true;
}

/// Slots that were found between levels.
class FullZipPage::Values final : public PendingValues {
 public:
  Values(const FullZipPage* page, std::span<const std::shared_ptr<arrow::Buffer>> bytes)
      : page_(page), bytes_(bytes.begin(), bytes.end()) {}

  void Add(Slot slot) { slots_.push_back(slot); }
  int64_t num_slots() const override { return static_cast<int64_t>(slots_.size()); }
  Status DecodeInto(int64_t position, ColumnOutput* out) const override {
    for (const Slot& slot : slots_) ARROW_RETURN_NOT_OK(page_->Put(slot, position++, out));
    if (out->shape().is_variable) {
      for (const auto& buffer : bytes_) out->Keep(buffer);
    }
    return Status::OK();
  }

 private:
  const FullZipPage* page_;
  std::vector<std::shared_ptr<arrow::Buffer>> bytes_;
  std::vector<Slot> slots_;
};

Result<std::unique_ptr<const PendingValues>> FullZipPage::Unravel(
    const PageIndex* index, std::span<const RowRange> /*runs*/, std::span<const PlannedRead> reads,
    std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* /*pool*/,
    Structure* structure) const {
  const auto* offsets = static_cast<const RowOffsets*>(index);
  auto values = std::make_unique<Values>(this, bytes);
  std::vector<uint16_t> repetition;
  std::vector<uint16_t> definition;
  for (size_t i = 0; i < reads.size(); ++i) {
    repetition.clear();
    definition.clear();
    std::span<const uint8_t> rest(bytes[i]->data(), bytes[i]->size());
    const RowRange rows = reads[i].units;
    const int64_t end = reads[i].bytes.offset + reads[i].bytes.length - data_.offset;
    int64_t row = rows.begin;
    while (!rest.empty()) {
      if (static_cast<int64_t>(rest.size()) < control_.width()) {
        return Corrupt("full-zip entry of ", rest.size(), " bytes has no levels");
      }
      const ControlWord::Entry entry = control_.Read(rest.data());
      // Rows begin where the index has them, or by number others would be found than in order.
      if (offsets != nullptr && entry.repetition == meaning().max_repetition()) {
        const int64_t at = end - static_cast<int64_t>(rest.size());
        if (row == rows.end || !offsets->PutsAt(row, at)) {
          return Corrupt("full-zip row ", row, " begins at ", at, ", where its index has none");
        }
        ++row;
      }
      rest = rest.subspan(control_.width());
      repetition.push_back(entry.repetition);
      definition.push_back(entry.definition);
      if (entry.definition > meaning().max_visible()) continue;
      ARROW_ASSIGN_OR_RAISE(const Slot slot, TakeSlot(entry.definition, &rest));
      values->Add(slot);
    }
    const Levels levels{.repetition = repetition.data(),
                        .definition = definition.data(),
                        .count = static_cast<int64_t>(repetition.size())};
    if (levels.CountRows(meaning()) != rows.length()) {
      return Corrupt("full-zip rows ", rows.begin, " to ", rows.end, " in ", bytes[i]->size(),
                     " bytes are ", levels.CountRows(meaning()));
    }
    ARROW_RETURN_NOT_OK(structure->Append(meaning(), levels));
  }
  return values;
}

/// What a slot of fixed width holds.
struct FixedSlot {
  ListLayers lists;
  int64_t item_bits = 0;      ///< as stored; 0 if all items are null
  int64_t bitmaps_width = 0;  ///< bytes of the bitmaps in front of the items
  int64_t width = 0;          ///< bytes of the items

  /// Corrupt if a slot does not have `bits`, Unsupported for encodings that are not covered.
  static Result<FixedSlot> Of(const ValueEncoding& encoding, uint64_t bits) {
    FixedSlot slot;
    ARROW_ASSIGN_OR_RAISE(slot.lists, ListLayers::Of(encoding));
    const ValueEncoding& items = slot.lists.items;
    uint64_t item_bits = items.bits;
    if (items.kind == Kind::kPackedStruct) {
      if (items.children.size() != 1 || items.children[0].kind != Kind::kFlat) {
        return Corrupt("packed struct of values that are not flat");
      }
      item_bits = items.children[0].bits;
    } else if (items.kind != Kind::kFlat && items.kind != Kind::kConstant) {
      return Unsupported("encoding ", EncodingName(items.kind),
                         " in full-zip pages is not supported");
    }
    for (const ListLayers::Layer& layer : slot.lists.layers) {
      if (layer.has_validity) slot.bitmaps_width += BytesForBits(layer.items_per_row);
    }
    const auto items_per_row = static_cast<uint64_t>(slot.lists.items_per_row);
    const auto bitmap_bits = static_cast<uint64_t>(slot.bitmaps_width) * 8;
    const bool is_constant = items.kind == Kind::kConstant;
    if ((item_bits == 0) != is_constant || bits == 0 || bits % 8 != 0 || item_bits > bits ||
        item_bits * items_per_row + bitmap_bits != bits) {
      return Corrupt("full-zip page of ", bits, " bits a row holds ", items_per_row, " x ",
                     item_bits, " and ", bitmap_bits, " of validity");
    }
    slot.item_bits = static_cast<int64_t>(item_bits);
    slot.width = static_cast<int64_t>(bits) / 8 - slot.bitmaps_width;
    return slot;
  }
};

/// Values of one width; without lists they are found by multiplication.
class FixedFullZipPage final : public FullZipPage {
 public:
  FixedFullZipPage(Layers layers, ControlWord control, FixedSlot slot, io::ByteRange data,
                   std::optional<RowIndex> index)
      : FullZipPage(layers, control, data, index),
        slot_(std::move(slot)),
        slot_width_(slot_.bitmaps_width + slot_.width),
        stride_(control.width() + slot_width_) {}

  Status CheckShape(const ValueShape& shape) const override {
    const ValueEncoding& items = slot_.lists.items;
    if (items.kind == Kind::kConstant) return slot_.lists.CheckOuterShape(shape);
    if (items.kind == Kind::kPackedStruct) ARROW_RETURN_NOT_OK(CheckPackedFields(items, shape));
    // Booleans have a byte each, but for those in lists.
    if (shape.bits == 1 && slot_.item_bits == 8 && shape.list_sizes.empty()) {
      return slot_.lists.CheckShape(shape, 1);
    }
    return slot_.lists.CheckShape(shape, slot_.item_bits);
  }
  Status Decode(const PageIndex* index, const PageRequest& request,
                std::span<const PlannedRead> reads,
                std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                ColumnOutput* out) const override;
  std::optional<StoredRows> FindStoredRows(const ValueShape& shape) const override {
    if (slot_.item_bits == 0 || slot_.width * 8 != shape.row_bits()) return std::nullopt;
    return StoredRows{
        .begin = data().offset, .prefix_width = stride_ - slot_.width, .width = slot_.width};
  }
  Status PutPrefix(const uint8_t* prefix, int64_t position, ColumnOutput* out) const override;
  Status Put(Slot slot, int64_t position, ColumnOutput* out) const override;

 protected:
  Result<io::ByteRange> BytesOf(const PageIndex* index, RowRange rows) const override {
    if (index != nullptr) return static_cast<const RowOffsets&>(*index).Find(rows);
    return io::ByteRange{.offset = rows.begin * stride_, .length = rows.length() * stride_};
  }
  Result<Slot> TakeSlot(uint16_t /*definition*/, std::span<const uint8_t>* rest) const override {
    if (static_cast<int64_t>(rest->size()) < slot_width_) {
      return Corrupt("full-zip value of ", slot_width_, " bytes has ", rest->size());
    }
    const Slot slot = rest->first(slot_width_);
    *rest = rest->subspan(slot_width_);
    return slot;
  }

 private:
  Status DecodeBitmaps(const uint8_t* slot, int64_t position, ColumnOutput* out) const;
  /// Whether pages are the packed values of an Arrow array and nothing else.
  bool IsArrowMemory(const ColumnOutput& out) const {
    return stride_ == slot_.width && slot_.width * 8 == out.shape().row_bits();
  }

  FixedSlot slot_;
  int64_t slot_width_;
  int64_t stride_;
};

Status FixedFullZipPage::DecodeBitmaps(const uint8_t* slot, int64_t position,
                                       ColumnOutput* out) const {
  std::vector<std::span<const uint8_t>> bitmaps;
  for (const ListLayers::Layer& layer : slot_.lists.layers) {
    if (!layer.has_validity) continue;
    bitmaps.emplace_back(slot, BytesForBits(layer.items_per_row));
    slot += bitmaps.back().size();
  }
  return slot_.lists.DecodeBitmaps(bitmaps, {.begin = 0, .end = 1}, position, out);
}

Status FixedFullZipPage::PutPrefix(const uint8_t* prefix, int64_t position,
                                   ColumnOutput* out) const {
  const std::span<const uint8_t> row(prefix, stride_ - slot_.width);
  ARROW_RETURN_NOT_OK(PutLevels(row, position, out).status());
  if (slot_.bitmaps_width == 0) return Status::OK();
  return DecodeBitmaps(prefix + control().width(), position, out);
}

Status FixedFullZipPage::Put(Slot slot, int64_t position, ColumnOutput* out) const {
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  if (slot_.bitmaps_width > 0) {
    ARROW_RETURN_NOT_OK(DecodeBitmaps(slot.data(), position, out));
    slot = slot.subspan(slot_.bitmaps_width);
  }
  const int64_t row_bits = out->shape().row_bits();
  if (slot_.item_bits == 0) {
    ClearBits(values, position * row_bits, row_bits);
  } else if (row_bits == 1) {
    CopyBits(slot.data(), 0, 1, values, position);
  } else {
    // Rows of a fixed shape have whole bytes here: see FixedSlot::Of.
    std::memcpy(values + position * slot_.width, slot.data(), slot_.width);
  }
  return Status::OK();
}

Status FixedFullZipPage::Decode(const PageIndex* /*index*/, const PageRequest& request,
                                std::span<const PlannedRead> reads,
                                std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                                ColumnOutput* out) const {
  if (IsArrowMemory(*out) && !request.is_take()) {
    // Without levels and bitmaps the page is an Arrow buffer: the only one if it is all that was
    // asked for.
    const bool is_aligned = reinterpret_cast<uintptr_t>(bytes[0]->data()) % 8 == 0;
    if (request.rows.length() == out->num_rows() && is_aligned) {
      out->AdoptValues(bytes[0]);
      return Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    std::memcpy(values + request.position * slot_.width, bytes[0]->data(), bytes[0]->size());
    return Status::OK();
  }
  size_t next_taken = 0;
  for (size_t i = 0; i < reads.size(); ++i) {
    const RowRange rows = reads[i].units;
    const auto copy = [&](int64_t row, int64_t position) -> Status {
      const uint8_t* from = bytes[i]->data() + (row - rows.begin) * stride_;
      const Slot slot(from + control().width(), slot_width_);
      ARROW_RETURN_NOT_OK(Put(slot, position, out));
      return PutLevels({from, static_cast<size_t>(stride_)}, position, out).status();
    };
    ARROW_RETURN_NOT_OK(VisitRows(request, rows, &next_taken, copy));
  }
  return Status::OK();
}

/// Values of any width, behind their length.
class VariableFullZipPage final : public FullZipPage {
 public:
  /// `values` is null if values stand as they are.
  VariableFullZipPage(Layers layers, ControlWord control,
                      std::unique_ptr<const SingleValueDecoder> values, int64_t length_width,
                      io::ByteRange data, RowIndex index)
      : FullZipPage(layers, control, data, index),
        values_(std::move(values)),
        length_width_(length_width) {}

  Status CheckShape(const ValueShape& shape) const override {
    // Packed structs may be stored as rows of any length though all their fields have a width.
    if (!shape.is_variable && shape.packed_fields.empty()) {
      return Corrupt("full-zip page holds values of any length, the column's type does not");
    }
    return values_ == nullptr ? CheckPlainText(shape) : values_->CheckShape(shape);
  }
  Status Decode(const PageIndex* index, const PageRequest& request,
                std::span<const PlannedRead> reads,
                std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                ColumnOutput* out) const override;
  Result<std::optional<StoredTexts>> FindStoredTexts(const PageIndex* index,
                                                     const PageRequest& request) const override;
  Status PutTextPrefix(std::span<const uint8_t> prefix, int64_t length, int64_t position,
                       ColumnOutput* out) const override;
  Status Put(Slot slot, int64_t position, ColumnOutput* out) const override;

 protected:
  Result<io::ByteRange> BytesOf(const PageIndex* index, RowRange rows) const override {
    return static_cast<const RowOffsets&>(*index).Find(rows);
  }
  Result<Slot> TakeSlot(uint16_t definition, std::span<const uint8_t>* rest) const override;

 private:
  /// As Put, for packed structs of fixed width.
  Status PutPacked(Slot slot, int64_t position, ColumnOutput* out) const;

  std::unique_ptr<const SingleValueDecoder> values_;
  int64_t length_width_;
};

Result<std::optional<StoredTexts>> VariableFullZipPage::FindStoredTexts(
    const PageIndex* index, const PageRequest& request) const {
  if (values_ != nullptr) return std::nullopt;
  const auto& offsets = static_cast<const RowOffsets&>(*index);
  StoredTexts texts{.prefix_width = control().width() + length_width_, .rows = {}};
  texts.rows.reserve(request.taken.size());
  int64_t end = 0;
  int64_t before = -1;
  for (const TakenRow& taken : request.taken) {
    const int64_t row = taken.row - request.first_row;
    ARROW_ASSIGN_OR_RAISE(const io::ByteRange at, offsets.Find({.begin = row, .end = row + 1}));
    if (row != before && at.offset < end) {
      return Corrupt("full-zip page puts row ", row, " at ", at.offset, ", out of order");
    }
    before = row;
    end = at.offset + at.length;
    texts.rows.push_back({.offset = data().offset + at.offset, .length = at.length});
  }
  return texts;
}

Status VariableFullZipPage::PutTextPrefix(std::span<const uint8_t> prefix, int64_t length,
                                          int64_t position, ColumnOutput* out) const {
  ARROW_ASSIGN_OR_RAISE(const bool is_null, PutLevels(prefix, position, out));
  if (is_null) return Status::OK();
  const auto told = prefix.subspan(control().width());
  uint64_t expected = 0;
  std::memcpy(&expected, told.data(), told.size());
  if (std::ssize(told) == length_width_ && expected == static_cast<uint64_t>(length)) {
    return Status::OK();
  }
  return Corrupt("full-zip row has ", told.size(), " and ", length,
                 " bytes for the length of a value and a value of ", expected);
}

Result<FullZipPage::Slot> VariableFullZipPage::TakeSlot(uint16_t definition,
                                                        std::span<const uint8_t>* rest) const {
  if (definition != 0) return Slot();
  uint64_t length = 0;
  if (static_cast<int64_t>(rest->size()) >= length_width_) {
    std::memcpy(&length, rest->data(), length_width_);
    *rest = rest->subspan(length_width_);
    if (length <= rest->size()) {
      const Slot slot(rest->data(), length);
      *rest = rest->subspan(length);
      return slot;
    }
  }
  return Corrupt("full-zip row has ", rest->size(), " bytes for a value of ", length);
}

Status VariableFullZipPage::PutPacked(Slot slot, int64_t position, ColumnOutput* out) const {
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  const int64_t width = out->shape().row_bits() / 8;
  if (slot.data() == nullptr) {
    std::memset(values + position * width, 0, width);
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto row, values_->Decode(slot, out->pool()));
  if (row->size() != width) {
    return Corrupt("packed row of ", row->size(), " bytes where fields have ", width);
  }
  std::memcpy(values + position * width, row->data(), width);
  return Status::OK();
}

Status VariableFullZipPage::Put(Slot slot, int64_t position, ColumnOutput* out) const {
  if (!out->shape().is_variable) return PutPacked(slot, position, out);
  ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
  if (slot.data() == nullptr) return Status::OK();
  if (values_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto decoded, values_->Decode(slot, out->pool()));
    slot = {decoded->data(), static_cast<size_t>(decoded->size())};
    out->Keep(std::move(decoded));
  }
  const int64_t width = out->shape().bits / 8;
  const auto length = static_cast<uint64_t>(slot.size());
  if (width == 4 && length > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
    return Corrupt("full-zip value has ", length, " bytes");
  }
  std::memcpy(lengths + (position + 1) * width, &length, width);
  out->AddRun(position, 1, slot.data());
  return Status::OK();
}

Status VariableFullZipPage::Decode(const PageIndex* index, const PageRequest& request,
                                   std::span<const PlannedRead> reads,
                                   std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                                   ColumnOutput* out) const {
  const auto& offsets = static_cast<const RowOffsets&>(*index);
  size_t next_taken = 0;
  for (size_t i = 0; i < reads.size(); ++i) {
    const int64_t begin = reads[i].bytes.offset - data().offset;
    const std::span<const uint8_t> run(bytes[i]->data(), bytes[i]->size());
    const auto add = [&](int64_t row, int64_t position) -> Status {
      ARROW_ASSIGN_OR_RAISE(const io::ByteRange at, offsets.Find({.begin = row, .end = row + 1}));
      const int64_t offset = at.offset - begin;
      if (offset < 0 || offset + at.length > static_cast<int64_t>(run.size())) {
        return Corrupt("full-zip page puts row ", row, " at ", at.offset, ", out of order");
      }
      std::span<const uint8_t> rest = run.subspan(offset, at.length);
      ARROW_ASSIGN_OR_RAISE(const bool is_null, PutLevels(rest, position, out));
      if (is_null) return Status::OK();
      rest = rest.subspan(control().width());
      ARROW_ASSIGN_OR_RAISE(const Slot slot, TakeSlot(0, &rest));
      if (!rest.empty()) {
        return Corrupt("full-zip row has ", rest.size(), " bytes behind its value");
      }
      return Put(slot, position, out);
    };
    ARROW_RETURN_NOT_OK(VisitRows(request, reads[i].units, &next_taken, add));
    out->Keep(bytes[i]);
  }
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<const Page>> MakeFullZipPage(const FullZipLayout& layout, Layers layers,
                                                    int64_t num_rows,
                                                    std::span<const io::ByteRange> buffers) {
  const LevelMeaning meaning(layers);
  const bool has_lists = meaning.max_repetition() > 0;
  if (layout.bits_rep > 16 || layout.bits_def > 16) {
    return Corrupt("full-zip page with levels of ", layout.bits_rep, " and ", layout.bits_def,
                   " bits");
  }
  if (!has_lists && layout.num_items != static_cast<uint64_t>(num_rows)) {
    return Corrupt("full-zip page of ", num_rows, " rows claims ", layout.num_items, " values");
  }
  const bool has_index = has_lists || layout.is_variable;
  if (buffers.size() != (has_index ? 2U : 1U)) {
    return Corrupt("full-zip page with ", buffers.size(), " buffers");
  }
  const ControlWord control(layout.bits_rep, layout.bits_def);
  std::optional<RowIndex> index;
  if (has_index) {
    ARROW_ASSIGN_OR_RAISE(index, RowIndex::Of(buffers[1], num_rows));
  }
  if (layout.is_variable) {
    if (layout.bits != 32 && layout.bits != 64) {
      return Corrupt("full-zip page with lengths of ", layout.bits, " bits");
    }
    ARROW_ASSIGN_OR_RAISE(auto values, MakeSingleValueDecoder(layout.values));
    return std::make_unique<VariableFullZipPage>(layers, control, std::move(values),
                                                 layout.bits / 8, buffers[0], *index);
  }
  ARROW_ASSIGN_OR_RAISE(FixedSlot slot, FixedSlot::Of(layout.values, layout.bits));
  if (!has_index && num_rows > buffers[0].length / (control.width() + layout.bits / 8)) {
    return Corrupt("full-zip page of ", num_rows, " rows has ", buffers[0].length, " bytes");
  }
  return std::make_unique<FixedFullZipPage>(layers, control, std::move(slot), buffers[0], index);
}

}  // namespace tusk::lance
