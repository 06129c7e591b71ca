#pragma once

#include <cstdint>
#include <memory>
#include <span>

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

/// How many bytes one compressed byte can become.
uint64_t MaxExpansion(ValueEncoding::Compression compression);

}  // namespace tusk::lance
