#pragma once

#include <cstdint>

#include "tusk/base/simd_level.h"

namespace tusk::lance {

/// The inner loops of encoders in the instructions of one SimdLevel. None needs alignment, and none
/// reads or writes a byte beyond those that it is about.
struct EncodeKernels {
  /// As PackBlock of bitpacking.h.
  void (*pack8)(const uint8_t* values, int width, uint8_t* packed);
  void (*pack16)(const uint8_t* values, int width, uint8_t* packed);
  void (*pack32)(const uint8_t* values, int width, uint8_t* packed);
  void (*pack64)(const uint8_t* values, int width, uint8_t* packed);

  /// The bits that any of `n` words of 64 bits has.
  uint64_t (*any64)(const uint8_t* words, int64_t n);

  /// Sets bit `i` of `bits` if words `i` and `i` + 1 differ, else clears it, for `n` pairs of words
  /// side by side; also clears the bits that fill the last byte.
  void (*changes8)(const uint8_t* words, int64_t n, uint8_t* bits);
  void (*changes16)(const uint8_t* words, int64_t n, uint8_t* bits);
  void (*changes32)(const uint8_t* words, int64_t n, uint8_t* bits);
  void (*changes64)(const uint8_t* words, int64_t n, uint8_t* bits);

  /// Writes, for each of `n` bits, 0 where it is set and 1 where it is clear, as 16-bit words.
  void (*nulls16)(const uint8_t* bits, int64_t n, uint8_t* words);

  /// Splits `n` values of 4 or 8 bytes: their first bytes to `streams`, side by side, the second
  /// ones `stride` bytes after them, and so on.
  void (*split4)(const uint8_t* values, int64_t n, int64_t stride, uint8_t* streams);
  void (*split8)(const uint8_t* values, int64_t n, int64_t stride, uint8_t* streams);
};

/// The kernels of `level`, which this CPU has.
const EncodeKernels& EncodeKernelsOf(SimdLevel level);
/// Those of wide levels are there on x86-64 only.
const EncodeKernels& Avx2EncodeKernels();
const EncodeKernels& Avx512EncodeKernels();

/// The kernels that encoders use: those of KernelLevel().
const EncodeKernels& EncoderKernels();

}  // namespace tusk::lance
