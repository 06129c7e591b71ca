#pragma once

#include <cstdint>

#include "tusk/base/simd_level.h"

namespace tusk::lance {

/// The inner loops of decoders in the instructions of one SimdLevel. None needs alignment, and none
/// reads or writes a byte beyond those that it is about.
struct DecodeKernels {
  /// As UnpackBlock of bitpacking.h.
  void (*unpack8)(const uint8_t* packed, int width, uint8_t* values);
  void (*unpack16)(const uint8_t* packed, int width, uint8_t* values);
  void (*unpack32)(const uint8_t* packed, int width, uint8_t* values);
  void (*unpack64)(const uint8_t* packed, int width, uint8_t* values);

  /// Joins `n` values of 4 or 8 bytes, whose first bytes stand side by side at `streams`, the
  /// second ones `stride` bytes after them, and so on.
  void (*join4)(const uint8_t* streams, int64_t stride, int64_t n, uint8_t* values);
  void (*join8)(const uint8_t* streams, int64_t stride, int64_t n, uint8_t* values);

  /// Whether each of `n` unsigned words is at least as large as the one before it.
  bool (*ascends32)(const uint8_t* words, int64_t n);
  bool (*ascends64)(const uint8_t* words, int64_t n);

  /// Adds `delta` to `n` unsigned words and writes the sums, cut to the words of `to`.
  void (*add32to32)(const uint8_t* words, int64_t n, uint64_t delta, uint8_t* to);
  void (*add32to64)(const uint8_t* words, int64_t n, uint64_t delta, uint8_t* to);
  void (*add64to32)(const uint8_t* words, int64_t n, uint64_t delta, uint8_t* to);
  void (*add64to64)(const uint8_t* words, int64_t n, uint64_t delta, uint8_t* to);

  /// The largest of `n` unsigned words, 0 for none.
  uint16_t (*max16)(const uint8_t* words, int64_t n);
  uint32_t (*max32)(const uint8_t* words, int64_t n);

  /// Sets bit `i` of `bits` if 16-bit word `i` of `n` is below `limit`, else clears it; also the
  /// bits that fill the last byte.
  void (*below16)(const uint8_t* words, int64_t n, uint16_t limit, uint8_t* bits);

  /// Bits that are set in `n` bytes.
  int64_t (*count_ones)(const uint8_t* bytes, int64_t n);
};

/// The kernels of one level. The wide ones are there on x86-64 only and may be called only where
/// the CPU has the level.
const DecodeKernels& PlainKernels();
const DecodeKernels& Avx2Kernels();
const DecodeKernels& Avx512Kernels();

/// The level whose kernels are used: the widest of this CPU.
SimdLevel KernelLevel();
/// The kernels that decoders use: those of KernelLevel().
const DecodeKernels& Kernels();

/// For tests: while it stands, KernelLevel() is `level`, which this CPU has, on all threads.
class ForcedSimdLevel {
 public:
  explicit ForcedSimdLevel(SimdLevel level);
  ~ForcedSimdLevel();
  ForcedSimdLevel(const ForcedSimdLevel&) = delete;
  ForcedSimdLevel& operator=(const ForcedSimdLevel&) = delete;
};

}  // namespace tusk::lance
