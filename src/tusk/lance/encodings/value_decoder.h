#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/encodings/value_encoding.h"
#include "tusk/lance/encodings/value_shape.h"

namespace tusk::lance {

/// The value buffers of one mini-block chunk, as they stand in the file.
struct EncodedChunk {
  std::span<const std::span<const uint8_t>> buffers;
  int64_t num_values = 0;
};

/// Decodes the values of mini-block chunks that share one encoding. Null rows have a value too,
/// which is decoded like any other. Stateless: threads share one object.
class ValueDecoder {
 public:
  virtual ~ValueDecoder() = default;
  /// Buffers of each chunk.
  virtual size_t num_buffers() const = 0;
  /// Bytes that the chunks of `num_values` values have at the least, so that a claim of many values
  /// in a small page is refused before memory is allocated for them.
  virtual uint64_t MinBytes(uint64_t num_values) const = 0;
  /// Corrupt if what is decoded cannot become values of `shape`.
  virtual Status CheckShape(const ValueShape& shape) const = 0;
  /// Decodes `rows` of the chunk into the output from `position` on. The chunk's bytes must stay
  /// until ColumnOutput::Finish. Corrupt if the chunk breaks the layout.
  virtual Status DecodeInto(const EncodedChunk& chunk, RowRange rows, int64_t position,
                            ColumnOutput* out) const = 0;
  /// The same for single rows; row 0 of the chunk has the number `first_row`.
  virtual Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows,
                            int64_t first_row, ColumnOutput* out) const = 0;

  /// Has the processor fetch what GatherInto of these rows will look at, and waits for none of it:
  /// that takes longer than what is done with it, unless many chunks are fetched at once. First
  /// step 0, then the others, which need what the steps before have fetched. Tells nothing of a
  /// chunk that breaks the layout.
  virtual void Prefetch(const EncodedChunk& /*chunk*/, std::span<const TakenRow> /*rows*/,
                        int64_t /*first_row*/, int /*step*/) const {}
  static constexpr int kPrefetchSteps = 2;
};

/// The decoder for mini-block chunks of `encoding`. Unsupported, by name, for one that is not
/// covered.
Result<std::unique_ptr<const ValueDecoder>> MakeValueDecoder(const ValueEncoding& encoding);

}  // namespace tusk::lance
