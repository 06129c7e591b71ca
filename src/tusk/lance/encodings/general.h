#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

class ValueEncoder;

/// General compression: the first buffer of each chunk of the encoding inside is compressed, see
/// Decompress.
Result<std::unique_ptr<const ValueDecoder>> MakeGeneralDecoder(
    const ValueEncoding& encoding, std::unique_ptr<const ValueDecoder> values);

/// Stores what `values` makes as that decoder reads it, compressed in LZ4 or ZSTD; `level` as in
/// Compress. For pages where a CompressionSample pays.
std::unique_ptr<ValueEncoder> MakeGeneralEncoder(ValueEncoding::Compression compression,
                                                 std::optional<int> level,
                                                 std::unique_ptr<ValueEncoder> values);

/// What compression does to the first buffers of some chunks.
struct CompressionSample {
  int64_t plain_bytes = 0;
  int64_t stored_bytes = 0;
  /// What is left of a byte.
  double ratio() const {
    return plain_bytes == 0 ? 1
                            : static_cast<double>(stored_bytes) / static_cast<double>(plain_bytes);
  }
  /// Whether to compress the page. Not for less than 4 KiB of it, as in the reference writer, which
  /// looks at all chunks.
  bool pays() const { return stored_bytes < plain_bytes && plain_bytes >= 4096; }
};

/// Compresses up to 16 chunks of `values` from all over `page`, or all if there are fewer.
Result<CompressionSample> SampleCompression(ValueEncoding::Compression compression,
                                            std::optional<int> level, const RowsView& page,
                                            ValueEncoder* values, arrow::MemoryPool* pool);

}  // namespace tusk::lance
