#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/lance/encodings/value_encoding.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {

/// What the decoders of any bytes may take: beyond it a fuzzer's pool refuses.
inline constexpr int64_t kFuzzedMemory = 64 << 20;

/// Requires that one request for memory was justified by `input` bytes, of which one of ZSTD may
/// become 32 KiB, and `declared` bytes that the output has by its type and length.
void RequireJustified(int64_t largest_request, size_t input, int64_t declared);

/// Reads a byte for the kind; the bits or items (a byte, 255 before one of 64 bits), a flag, a
/// table behind its size, packed fields behind their number, where the kind has them; then its
/// children.
ValueEncoding ReadEncoding(FuzzInput* input);
/// Reads a byte that stands for one of some types.
std::shared_ptr<arrow::DataType> ReadType(FuzzInput* input);

/// Decodes a chunk: a type, an encoding, u16 number of values less one, u16 first and u16 number of
/// the rows in a range, u8 first and u8 step of single rows, the buffers (all but the last behind
/// their sizes). The laws: a range is a slice of the whole, gathered rows are those of the whole,
/// memory is justified. -1, which libFuzzer does not keep, if the encoding is not of `kind`.
int CheckDecoder(ValueEncoding::Kind kind, const uint8_t* data, size_t size);

/// Requires that `taken` are the rows `first`, `first + step`, ... of `whole`.
void RequireRowsOf(const std::shared_ptr<arrow::ArrayData>& whole, int64_t first, int64_t step,
                   const std::shared_ptr<arrow::ArrayData>& taken);

}  // namespace tusk::lance
