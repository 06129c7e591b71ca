#include <cstring>
#include <limits>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/fixed_size_list.h"
#include "tusk/lance/encodings/single_value_decoder.h"
#include "tusk/lance/file/page.h"
#include "tusk/lance/file/page_rows.h"

namespace tusk::lance {
namespace {

/// The level in front of a row: 0, 1 or 2 bytes by the number of bits.
class ControlWord {
 public:
  explicit ControlWord(uint32_t bits) : width_(bits == 0 ? 0 : bits <= 8 ? 1 : 2) {}
  int64_t width() const { return width_; }
  /// Corrupt for a level other than 0 and 1. `row` holds at least width() bytes.
  Result<bool> IsNull(const uint8_t* row) const {
    if (width_ == 0) return false;
    const uint16_t level = width_ == 1 ? *row : LoadLittle<uint16_t>(row);
    if (level > 1) {
      return Corrupt("definition level ", level, " in a column whose highest is 1");
    }
    return level == 1;
  }

 private:
  int64_t width_;
};

/// Rows of one width, found by multiplication.
class FixedFullZipPage final : public Page {
 public:
  FixedFullZipPage(ControlWord control, ListLayers lists, io::ByteRange data)
      : control_(control),
        lists_(std::move(lists)),
        bitmaps_width_(BitmapsWidth(lists_)),
        width_(static_cast<int64_t>(lists_.items.bits) * lists_.items_per_row / 8),
        stride_(control.width() + bitmaps_width_ + width_),
        data_(data) {}

  /// Bytes of the bitmaps in front of the items of each row.
  static int64_t BitmapsWidth(const ListLayers& lists) {
    int64_t width = 0;
    for (const ListLayers::Layer& layer : lists.layers) {
      if (layer.has_validity) width += BytesForBits(layer.items_per_row);
    }
    return width;
  }

  Status CheckShape(const ValueShape& shape) const override {
    if (shape.bits == 1 && lists_.items.bits == 8) {
      return Unsupported("booleans in full-zip pages are not supported yet");
    }
    return lists_.CheckShape(shape, static_cast<int64_t>(lists_.items.bits));
  }
  Status Plan(const PageIndex* /*index*/, const PageRequest& request,
              std::vector<PlannedRead>* reads) const override {
    return VisitRuns(request, [&](RowRange rows) {
      reads->push_back({.bytes = {.offset = data_.offset + rows.begin * stride_,
                                  .length = rows.length() * stride_},
                        .units = rows});
      return Status::OK();
    });
  }
  Status Decode(const PageIndex* index, const PageRequest& request,
                std::span<const PlannedRead> reads,
                std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                ColumnOutput* out) const override;

 private:
  Status DecodeBitmaps(const uint8_t* row, int64_t position, ColumnOutput* out) const;

  ControlWord control_;
  ListLayers lists_;
  int64_t bitmaps_width_;
  int64_t width_;  ///< of the items
  int64_t stride_;
  io::ByteRange data_;
};

Status FixedFullZipPage::DecodeBitmaps(const uint8_t* row, int64_t position,
                                       ColumnOutput* out) const {
  std::vector<std::span<const uint8_t>> bitmaps;
  for (const ListLayers::Layer& layer : lists_.layers) {
    if (!layer.has_validity) continue;
    bitmaps.emplace_back(row, BytesForBits(layer.items_per_row));
    row += bitmaps.back().size();
  }
  return lists_.DecodeBitmaps(bitmaps, {.begin = 0, .end = 1}, position, out);
}

Status FixedFullZipPage::Decode(const PageIndex* /*index*/, const PageRequest& request,
                                std::span<const PlannedRead> reads,
                                std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                                ColumnOutput* out) const {
  if (stride_ == width_ && !request.is_take()) {
    // Without levels and bitmaps the page is an Arrow buffer: the only one if it is all that was
    // asked for.
    const bool is_aligned = reinterpret_cast<uintptr_t>(bytes[0]->data()) % 8 == 0;
    if (request.rows.length() == out->num_rows() && is_aligned) {
      out->AdoptValues(bytes[0]);
      return Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    std::memcpy(values + request.position * width_, bytes[0]->data(), bytes[0]->size());
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  size_t next_taken = 0;
  for (size_t i = 0; i < reads.size(); ++i) {
    const RowRange rows = reads[i].units;
    const auto copy = [&](int64_t row, int64_t position) -> Status {
      const uint8_t* from = bytes[i]->data() + (row - rows.begin) * stride_;
      ARROW_ASSIGN_OR_RAISE(const bool is_null, control_.IsNull(from));
      from += control_.width();
      if (bitmaps_width_ > 0) ARROW_RETURN_NOT_OK(DecodeBitmaps(from, position, out));
      std::memcpy(values + position * width_, from + bitmaps_width_, width_);
      if (is_null) {
        ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
        ClearBit(validity, position);
      }
      return Status::OK();
    };
    ARROW_RETURN_NOT_OK(VisitRows(request, rows, &next_taken, copy));
  }
  return Status::OK();
}

/// Where the rows of a page begin, as they stand in the file: one entry more than there are rows.
class RowOffsets final : public PageIndex {
 public:
  RowOffsets(std::shared_ptr<arrow::Buffer> bytes, int64_t width, uint64_t data_size)
      : bytes_(std::move(bytes)), width_(width), data_size_(data_size) {}

  /// Where `rows` lie. Corrupt if that is not inside the data.
  Result<io::ByteRange> Find(RowRange rows) const {
    const uint64_t begin = At(rows.begin);
    const uint64_t end = At(rows.end);
    if (begin > end || end > data_size_) {
      return Corrupt("full-zip page of ", data_size_, " bytes puts rows ", rows.begin, " to ",
                     rows.end, " at [", begin, ", ", end, ")");
    }
    return io::ByteRange{.offset = static_cast<int64_t>(begin),
                         .length = static_cast<int64_t>(end - begin)};
  }

 private:
  uint64_t At(int64_t i) const {
    uint64_t value = 0;
    std::memcpy(&value, bytes_->data() + i * width_, width_);
    return value;
  }

  std::shared_ptr<arrow::Buffer> bytes_;
  int64_t width_;
  uint64_t data_size_;
};

/// Rows of any width, found by an index of their beginnings.
class VariableFullZipPage final : public Page {
 public:
  /// `values` is null if values stand as they are.
  VariableFullZipPage(ControlWord control, std::unique_ptr<const SingleValueDecoder> values,
                      int64_t length_width, int64_t index_width, io::ByteRange data,
                      io::ByteRange index)
      : control_(control),
        values_(std::move(values)),
        length_width_(length_width),
        index_width_(index_width),
        data_(data),
        index_(index) {}

  Status CheckShape(const ValueShape& shape) const override {
    if (shape.is_variable) return Status::OK();
    return Corrupt("full-zip page holds values of any length, the column's type does not");
  }
  std::vector<io::ByteRange> index_ranges() const override { return {index_}; }
  Result<std::unique_ptr<const PageIndex>> ParseIndex(
      std::span<const std::shared_ptr<arrow::Buffer>> bytes,
      arrow::MemoryPool* /*pool*/) const override {
    return std::make_unique<RowOffsets>(bytes[0], index_width_, data_.length);
  }
  Status Plan(const PageIndex* index, const PageRequest& request,
              std::vector<PlannedRead>* reads) const override {
    const auto& offsets = static_cast<const RowOffsets&>(*index);
    return VisitRuns(request, [&](RowRange rows) -> Status {
      ARROW_ASSIGN_OR_RAISE(io::ByteRange bytes, offsets.Find(rows));
      bytes.offset += data_.offset;
      reads->push_back({.bytes = bytes, .units = rows});
      return Status::OK();
    });
  }
  Status Decode(const PageIndex* index, const PageRequest& request,
                std::span<const PlannedRead> reads,
                std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                ColumnOutput* out) const override;

 private:
  template <typename Length>
  Status DecodeAs(const RowOffsets& offsets, const PageRequest& request,
                  std::span<const PlannedRead> reads,
                  std::span<const std::shared_ptr<arrow::Buffer>> bytes, ColumnOutput* out) const;
  /// The value in the `row` bytes of a row; no data pointer if it is null.
  Result<std::span<const uint8_t>> Value(std::span<const uint8_t> row) const;

  ControlWord control_;
  std::unique_ptr<const SingleValueDecoder> values_;
  int64_t length_width_;
  int64_t index_width_;
  io::ByteRange data_;
  io::ByteRange index_;
};

Result<std::span<const uint8_t>> VariableFullZipPage::Value(std::span<const uint8_t> row) const {
  if (row.size() < static_cast<size_t>(control_.width())) {
    return Corrupt("full-zip row of ", row.size(), " bytes has no level");
  }
  ARROW_ASSIGN_OR_RAISE(const bool is_null, control_.IsNull(row.data()));
  if (is_null) return std::span<const uint8_t>();
  row = row.subspan(control_.width());
  uint64_t length = 0;
  if (row.size() >= static_cast<size_t>(length_width_)) {
    std::memcpy(&length, row.data(), length_width_);
    row = row.subspan(length_width_);
    if (row.size() == length) return row;
  }
  return Corrupt("full-zip row has ", row.size(), " bytes for a value of ", length);
}

template <typename Length>
Status VariableFullZipPage::DecodeAs(const RowOffsets& offsets, const PageRequest& request,
                                     std::span<const PlannedRead> reads,
                                     std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                                     ColumnOutput* out) const {
  ARROW_ASSIGN_OR_RAISE(uint8_t* raw_lengths, out->MutableLengths());
  auto* lengths = reinterpret_cast<Length*>(raw_lengths);
  size_t next_taken = 0;
  for (size_t i = 0; i < reads.size(); ++i) {
    const int64_t begin = reads[i].bytes.offset - data_.offset;
    const std::span<const uint8_t> run(bytes[i]->data(), bytes[i]->size());
    const auto add = [&](int64_t row, int64_t position) -> Status {
      ARROW_ASSIGN_OR_RAISE(const io::ByteRange at, offsets.Find({.begin = row, .end = row + 1}));
      const int64_t offset = at.offset - begin;
      if (offset < 0 || offset + at.length > static_cast<int64_t>(run.size())) {
        return Corrupt("full-zip page puts row ", row, " at ", at.offset, ", out of order");
      }
      ARROW_ASSIGN_OR_RAISE(auto value, Value(run.subspan(offset, at.length)));
      if (value.data() == nullptr) {
        ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
        ClearBit(validity, position);
        return Status::OK();
      }
      if (values_ != nullptr) {
        ARROW_ASSIGN_OR_RAISE(auto decoded, values_->Decode(value, out->pool()));
        value = {decoded->data(), static_cast<size_t>(decoded->size())};
        out->Keep(std::move(decoded));
      }
      if (value.size() > static_cast<uint64_t>(std::numeric_limits<Length>::max())) {
        return Corrupt("full-zip row ", row, " has ", value.size(), " bytes");
      }
      lengths[position + 1] = static_cast<Length>(value.size());
      out->AddRun(position, 1, value.data());
      return Status::OK();
    };
    ARROW_RETURN_NOT_OK(VisitRows(request, reads[i].units, &next_taken, add));
    out->Keep(bytes[i]);
  }
  return Status::OK();
}

Status VariableFullZipPage::Decode(const PageIndex* index, const PageRequest& request,
                                   std::span<const PlannedRead> reads,
                                   std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                                   ColumnOutput* out) const {
  const auto& offsets = static_cast<const RowOffsets&>(*index);
  return out->shape().bits == 32 ? DecodeAs<int32_t>(offsets, request, reads, bytes, out)
                                 : DecodeAs<int64_t>(offsets, request, reads, bytes, out);
}

Result<std::unique_ptr<const Page>> MakeVariable(const FullZipLayout& layout, int64_t num_rows,
                                                 std::span<const io::ByteRange> buffers) {
  ARROW_ASSIGN_OR_RAISE(auto values, MakeSingleValueDecoder(layout.values));
  if (layout.bits != 32 && layout.bits != 64) {
    return Corrupt("full-zip page with lengths of ", layout.bits, " bits");
  }
  if (buffers.size() != 2) return Corrupt("full-zip page with ", buffers.size(), " buffers");
  const int64_t index_size = buffers[1].length;
  const int64_t width = index_size / (num_rows + 1);
  if ((width != 1 && width != 2 && width != 4 && width != 8) || index_size % (num_rows + 1) != 0) {
    return Corrupt("full-zip page of ", num_rows, " rows has an index of ", index_size, " bytes");
  }
  return std::make_unique<VariableFullZipPage>(ControlWord(layout.bits_def), std::move(values),
                                               layout.bits / 8, width, buffers[0], buffers[1]);
}

Result<std::unique_ptr<const Page>> MakeFixed(const FullZipLayout& layout, int64_t num_rows,
                                              std::span<const io::ByteRange> buffers) {
  ARROW_ASSIGN_OR_RAISE(ListLayers lists, ListLayers::Of(layout.values));
  const ValueEncoding& items = lists.items;
  if (items.kind != ValueEncoding::Kind::kFlat) {
    return Unsupported("encoding ", EncodingName(items.kind),
                       " in full-zip pages is not supported yet");
  }
  if (items.bits == 1) {
    return Unsupported("booleans in full-zip pages are not supported yet");
  }
  const auto items_per_row = static_cast<uint64_t>(lists.items_per_row);
  const auto bitmap_bits = static_cast<uint64_t>(FixedFullZipPage::BitmapsWidth(lists)) * 8;
  if (items.bits == 0 || items.bits % 8 != 0 || layout.bits == 0 || items.bits > layout.bits ||
      items.bits * items_per_row + bitmap_bits != layout.bits) {
    return Corrupt("full-zip page of ", layout.bits, " bits a row holds ", lists.items_per_row,
                   " x ", items.bits, " and ", bitmap_bits, " of validity");
  }
  if (buffers.size() != 1) return Corrupt("full-zip page with ", buffers.size(), " buffers");
  const ControlWord control(layout.bits_def);
  if (num_rows > buffers[0].length / (control.width() + layout.bits / 8)) {
    return Corrupt("full-zip page of ", num_rows, " rows has ", buffers[0].length, " bytes");
  }
  return std::make_unique<FixedFullZipPage>(control, std::move(lists), buffers[0]);
}

}  // namespace

Result<std::unique_ptr<const Page>> MakeFullZipPage(const FullZipLayout& layout, int64_t num_rows,
                                                    std::span<const io::ByteRange> buffers) {
  if (layout.num_items != static_cast<uint64_t>(num_rows)) {
    return Corrupt("full-zip page of ", num_rows, " rows claims ", layout.num_items, " values");
  }
  if (layout.bits_def > 16) {
    return Corrupt("full-zip page with definition levels of ", layout.bits_def, " bits");
  }
  return layout.is_variable ? MakeVariable(layout, num_rows, buffers)
                            : MakeFixed(layout, num_rows, buffers);
}

}  // namespace tusk::lance
