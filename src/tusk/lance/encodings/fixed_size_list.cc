#include "tusk/lance/encodings/fixed_size_list.h"

#include <algorithm>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/value_encoder.h"

namespace tusk::lance {
namespace {

constexpr uint64_t kMaxItemsPerRow = uint64_t{1} << 31;

class FixedSizeListEncoder final : public ValueEncoder {
 public:
  explicit FixedSizeListEncoder(const RowsView& page)
      : encoding_(FlatEncoding(*page.shape)), row_bits_(page.shape->row_bits()) {
    ValueEncoding* layer_encoding = &encoding_;
    for (size_t layer = 0; layer < page.item_bitmaps.size(); ++layer) {
      const int64_t items = page.shape->ItemsPerRow(layer);
      const uint8_t* bits = page.item_bitmaps[layer].bits;
      if (bits != nullptr &&
          CountZeroBits(bits, page.FirstItemBit(layer), page.num_rows * items) > 0) {
        layer_encoding->has_validity = true;
        bitmaps_.push_back({.layer = layer, .items_per_row = items});
      }
      layer_encoding = layer_encoding->children.data();
    }
    chunk_rows_ = row_bits_ % 8 == 0 ? 2 : 8;
    while (2 * chunk_rows_ <= kMaxChunkValues && ChunkBytes(2 * chunk_rows_) < kMaxChunkBytes) {
      chunk_rows_ *= 2;
    }
  }

  const ValueEncoding& encoding() const override { return encoding_; }
  size_t num_buffers() const override { return bitmaps_.size() + 1; }
  int64_t ChunkRows(const RowsView& rest) const override {
    return std::min(chunk_rows_, rest.num_rows);
  }

  Status EncodeChunk(const RowsView& rows, std::span<arrow::BufferBuilder> out) override {
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, Append(rows.num_rows * row_bits_, &out.back()));
    EncodeFlat(rows, values);
    for (size_t i = 0; i < bitmaps_.size(); ++i) {
      const auto& [layer, items_per_row] = bitmaps_[i];
      const int64_t items = rows.num_rows * items_per_row;
      ARROW_ASSIGN_OR_RAISE(uint8_t* bits, Append(items, &out[i]));
      CopyBits(rows.item_bitmaps[layer].bits, rows.FirstItemBit(layer), items, bits, 0);
      const int64_t item_bits = row_bits_ / items_per_row;
      for (int64_t item = 0; item < items; ++item) {
        if (!GetBit(bits, item)) ClearBits(values, item * item_bits, item_bits);
      }
    }
    return Status::OK();
  }

 private:
  /// A layer of lists that has null items.
  struct Bitmap {
    size_t layer;
    int64_t items_per_row;
  };

  int64_t ChunkBytes(int64_t rows) const {
    int64_t bytes = BytesForBits(rows * row_bits_);
    for (const Bitmap& bitmap : bitmaps_) bytes += BytesForBits(rows * bitmap.items_per_row);
    return bytes;
  }

  /// Room for `bits` behind what is there, the last byte zero.
  static Result<uint8_t*> Append(int64_t bits, arrow::BufferBuilder* out) {
    const int64_t size = BytesForBits(bits);
    ARROW_RETURN_NOT_OK(out->Reserve(size));
    uint8_t* to = out->mutable_data() + out->length();
    if (size > 0) to[size - 1] = 0;
    out->UnsafeAdvance(size);
    return to;
  }

  ValueEncoding encoding_;
  int64_t row_bits_;
  int64_t chunk_rows_;
  std::vector<Bitmap> bitmaps_;
};

}  // namespace

Result<ListLayers> ListLayers::Of(const ValueEncoding& encoding) {
  ListLayers lists;
  const ValueEncoding* items = &encoding;
  while (items->kind == ValueEncoding::Kind::kFixedSizeList) {
    const auto before = static_cast<uint64_t>(lists.items_per_row);
    if (items->children.size() != 1 || items->items == 0 ||
        items->items > kMaxItemsPerRow / before) {
      return Corrupt("encoding fixed_size_list of ", items->items, " items");
    }
    lists.items_per_row = static_cast<int64_t>(before * items->items);
    lists.layers.push_back(
        {.items_per_row = lists.items_per_row, .has_validity = items->has_validity});
    items = &items->children[0];
  }
  lists.items = *items;
  return lists;
}

size_t ListLayers::num_bitmaps() const {
  return std::ranges::count(layers, true, &Layer::has_validity);
}

Status ListLayers::CheckShape(const ValueShape& shape, int64_t item_bits) const {
  if (shape.bits == item_bits && shape.items_per_row == items_per_row &&
      shape.list_sizes.size() == layers.size()) {
    return CheckOuterShape(shape);
  }
  return Corrupt("a value has ", items_per_row, " x ", item_bits, " bits in ", layers.size(),
                 " layers of lists, which the column's type does not");
}

Status ListLayers::CheckOuterShape(const ValueShape& shape) const {
  bool is_same = !shape.is_variable && shape.list_sizes.size() >= layers.size();
  int64_t items = 1;
  for (size_t i = 0; is_same && i < layers.size(); ++i) {
    items *= shape.list_sizes[i];
    is_same = items == layers[i].items_per_row;
  }
  if (is_same) return Status::OK();
  return Corrupt("a value has ", items_per_row, " items in ", layers.size(),
                 " layers of lists, which the column's type does not");
}

Status ListLayers::DecodeBitmaps(std::span<const std::span<const uint8_t>> bitmaps, RowRange rows,
                                 int64_t position, ColumnOutput* out) const {
  size_t next = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].has_validity) continue;
    const std::span<const uint8_t> bitmap = bitmaps[next++];
    const int64_t items = layers[i].items_per_row;
    if (static_cast<int64_t>(bitmap.size()) < BytesForBits(rows.end * items)) {
      return Corrupt("bitmap of ", bitmap.size(), " bytes for ", rows.end, " lists of ", items,
                     " items");
    }
    ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableItemValidity(i));
    CopyBits(bitmap.data(), rows.begin * items, rows.length() * items, validity, position * items);
  }
  return Status::OK();
}

std::unique_ptr<ValueEncoder> MakeFixedSizeListEncoder(const RowsView& page) {
  return std::make_unique<FixedSizeListEncoder>(page);
}

}  // namespace tusk::lance
