#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/block.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"
#include "tusk/lance/encodings/value_shape.h"

namespace tusk::lance {

/// Decodes chunks of indices into the values that they stand for. Null rows have an index too, of
/// any value. The items are the page's, decoded once; this is stateless.
class DictionaryDecoder {
 public:
  /// `indices` decodes the chunks, `items` describes the block of values. Corrupt if the indices
  /// are no integers.
  static Result<DictionaryDecoder> Make(const ValueDecoder& indices, ValueEncoding items,
                                        uint64_t num_items);

  /// Corrupt if the items cannot become values of `shape`.
  Status CheckShape(const ValueShape& shape) const;
  /// Decodes the items.
  Result<Block> DecodeItems(const std::shared_ptr<arrow::Buffer>& bytes,
                            arrow::MemoryPool* pool) const;

  int64_t num_items() const { return num_items_; }
  /// Copies all items to the output from `position` on.
  static Status CopyItems(const Block& items, int64_t position, ColumnOutput* out);
  /// As DecodeInto, but gives the indices themselves, counted on from `first`, as 32-bit words.
  Status DecodeIndices(const ValueDecoder& indices, const EncodedChunk& chunk, RowRange rows,
                       int64_t position, int32_t first, ColumnOutput* out) const;

  /// As ValueDecoder::DecodeInto. Corrupt for an index that is none of the items'.
  Status DecodeInto(const ValueDecoder& indices, const Block& items, const EncodedChunk& chunk,
                    RowRange rows, int64_t position, ColumnOutput* out) const;
  /// As ValueDecoder::GatherInto.
  Status GatherInto(const ValueDecoder& indices, const Block& items, const EncodedChunk& chunk,
                    std::span<const TakenRow> rows, int64_t first_row, ColumnOutput* out) const;

 private:
  DictionaryDecoder(ValueShape index_shape, ValueEncoding items, ValueShape item_shape,
                    int64_t num_items);

  ValueShape index_shape_;
  ValueEncoding items_;
  ValueShape item_shape_;
  int64_t num_items_;
};

}  // namespace tusk::lance
