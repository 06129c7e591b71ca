#ifdef __x86_64__

#include <immintrin.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/encode_kernels.h"
#include "tusk/lance/encodings/vector_loops.h"

// As in decode_kernels_avx2.cc: an attribute, so that no inline function leaves this file in AVX2.
#define TUSK_AVX2 __attribute__((target("avx2")))

namespace tusk::lance {
namespace {

constexpr int64_t kBytes = 32;

template <typename T>
TUSK_AVX2 void Pack(const uint8_t* values, int width, uint8_t* packed) {
  PackAnyWidth<T, kBytes>(values, width, packed);
}

TUSK_AVX2 uint64_t Any64(const uint8_t* words, int64_t n) {
  return Any<uint64_t, kBytes>(words, n);
}

TUSK_AVX2 __m256i Load(const uint8_t* bytes) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
}

/// Which bytes of each word are equal to those of the word behind it: all or none.
template <typename T>
TUSK_AVX2 __m256i SameAsNext(const uint8_t* words) {
  const __m256i here = Load(words);
  const __m256i next = Load(words + sizeof(T));
  if constexpr (sizeof(T) == 1) return _mm256_cmpeq_epi8(here, next);
  if constexpr (sizeof(T) == 2) return _mm256_cmpeq_epi16(here, next);
  if constexpr (sizeof(T) == 4) return _mm256_cmpeq_epi32(here, next);
  if constexpr (sizeof(T) == 8) return _mm256_cmpeq_epi64(here, next);
}

/// Bits of 64 pairs of words.
template <typename T>
TUSK_AVX2 uint64_t Changes64Pairs(const uint8_t* words) {
  uint64_t same = 0;
  if constexpr (sizeof(T) == 8) {
    for (int i = 0; i < 64; i += 4) {
      const __m256i pairs = SameAsNext<T>(words + i * sizeof(T));
      same |= static_cast<uint64_t>(_mm256_movemask_pd(_mm256_castsi256_pd(pairs))) << i;
    }
  } else if constexpr (sizeof(T) == 4) {
    for (int i = 0; i < 64; i += 8) {
      const __m256i pairs = SameAsNext<T>(words + i * sizeof(T));
      same |= static_cast<uint64_t>(_mm256_movemask_ps(_mm256_castsi256_ps(pairs))) << i;
    }
  } else if constexpr (sizeof(T) == 2) {
    for (int i = 0; i < 64; i += 32) {
      const uint8_t* at = words + i * sizeof(T);
      // Packed within each half of the vectors, whose quarters then are in the order 0, 2, 1, 3.
      const __m256i bytes = _mm256_permute4x64_epi64(
          _mm256_packs_epi16(SameAsNext<T>(at), SameAsNext<T>(at + kBytes)), 0xD8);
      same |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(bytes))} << i;
    }
  } else {
    for (int i = 0; i < 64; i += 32) {
      same |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(SameAsNext<T>(words + i)))} << i;
    }
  }
  return ~same;
}

template <typename T>
TUSK_AVX2 void Changes(const uint8_t* words, int64_t n, uint8_t* bits) {
  int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
    StoreLittle(Changes64Pairs<T>(words + i * static_cast<int64_t>(sizeof(T))), bits + i / 8);
  }
  StoreBits(ChangesOneByOne<T>(words + i * static_cast<int64_t>(sizeof(T)), n - i), n - i,
            bits + i / 8);
}

TUSK_AVX2 void Nulls16(const uint8_t* bits, int64_t n, uint8_t* words) {
  Nulls<uint16_t, kBytes>(bits, n, words);
}

}  // namespace

const EncodeKernels& Avx2EncodeKernels() {
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
