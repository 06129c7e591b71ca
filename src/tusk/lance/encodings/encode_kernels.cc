#include "tusk/lance/encodings/encode_kernels.h"

#include <algorithm>

#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/vector_loops.h"

namespace tusk::lance {
namespace {

/// What every CPU of the platform has; a compiler makes do where it is less.
constexpr int kBytes = 16;

template <typename T>
void Pack(const uint8_t* values, int width, uint8_t* packed) {
  PackAnyWidth<T, kBytes>(values, width, packed);
}

template <typename T>
void Changes(const uint8_t* words, int64_t n, uint8_t* bits) {
  for (int64_t i = 0; i < n; i += 64) {
    const int64_t count = std::min<int64_t>(n - i, 64);
    StoreBits(ChangesOneByOne<T>(words + i * static_cast<int64_t>(sizeof(T)), count), count,
              bits + i / 8);
  }
}

void Nulls16(const uint8_t* bits, int64_t n, uint8_t* words) {
  Nulls<uint8_t, kBytes>(bits, n, words);
}

/// Sixteen values at a time: interleaving the first half of their bytes with the second half, as
/// often as sixteen has bits, brings the bytes of each stream together.
template <int kWidth>
void Split(const uint8_t* values, int64_t n, int64_t stride, uint8_t* streams) {
  int64_t i = 0;
  for (; i + kBytes <= n; i += kBytes) {
    Piece pieces[kWidth];
    for (int64_t piece = 0; piece < kWidth; ++piece) {
      pieces[piece] = LoadPiece(values + i * kWidth + piece * kBytes);
    }
#pragma GCC unroll 4
    for (int step = 1; step < kBytes; step *= 2) InterleaveHalves(pieces);
    for (int byte = 0; byte < kWidth; ++byte) {
      StorePiece(pieces[byte], streams + byte * stride + i);
    }
  }
  for (; i < n; ++i) {
    for (int byte = 0; byte < kWidth; ++byte)
      streams[byte * stride + i] = values[i * kWidth + byte];
  }
}

}  // namespace

const EncodeKernels& EncodeKernelsOf(SimdLevel level) {
  static constexpr EncodeKernels kPlain = {
      .pack8 = Pack<uint8_t>,
      .pack16 = Pack<uint16_t>,
      .pack32 = Pack<uint32_t>,
      .pack64 = Pack<uint64_t>,
      .any64 = Any<uint64_t, kBytes>,
      .changes8 = Changes<uint8_t>,
      .changes16 = Changes<uint16_t>,
      .changes32 = Changes<uint32_t>,
      .changes64 = Changes<uint64_t>,
      .nulls16 = Nulls16,
      .split4 = Split<4>,
      .split8 = Split<8>,
  };
#ifdef __x86_64__
  if (level == SimdLevel::kAvx512) return Avx512EncodeKernels();
  if (level == SimdLevel::kAvx2) return Avx2EncodeKernels();
#else
  (void)level;
#endif
  return kPlain;
}

const EncodeKernels& EncoderKernels() { return EncodeKernelsOf(KernelLevel()); }

}  // namespace tusk::lance
