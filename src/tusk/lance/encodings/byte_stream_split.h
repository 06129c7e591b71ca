#pragma once

#include <memory>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

class ValueEncoder;

/// Byte stream split: the first bytes of all values of a chunk, then all second bytes, and so on;
/// of flat values with 32 or 64 bits. One buffer.
Result<std::unique_ptr<const ValueDecoder>> MakeByteStreamSplitDecoder(
    const ValueEncoding& encoding);

/// Stores values of `bits` bits, 32 or 64, as that decoder reads them, 4 KiB of them in a chunk.
std::unique_ptr<ValueEncoder> MakeByteStreamSplitEncoder(int64_t bits);

}  // namespace tusk::lance
