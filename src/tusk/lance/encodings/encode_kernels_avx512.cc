#ifdef __x86_64__

#include <immintrin.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/encode_kernels.h"
#include "tusk/lance/encodings/vector_loops.h"

// As in decode_kernels_avx2.cc: an attribute, so that no inline function leaves this file in
// AVX-512.
#define TUSK_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

namespace tusk::lance {
namespace {

constexpr int64_t kBytes = 64;

template <typename T>
TUSK_AVX512 void Pack(const uint8_t* values, int width, uint8_t* packed) {
  PackAnyWidth<T, kBytes>(values, width, packed);
}

TUSK_AVX512 uint64_t Any64(const uint8_t* words, int64_t n) {
  return Any<uint64_t, kBytes>(words, n);
}

/// Bits of the pairs that begin in the 64 bytes at `words`.
template <typename T>
TUSK_AVX512 uint64_t ChangesOfVector(const uint8_t* words) {
  const __m512i here = _mm512_loadu_si512(words);
  const __m512i next = _mm512_loadu_si512(words + sizeof(T));
  if constexpr (sizeof(T) == 1) return _mm512_cmpneq_epu8_mask(here, next);
  if constexpr (sizeof(T) == 2) return _mm512_cmpneq_epu16_mask(here, next);
  if constexpr (sizeof(T) == 4) return _mm512_cmpneq_epu32_mask(here, next);
  if constexpr (sizeof(T) == 8) return _mm512_cmpneq_epu64_mask(here, next);
}

template <typename T>
TUSK_AVX512 void Changes(const uint8_t* words, int64_t n, uint8_t* bits) {
  constexpr int kLanes = kBytes / sizeof(T);
  int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
    uint64_t changes = 0;
#pragma GCC unroll 8
    for (int lane = 0; lane < 64; lane += kLanes) {
      changes |= ChangesOfVector<T>(words + (i + lane) * static_cast<int64_t>(sizeof(T))) << lane;
    }
    StoreLittle(changes, bits + i / 8);
  }
  StoreBits(ChangesOneByOne<T>(words + i * static_cast<int64_t>(sizeof(T)), n - i), n - i,
            bits + i / 8);
}

TUSK_AVX512 void Nulls16(const uint8_t* bits, int64_t n, uint8_t* words) {
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    _mm512_storeu_si512(words + i * 2,
                        _mm512_maskz_set1_epi16(~LoadLittle<uint32_t>(bits + i / 8), 1));
  }
  NullsOneByOne(bits + i / 8, n - i, words + i * 2);
}

}  // namespace

const EncodeKernels& Avx512EncodeKernels() {
  static const EncodeKernels kernels = {
      .pack8 = Pack<uint8_t>,
      .pack16 = Pack<uint16_t>,
      .pack32 = Pack<uint32_t>,
      .pack64 = Pack<uint64_t>,
      .any64 = Any64,
      .changes8 = Changes<uint8_t>,
      .changes16 = Changes<uint16_t>,
      .changes32 = Changes<uint32_t>,
      .changes64 = Changes<uint64_t>,
      .nulls16 = Nulls16,
      .split4 = EncodeKernelsOf(SimdLevel::kPlain).split4,
      .split8 = EncodeKernelsOf(SimdLevel::kPlain).split8,
  };
  return kernels;
}

}  // namespace tusk::lance

#endif  // __x86_64__
