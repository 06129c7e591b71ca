#ifdef __x86_64__

#include <array>
#include <bit>
#include <utility>

#include <immintrin.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/vector_loops.h"

// An attribute and no compiler flag, so that no inline function leaves this file in AVX2.
#define TUSK_AVX2 __attribute__((target("avx2,popcnt")))

namespace tusk::lance {
namespace {

constexpr int64_t kBytes = 32;

template <typename T, int kWidth>
TUSK_AVX2 void UnpackOf(const uint8_t* packed, uint8_t* values) {
  UnpackWidth<T, kBytes, kWidth>(packed, values);
}

template <typename T, int... kWidths>
void UnpackAt(const uint8_t* packed, int width, uint8_t* values,
              std::integer_sequence<int, kWidths...> /*all*/) {
  using Function = void (*)(const uint8_t*, uint8_t*);
  static constexpr std::array<Function, sizeof...(kWidths)> kOfWidth = {UnpackOf<T, kWidths>...};
  kOfWidth[width](packed, values);
}

template <typename T>
void Unpack(const uint8_t* packed, int width, uint8_t* values) {
  UnpackAt<T>(packed, width, values, std::make_integer_sequence<int, kWordBits<T> + 1>());
}

template <typename T>
TUSK_AVX2 bool AscendsOf(const uint8_t* words, int64_t n) {
  return Ascends<T, kBytes>(words, n);
}
template <typename From, typename To>
TUSK_AVX2 void AddOf(const uint8_t* words, int64_t n, uint64_t delta, uint8_t* to) {
  Add<From, To, kBytes>(words, n, delta, to);
}
template <typename T>
TUSK_AVX2 T MaxOf(const uint8_t* words, int64_t n) {
  return Max<T, kBytes>(words, n);
}

TUSK_AVX2 __m256i Load(const uint8_t* bytes) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
}
TUSK_AVX2 void Store(__m256i vector, uint8_t* bytes) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(bytes), vector);
}

/// Stores [low of a, low of b] and, `apart` bytes on, [high of a, high of b].
TUSK_AVX2 void StoreHalves(__m256i a, __m256i b, int64_t apart, uint8_t* to) {
  Store(_mm256_permute2x128_si256(a, b, 0x20), to);
  Store(_mm256_permute2x128_si256(a, b, 0x31), to + apart);
}

/// Of 32 values, within each half of a vector: the words of the first eight and of the last eight.
TUSK_AVX2 void JoinPairs(__m256i a, __m256i b, __m256i* low, __m256i* high) {
  *low = _mm256_unpacklo_epi8(a, b);
  *high = _mm256_unpackhi_epi8(a, b);
}

TUSK_AVX2 void Join4(const uint8_t* streams, int64_t stride, int64_t n, uint8_t* values) {
  int64_t i = 0;
  for (; i + kBytes <= n; i += kBytes, streams += kBytes, values += 4 * kBytes) {
    __m256i low01;
    __m256i high01;
    __m256i low23;
    __m256i high23;
    JoinPairs(Load(streams), Load(streams + stride), &low01, &high01);
    JoinPairs(Load(streams + 2 * stride), Load(streams + 3 * stride), &low23, &high23);
    StoreHalves(_mm256_unpacklo_epi16(low01, low23), _mm256_unpackhi_epi16(low01, low23), 64,
                values);
    StoreHalves(_mm256_unpacklo_epi16(high01, high23), _mm256_unpackhi_epi16(high01, high23), 64,
                values + 32);
  }
  PlainKernels().join4(streams, stride, n - i, values);
}

TUSK_AVX2 void Join8(const uint8_t* streams, int64_t stride, int64_t n, uint8_t* values) {
  int64_t i = 0;
  for (; i + kBytes <= n; i += kBytes, streams += kBytes, values += 8 * kBytes) {
    // Quarters of each half: 32-bit words of values 0 to 3, 4 to 7, 8 to 11 and 12 to 15.
    __m256i words[2][4];
    for (int64_t half = 0; half < 2; ++half) {
      const uint8_t* from = streams + half * 4 * stride;
      __m256i low01;
      __m256i high01;
      __m256i low23;
      __m256i high23;
      JoinPairs(Load(from), Load(from + stride), &low01, &high01);
      JoinPairs(Load(from + 2 * stride), Load(from + 3 * stride), &low23, &high23);
      words[half][0] = _mm256_unpacklo_epi16(low01, low23);
      words[half][1] = _mm256_unpackhi_epi16(low01, low23);
      words[half][2] = _mm256_unpacklo_epi16(high01, high23);
      words[half][3] = _mm256_unpackhi_epi16(high01, high23);
    }
#pragma GCC unroll 4
    for (int64_t quarter = 0; quarter < 4; ++quarter) {
      const __m256i low = words[0][quarter];
      const __m256i high = words[1][quarter];
      StoreHalves(_mm256_unpacklo_epi32(low, high), _mm256_unpackhi_epi32(low, high), 128,
                  values + quarter * 32);
    }
  }
  PlainKernels().join8(streams, stride, n - i, values);
}

TUSK_AVX2 void Below16(const uint8_t* words, int64_t n, uint16_t limit, uint8_t* bits) {
  int64_t i = 0;
  if (limit > 0) {
    const __m256i most = _mm256_set1_epi16(static_cast<int16_t>(limit - 1));
    const __m256i zero = _mm256_setzero_si256();
    for (; i + 32 <= n; i += 32, words += 64, bits += 4) {
      // A word that is not above `most` leaves nothing.
      const __m256i a = _mm256_cmpeq_epi16(_mm256_subs_epu16(Load(words), most), zero);
      const __m256i b = _mm256_cmpeq_epi16(_mm256_subs_epu16(Load(words + 32), most), zero);
      const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xD8);
      StoreLittle(static_cast<uint32_t>(_mm256_movemask_epi8(bytes)), bits);
    }
  }
  PlainKernels().below16(words, n - i, limit, bits);
}

TUSK_AVX2 int64_t CountOnes(const uint8_t* bytes, int64_t n) {
  int64_t ones = 0;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) ones += std::popcount(LoadLittle<uint64_t>(bytes + i));
  for (; i < n; ++i) ones += std::popcount(bytes[i]);
  return ones;
}

}  // namespace

const DecodeKernels& Avx2Kernels() {
  static constexpr DecodeKernels kKernels = {
      .unpack8 = Unpack<uint8_t>,
      .unpack16 = Unpack<uint16_t>,
      .unpack32 = Unpack<uint32_t>,
      .unpack64 = Unpack<uint64_t>,
      .join4 = Join4,
      .join8 = Join8,
      .ascends32 = AscendsOf<uint32_t>,
      .ascends64 = AscendsOf<uint64_t>,
      .add32to32 = AddOf<uint32_t, uint32_t>,
      .add32to64 = AddOf<uint32_t, uint64_t>,
      .add64to32 = AddOf<uint64_t, uint32_t>,
      .add64to64 = AddOf<uint64_t, uint64_t>,
      .max16 = MaxOf<uint16_t>,
      .max32 = MaxOf<uint32_t>,
      .below16 = Below16,
      .count_ones = CountOnes,
  };
  return kKernels;
}

}  // namespace tusk::lance

#endif  // __x86_64__
