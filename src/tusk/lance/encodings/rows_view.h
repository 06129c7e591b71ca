#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/little_endian.h"
#include "tusk/base/result.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/encodings/value_shape.h"

namespace tusk::lance {

/// Which items of one layer of fixed-size lists are null. Borrows the bits.
struct ItemBitmap {
  const uint8_t* bits = nullptr;  ///< null if none is
  int64_t first_bit = 0;          ///< of the first item
};

/// Rows of one column in memory, to be encoded. Borrows everything.
struct RowsView {
  const ValueShape* shape = nullptr;
  int64_t num_rows = 0;
  const uint8_t* validity = nullptr;  ///< null if every row is valid
  int64_t validity_bit = 0;           ///< of the first row
  const uint8_t* values = nullptr;    ///< fixed: packed values. Variable: what the offsets count in
  int64_t values_bit = 0;             ///< fixed: the first bit of the first row
  const uint8_t* offsets = nullptr;   ///< variable: num_rows + 1 of shape->bits bits
  /// Fixed-size lists: one for each layer, outer-most first; empty if no item is null.
  std::span<const ItemBitmap> item_bitmaps = {};
  int64_t first_row = 0;  ///< of these rows among those whose items the bitmaps tell of

  /// Rows of an array with this shape; `item_bitmaps` as ItemBitmapsOf finds them. Unsupported if a
  /// valid fixed-size list has a null item and there are none.
  static Result<RowsView> Of(const arrow::ArrayData& array, const ValueShape& shape,
                             std::span<const ItemBitmap> item_bitmaps = {});

  /// The bitmaps of an array of fixed-size lists, for `Of`. Empty if no valid list has a null item.
  static std::vector<ItemBitmap> ItemBitmapsOf(const arrow::ArrayData& array,
                                               const ValueShape& shape);

  RowsView Slice(RowRange rows) const;
  bool IsNull(int64_t row) const {
    return validity != nullptr && !GetBit(validity, validity_bit + row);
  }
  int64_t CountNulls() const {
    return validity == nullptr ? 0 : CountZeroBits(validity, validity_bit, num_rows);
  }
  /// Variable shapes.
  int64_t Offset(int64_t row) const {
    return shape->bits == 32 ? LoadLittle<int32_t>(offsets + row * 4)
                             : LoadLittle<int64_t>(offsets + row * 8);
  }
  int64_t Length(int64_t row) const { return Offset(row + 1) - Offset(row); }
  /// The first row of [begin, num_rows) that ends behind `position` in `values`; num_rows if none
  /// does.
  int64_t RowAt(int64_t position, int64_t begin) const;
  /// The bit, in the bitmap of list layer `layer`, of the first item of the first row.
  int64_t FirstItemBit(size_t layer) const {
    return item_bitmaps[layer].first_bit + first_row * shape->ItemsPerRow(layer);
  }
  /// Bytes of Arrow memory that the first `rows` rows take.
  int64_t ArrowBytes(int64_t rows) const;
};

}  // namespace tusk::lance
