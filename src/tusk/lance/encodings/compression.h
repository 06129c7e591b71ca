#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <arrow/buffer_builder.h>
#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// Decompresses `bytes`: the length of the result, 32 bits for LZ4 and 64 for ZSTD, and then an LZ4
/// block or a ZSTD frame. No bytes at all stand for an empty result. Corrupt if the length is above
/// `max_size`, or is not that of the result. Memory is taken as far as the bytes can fill it.
Result<std::shared_ptr<arrow::Buffer>> Decompress(ValueEncoding::Compression compression,
                                                  std::span<const uint8_t> bytes, uint64_t max_size,
                                                  arrow::MemoryPool* pool);

/// The part of such `bytes` that is their result as it stands, as ZSTD leaves what does not get
/// smaller: the content of a frame of one raw block. Nothing if they must be decompressed, or are
/// broken.
std::optional<std::span<const uint8_t>> FindUncompressed(ValueEncoding::Compression compression,
                                                         std::span<const uint8_t> bytes);

/// Compresses `bytes` to what Decompress reads; never to no bytes. `level` is that of ZSTD, its
/// default for none and for 0; LZ4 has none. InvalidArgument for an unknown compression, and for
/// more bytes than an LZ4 block holds, 2,113,929,216.
Result<std::shared_ptr<arrow::Buffer>> Compress(ValueEncoding::Compression compression,
                                                std::optional<int> level,
                                                std::span<const uint8_t> bytes,
                                                arrow::MemoryPool* pool);

/// The same, appended to `out`.
Status AppendCompressed(ValueEncoding::Compression compression, std::optional<int> level,
                        std::span<const uint8_t> bytes, arrow::BufferBuilder* out);

/// How many bytes one compressed byte can become.
uint64_t MaxExpansion(ValueEncoding::Compression compression);

}  // namespace tusk::lance
