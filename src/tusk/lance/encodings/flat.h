#pragma once

#include <cstdint>
#include <memory>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/fixed_size_list.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

class ValueEncoder;

/// Flat: the values as they are in memory, `lists.items_per_row` items for each row, without gaps
/// between rows, booleans one bit each. One buffer, behind one for each bitmap of the lists.
/// Unsupported for items that are neither of 1 bit nor of whole bytes.
Result<std::unique_ptr<const ValueDecoder>> MakeFlatDecoder(ListLayers lists);

/// How values of a fixed shape are described when they are stored flat, packed structs included.
ValueEncoding FlatEncoding(const ValueShape& shape);

/// Stores values of a fixed shape, at least one bit each and lists without null items, as that
/// decoder reads them. A chunk has
/// as many rows as stay below kMaxChunkValues and kMaxChunkBytes, but at least two, or eight if a
/// row is not of whole bytes. One buffer.
std::unique_ptr<ValueEncoder> MakeFlatEncoder(const ValueShape& shape);

/// Writes the values of all `rows` to `to`, which has BytesForBits(num_rows * row_bits) bytes; the
/// bits that fill the last byte become zero.
void EncodeFlat(const RowsView& rows, uint8_t* to);

}  // namespace tusk::lance
