#ifdef __x86_64__

#include <array>
#include <utility>

#include <immintrin.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/vector_loops.h"

// As in decode_kernels_avx2.cc: an attribute, so that no inline function leaves this file in
// AVX-512.
#define TUSK_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

namespace tusk::lance {
namespace {

constexpr int64_t kBytes = 64;
/// Every lane. In GCC 12 what has no mask warns of a value that is undefined on purpose.
constexpr __mmask16 kAll = 0xFFFF;

template <typename T, int kWidth>
TUSK_AVX512 void UnpackOf(const uint8_t* packed, uint8_t* values) {
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
TUSK_AVX512 bool AscendsOf(const uint8_t* words, int64_t n) {
  return Ascends<T, kBytes>(words, n);
}
template <typename From, typename To>
TUSK_AVX512 void AddOf(const uint8_t* words, int64_t n, uint64_t delta, uint8_t* to) {
  Add<From, To, kBytes>(words, n, delta, to);
}
template <typename T>
TUSK_AVX512 T MaxOf(const uint8_t* words, int64_t n) {
  return Max<T, kBytes>(words, n);
}

/// 32-bit words of sixteen values from the sixteen bytes of each of four streams: quarters of
/// streams are brought together, then the bytes of a value.
TUSK_AVX512 __m512i JoinWords(const uint8_t* streams, int64_t stride) {
  const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(streams));
  const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(streams + stride));
  const __m128i third = _mm_loadu_si128(reinterpret_cast<const __m128i*>(streams + 2 * stride));
  const __m128i fourth = _mm_loadu_si128(reinterpret_cast<const __m128i*>(streams + 3 * stride));
  __m512i bytes = _mm512_zextsi128_si512(first);
  bytes = _mm512_inserti32x4(bytes, second, 1);
  bytes = _mm512_inserti32x4(bytes, third, 2);
  bytes = _mm512_inserti32x4(bytes, fourth, 3);
  const __m512i quarters = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i order = _mm512_set4_epi32(0x0F0B0703, 0x0E0A0602, 0x0D090501, 0x0C080400);
  return _mm512_shuffle_epi8(_mm512_maskz_permutexvar_epi32(kAll, quarters, bytes), order);
}

TUSK_AVX512 void Join4(const uint8_t* streams, int64_t stride, int64_t n, uint8_t* values) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16, streams += 16, values += kBytes) {
    _mm512_storeu_si512(values, JoinWords(streams, stride));
  }
  PlainKernels().join4(streams, stride, n - i, values);
}

TUSK_AVX512 void Join8(const uint8_t* streams, int64_t stride, int64_t n, uint8_t* values) {
  const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i second =
      _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16, streams += 16, values += 2 * kBytes) {
    const __m512i low = JoinWords(streams, stride);
    const __m512i high = JoinWords(streams + 4 * stride, stride);
    _mm512_storeu_si512(values, _mm512_permutex2var_epi32(low, first, high));
    _mm512_storeu_si512(values + kBytes, _mm512_permutex2var_epi32(low, second, high));
  }
  PlainKernels().join8(streams, stride, n - i, values);
}

TUSK_AVX512 void Below16(const uint8_t* words, int64_t n, uint16_t limit, uint8_t* bits) {
  const __m512i limits = _mm512_set1_epi16(static_cast<int16_t>(limit));
  int64_t i = 0;
  for (; i + 32 <= n; i += 32, words += 64, bits += 4) {
    StoreLittle(static_cast<uint32_t>(_mm512_cmplt_epu16_mask(_mm512_loadu_si512(words), limits)),
                bits);
  }
  PlainKernels().below16(words, n - i, limit, bits);
}

}  // namespace

const DecodeKernels& Avx512Kernels() {
  static const DecodeKernels kernels = {
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
      .count_ones = Avx2Kernels().count_ones,
  };
  return kernels;
}

}  // namespace tusk::lance

#endif  // __x86_64__
