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

/// Unsupported if one of the items [first, first + count) of `items` is null.
Status CheckItems(const arrow::ArrayData& items, int64_t first, int64_t count) {
  const uint8_t* validity = ValidityOf(items);
  if (validity == nullptr || CountZeroBits(validity, items.offset + first, count) == 0) {
    return Status::OK();
  }
  return Unsupported("fixed-size lists with null items are not supported yet");
}

}  // namespace

Result<RowsView> RowsView::Of(const arrow::ArrayData& array, const ValueShape& shape) {
  RowsView view;
  view.shape = &shape;
  view.num_rows = array.length;
  if (array.length == 0) return view;
  const auto missing = [](std::string_view what) {
    return InvalidArgument("array of rows has no buffer of ", what);
  };
  view.validity = ValidityOf(array);
  view.validity_bit = array.offset;
  if (shape.is_variable) {
    if (array.buffers[1] == nullptr) return missing("offsets");
    view.offsets = array.buffers[1]->data() + array.offset * (shape.bits / 8);
    view.values = DataOf(array.buffers[2]);
    return view;
  }
  const arrow::ArrayData* items = &array;
  int64_t first = array.offset;
  int64_t items_per_row = 1;
  for (const int32_t size : shape.list_sizes) {
    first *= size;
    items_per_row *= size;
    items = items->child_data[0].get();
    if (ValidityOf(*items) != nullptr) {
      // What stands under a null list may be null itself.
      for (int64_t row = 0; row < view.num_rows; ++row) {
        if (view.IsNull(row)) continue;
        ARROW_RETURN_NOT_OK(CheckItems(*items, first + row * items_per_row, items_per_row));
      }
    }
    first += items->offset;
  }
  view.values = DataOf(items->buffers[1]);
  if (view.values == nullptr) return missing("values");
  view.values_bit = first * shape.bits;
  return view;
}

RowsView RowsView::Slice(RowRange rows) const {
  RowsView slice = *this;
  slice.num_rows = rows.length();
  slice.validity_bit += rows.begin;
  if (shape->is_variable) {
    slice.offsets += rows.begin * (shape->bits / 8);
  } else {
    slice.values_bit += rows.begin * shape->row_bits();
  }
  return slice;
}

int64_t RowsView::ArrowBytes(int64_t rows) const {
  const int64_t validity_bytes = validity == nullptr ? 0 : BytesForBits(rows);
  if (!shape->is_variable) return BytesForBits(rows * shape->row_bits()) + validity_bytes;
  return Offset(rows) - Offset(0) + rows * (shape->bits / 8) + validity_bytes;
}

}  // namespace tusk::lance
