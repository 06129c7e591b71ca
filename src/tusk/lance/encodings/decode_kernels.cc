#include "tusk/lance/encodings/decode_kernels.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/vector_loops.h"

namespace tusk::lance {
namespace {

/// What every CPU of the platform has; a compiler makes do where it is less.
constexpr int kBytes = 16;

template <typename T>
void Unpack(const uint8_t* packed, int width, uint8_t* values) {
  UnpackAnyWidth<T, kBytes>(packed, width, values);
}

/// Sixteen values at a time: interleaving stream i with stream i + width / 2, as often as the
/// width has bits, brings the bytes of each value together.
template <int kWidth>
void Join(const uint8_t* streams, int64_t stride, int64_t n, uint8_t* values) {
  int64_t i = 0;
  for (; i + kBytes <= n; i += kBytes) {
    Piece pieces[kWidth];
    for (int byte = 0; byte < kWidth; ++byte) {
      pieces[byte] = LoadPiece(streams + byte * stride + i);
    }
#pragma GCC unroll 3
    for (int step = 1; step < kWidth; step *= 2) InterleaveHalves(pieces);
    for (int64_t piece = 0; piece < kWidth; ++piece) {
      StorePiece(pieces[piece], values + i * kWidth + piece * kBytes);
    }
  }
  for (; i < n; ++i) {
    for (int byte = 0; byte < kWidth; ++byte)
      values[i * kWidth + byte] = streams[byte * stride + i];
  }
}

void Below16(const uint8_t* words, int64_t n, uint16_t limit, uint8_t* bits) {
  for (int64_t i = 0; i < n; i += 8) {
    const int64_t count = std::min<int64_t>(n - i, 8);
    StoreBits(BelowOneByOne(words + i * 2, count, limit), count, bits + i / 8);
  }
}

int64_t CountOnes(const uint8_t* bytes, int64_t n) {
  int64_t ones = 0;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) ones += std::popcount(LoadLittle<uint64_t>(bytes + i));
  for (; i < n; ++i) ones += std::popcount(bytes[i]);
  return ones;
}

const DecodeKernels& KernelsOf(SimdLevel level) {
#ifdef __x86_64__
  if (level == SimdLevel::kAvx512) return Avx512Kernels();
  if (level == SimdLevel::kAvx2) return Avx2Kernels();
#else
  (void)level;
#endif
  return PlainKernels();
}

std::atomic<SimdLevel>& ChosenLevel() {
  static std::atomic<SimdLevel> chosen = SupportedSimdLevels().back();
  return chosen;
}

}  // namespace

const DecodeKernels& PlainKernels() {
  static constexpr DecodeKernels kKernels = {
      .unpack8 = Unpack<uint8_t>,
      .unpack16 = Unpack<uint16_t>,
      .unpack32 = Unpack<uint32_t>,
      .unpack64 = Unpack<uint64_t>,
      .join4 = Join<4>,
      .join8 = Join<8>,
      .ascends32 = Ascends<uint32_t, kBytes>,
      .ascends64 = Ascends<uint64_t, kBytes>,
      .add32to32 = Add<uint32_t, uint32_t, kBytes>,
      .add32to64 = Add<uint32_t, uint64_t, kBytes>,
      .add64to32 = Add<uint64_t, uint32_t, kBytes>,
      .add64to64 = Add<uint64_t, uint64_t, kBytes>,
      .max16 = Max<uint16_t, kBytes>,
      .max32 = Max<uint32_t, kBytes>,
      .below16 = Below16,
      .count_ones = CountOnes,
  };
  return kKernels;
}

SimdLevel KernelLevel() { return ChosenLevel().load(std::memory_order_relaxed); }

const DecodeKernels& Kernels() { return KernelsOf(KernelLevel()); }

ForcedSimdLevel::ForcedSimdLevel(SimdLevel level) { ChosenLevel() = level; }
ForcedSimdLevel::~ForcedSimdLevel() { ChosenLevel() = SupportedSimdLevels().back(); }

}  // namespace tusk::lance
