#include "tusk/lance/encodings/rows_view.h"

#include <string_view>

#include <arrow/array/data.h>
#include <arrow/buffer.h>

namespace tusk::lance {
namespace {

const uint8_t* DataOf(const std::shared_ptr<arrow::Buffer>& buffer) {
  return buffer == nullptr ? nullptr : buffer->data();
}

/// The bitmap of `array`, or null if it has no null.
const uint8_t* ValidityOf(const arrow::ArrayData& array) {
  return array.MayHaveNulls() ? DataOf(array.buffers[0]) : nullptr;
}

/// Whether a list in a valid row has a null among its items in `bitmap`.
bool HasNullItem(const RowsView& rows, const ItemBitmap& bitmap, int64_t items_per_row) {
  const auto count_nulls = [&](int64_t row, int64_t num_rows) {
    return CountZeroBits(bitmap.bits, bitmap.first_bit + row * items_per_row,
                         num_rows * items_per_row);
  };
  if (bitmap.bits == nullptr || count_nulls(0, rows.num_rows) == 0) return false;
  // What stands under a null list may be null itself.
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    if (!rows.IsNull(row) && count_nulls(row, 1) > 0) return true;
  }
  return false;
}

}  // namespace

Result<RowsView> RowsView::Of(const arrow::ArrayData& array, const ValueShape& shape,
                              std::span<const ItemBitmap> item_bitmaps) {
  RowsView view;
  view.shape = &shape;
  view.num_rows = array.length;
  if (array.length == 0) return view;
  const auto missing = [](std::string_view what) {
    return InvalidArgument("array of rows has no buffer of ", what);
  };
  view.validity = ValidityOf(array);
  view.validity_bit = array.offset;
  if (shape.is_nothing()) return view;
  if (shape.is_variable) {
    if (array.buffers[1] == nullptr) return missing("offsets");
    view.offsets = array.buffers[1]->data() + array.offset * (shape.bits / 8);
    view.values = DataOf(array.buffers[2]);
    return view;
  }
  view.item_bitmaps = item_bitmaps;
  if (item_bitmaps.empty() && !ItemBitmapsOf(array, shape).empty()) {
    return Unsupported("fixed-size lists with null items are not supported yet");
  }
  const arrow::ArrayData* items = &array;
  int64_t first = array.offset;
  for (const int32_t size : shape.list_sizes) {
    items = items->child_data[0].get();
    first = first * size + items->offset;
  }
  view.values = DataOf(items->buffers[1]);
  if (view.values == nullptr) return missing("values");
  view.values_bit = first * shape.bits;
  return view;
}

std::vector<ItemBitmap> RowsView::ItemBitmapsOf(const arrow::ArrayData& array,
                                                const ValueShape& shape) {
  RowsView rows;
  rows.num_rows = array.length;
  rows.validity = ValidityOf(array);
  rows.validity_bit = array.offset;
  std::vector<ItemBitmap> bitmaps;
  bool has_nulls = false;
  const arrow::ArrayData* items = &array;
  int64_t first = array.offset;
  for (size_t layer = 0; layer < shape.list_sizes.size(); ++layer) {
    items = items->child_data[0].get();
    first = first * shape.list_sizes[layer] + items->offset;
    bitmaps.push_back({.bits = ValidityOf(*items), .first_bit = first});
    has_nulls = has_nulls || HasNullItem(rows, bitmaps.back(), shape.ItemsPerRow(layer));
  }
  if (!has_nulls) bitmaps.clear();
  return bitmaps;
}

RowsView RowsView::Slice(RowRange rows) const {
  RowsView slice = *this;
  slice.num_rows = rows.length();
  slice.validity_bit += rows.begin;
  slice.first_row += rows.begin;
  if (shape->is_variable) {
    slice.offsets += rows.begin * (shape->bits / 8);
  } else {
    slice.values_bit += rows.begin * shape->row_bits();
  }
  return slice;
}

int64_t RowsView::RowAt(int64_t position, int64_t begin) const {
  int64_t end = num_rows;
  while (begin < end) {
    const int64_t middle = begin + (end - begin) / 2;
    if (Offset(middle + 1) <= position) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

int64_t RowsView::ArrowBytes(int64_t rows) const {
  const int64_t validity_bytes = validity == nullptr ? 0 : BytesForBits(rows);
  if (!shape->is_variable) {
    int64_t bytes = BytesForBits(rows * shape->row_bits()) + validity_bytes;
    for (size_t layer = 0; layer < item_bitmaps.size(); ++layer) {
      if (item_bitmaps[layer].bits == nullptr) continue;
      bytes += BytesForBits(rows * shape->ItemsPerRow(layer));
    }
    return bytes;
  }
  return Offset(rows) - Offset(0) + rows * (shape->bits / 8) + validity_bytes;
}

}  // namespace tusk::lance
