#pragma once

#include <cstdint>
#include <memory>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// Variable: for n values n + 1 offsets of 32 or 64 bits, counted from the start of the buffer (so
/// the first is (n + 1) * width), then the bytes. One buffer.
/// Unsupported if the offsets are encoded in another way.
Result<std::unique_ptr<const ValueDecoder>> MakeVariableDecoder(const ValueEncoding& encoding);

/// How values of any length are described when they are stored with offsets of `offset_bits`.
ValueEncoding VariableEncoding(int64_t offset_bits);

/// Bytes of a chunk of `rows`, its null rows being empty; a multiple of the offsets' width.
int64_t EncodedVariableSize(const RowsView& rows);

/// Writes such a chunk to `to`, which has EncodedVariableSize bytes.
void EncodeVariable(const RowsView& rows, uint8_t* to);

}  // namespace tusk::lance
