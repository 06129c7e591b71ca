#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_encoding.h"
#include "tusk/lance/encodings/value_shape.h"

namespace tusk::lance {

class ValueEncoder;

/// The fixed-size lists around the items of an encoding: lists are stored as more items in a row.
/// A list layer whose items may be null has a bitmap of them.
struct ListLayers {
  struct Layer {
    int64_t items_per_row = 1;  ///< of this layer, for one row of the column
    bool has_validity = false;
  };
  std::vector<Layer> layers;  ///< outer-most first; empty for plain values
  int64_t items_per_row = 1;  ///< of the inner-most layer
  ValueEncoding items;        ///< the encoding within

  /// Corrupt for lists of no items, or of more than 2^31 in a row.
  static Result<ListLayers> Of(const ValueEncoding& encoding);

  /// Layers that have a bitmap.
  size_t num_bitmaps() const;
  /// Corrupt if `shape` is not that of these lists around items of `item_bits` bits.
  Status CheckShape(const ValueShape& shape, int64_t item_bits) const;
  /// The same for items that are all null and may themselves be lists.
  Status CheckOuterShape(const ValueShape& shape) const;
  /// Copies the item validity of `rows` to the output from `position` on; `bitmaps` has a bitmap
  /// for each layer that has one, of which row 0 is the first. Corrupt if one is too short.
  Status DecodeBitmaps(std::span<const std::span<const uint8_t>> bitmaps, RowRange rows,
                       int64_t position, ColumnOutput* out) const;
};

/// Stores the fixed-size lists of one page, whose items may be null: the bitmaps of the layers of
/// `page` in which an item is null, outer-most first, then the flat items. What stands under a null
/// item becomes zero. A chunk has as many rows as stay below kMaxChunkValues and kMaxChunkBytes
/// with the bitmaps, but at least two, or eight if a row is not of whole bytes.
std::unique_ptr<ValueEncoder> MakeFixedSizeListEncoder(const RowsView& page);

}  // namespace tusk::lance
