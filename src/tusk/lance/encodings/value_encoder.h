#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <arrow/buffer_builder.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// Values in a chunk at most; readers take more, the reference writer makes no more.
inline constexpr int64_t kMaxChunkValues = 4096;
/// Bytes that the fixed-width values of a chunk stay below, so that a chunk is about two sectors.
inline constexpr int64_t kMaxChunkBytes = 8186;

/// Encodes the values of one page in mini-block chunks, as a ValueDecoder of `encoding()` reads
/// them. Rows given to it have no bitmap: under a null stands zero or an empty text. Used by one
/// thread.
class ValueEncoder {
 public:
  virtual ~ValueEncoder() = default;
  /// What the metadata of the page says of the values.
  virtual const ValueEncoding& encoding() const = 0;
  /// Buffers of each chunk.
  virtual size_t num_buffers() const = 0;
  /// Rows of `rest`, which has at least one, that the next chunk takes: all of them, or a power of
  /// two above one.
  virtual int64_t ChunkRows(const RowsView& rest) const = 0;
  /// Appends the buffers of a chunk of `rows`, as many as ChunkRows said or fewer, to `out`:
  /// num_buffers() builders, empty at first.
  virtual Status EncodeChunk(const RowsView& rows, std::span<arrow::BufferBuilder> out) = 0;
};

}  // namespace tusk::lance
