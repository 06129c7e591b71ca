#include "tusk/expr/number_order.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#ifdef __x86_64__
#include <immintrin.h>

#define TUSK_AVX2 __attribute__((target("avx2")))
#endif

namespace tusk::expr {
namespace {

/// What all comparisons are made of: the others are these with the sides changed or turned around.
enum class Basic { kEqual, kLess };

/// A side of which each row has a value of its own.
template <typename T>
struct Column {
  using Value = T;
  const T* values;
  T operator[](int64_t row) const { return values[row]; }
};

/// A side that is the same for all rows.
template <typename T>
struct Bound {
  using Value = T;
  T value;
  T operator[](int64_t /*row*/) const { return value; }
};

template <Basic basic, typename T>
bool Holds(T a, T b) {
  // Only NaN differs from itself.
  if constexpr (basic == Basic::kEqual) return a == b || (a != a && b != b);
  return a < b || (b != b && a == a);
}

#ifdef __x86_64__
TUSK_AVX2 inline __m256d Load(const Column<double>& side, int64_t row) {
  return _mm256_loadu_pd(side.values + row);
}
TUSK_AVX2 inline __m256 Load(const Column<float>& side, int64_t row) {
  return _mm256_loadu_ps(side.values + row);
}
template <typename T>
TUSK_AVX2 inline __m256i Load(const Column<T>& side, int64_t row) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(side.values + row));
}
TUSK_AVX2 inline __m256d Load(const Bound<double>& side, int64_t /*row*/) {
  return _mm256_set1_pd(side.value);
}
TUSK_AVX2 inline __m256 Load(const Bound<float>& side, int64_t /*row*/) {
  return _mm256_set1_ps(side.value);
}
template <typename T>
TUSK_AVX2 inline __m256i Load(const Bound<T>& side, int64_t /*row*/) {
  if constexpr (sizeof(T) == 8) return _mm256_set1_epi64x(static_cast<int64_t>(side.value));
  return _mm256_set1_epi32(static_cast<int32_t>(side.value));
}

template <Basic basic, typename T>
TUSK_AVX2 inline unsigned HoldsOf(__m256d a, __m256d b) {
  if constexpr (basic == Basic::kEqual) {
    const __m256d are_nan =
        _mm256_and_pd(_mm256_cmp_pd(a, a, _CMP_UNORD_Q), _mm256_cmp_pd(b, b, _CMP_UNORD_Q));
    return _mm256_movemask_pd(_mm256_or_pd(_mm256_cmp_pd(a, b, _CMP_EQ_OQ), are_nan));
  }
  // Not at least as large, which holds beside a NaN too, and no NaN on the left.
  return _mm256_movemask_pd(
      _mm256_and_pd(_mm256_cmp_pd(a, b, _CMP_NGE_UQ), _mm256_cmp_pd(a, a, _CMP_ORD_Q)));
}

template <Basic basic, typename T>
TUSK_AVX2 inline unsigned HoldsOf(__m256 a, __m256 b) {
  if constexpr (basic == Basic::kEqual) {
    const __m256 are_nan =
        _mm256_and_ps(_mm256_cmp_ps(a, a, _CMP_UNORD_Q), _mm256_cmp_ps(b, b, _CMP_UNORD_Q));
    return _mm256_movemask_ps(_mm256_or_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ), are_nan));
  }
  return _mm256_movemask_ps(
      _mm256_and_ps(_mm256_cmp_ps(a, b, _CMP_NGE_UQ), _mm256_cmp_ps(a, a, _CMP_ORD_Q)));
}

/// Of integers; with the first bit turned, unsigned ones have the order of signed ones.
template <Basic basic, typename T>
TUSK_AVX2 inline unsigned HoldsOf(__m256i a, __m256i b) {
  if constexpr (basic == Basic::kLess && std::is_unsigned_v<T>) {
    const Bound<T> first_bit = {.value = T{1} << (std::numeric_limits<T>::digits - 1)};
    a = _mm256_xor_si256(a, Load(first_bit, 0));
    b = _mm256_xor_si256(b, Load(first_bit, 0));
  }
  if constexpr (sizeof(T) == 8) {
    const __m256i holds =
        basic == Basic::kEqual ? _mm256_cmpeq_epi64(a, b) : _mm256_cmpgt_epi64(b, a);
    return _mm256_movemask_pd(_mm256_castsi256_pd(holds));
  }
  const __m256i holds =
      basic == Basic::kEqual ? _mm256_cmpeq_epi32(a, b) : _mm256_cmpgt_epi32(b, a);
  return _mm256_movemask_ps(_mm256_castsi256_ps(holds));
}

/// Of a multiple of eight values.
template <Basic basic, typename Left, typename Right>
TUSK_AVX2 void ToBitsInAvx2(Left left, Right right, int64_t n, unsigned turned, uint8_t* bits) {
  using T = typename Left::Value;
  constexpr int64_t kLanes = 32 / sizeof(T);
  for (int64_t i = 0; i < n; i += 8) {
    unsigned byte = turned;
    for (int64_t lane = 0; lane < 8; lane += kLanes) {
      byte ^= HoldsOf<basic, T>(Load(left, i + lane), Load(right, i + lane)) << lane;
    }
    *bits++ = static_cast<uint8_t>(byte);
  }
}
#endif

/// `turned` is 0xFF if bits shall be set where `basic` does not hold, else 0.
template <Basic basic, typename Left, typename Right>
void ToBits(Left left, Right right, int64_t n, SimdLevel level, unsigned turned, uint8_t* bits) {
  int64_t done = 0;
#ifdef __x86_64__
  if (level != SimdLevel::kPlain) {
    done = n / 8 * 8;
    ToBitsInAvx2<basic>(left, right, done, turned, bits);
  }
#else
  (void)level;
#endif
  for (int64_t i = done; i < n; i += 8) {
    const int64_t count = std::min<int64_t>(8, n - i);
    unsigned byte = turned & ((1U << count) - 1);
    for (int64_t bit = 0; bit < count; ++bit) {
      byte ^= static_cast<unsigned>(Holds<basic>(left[i + bit], right[i + bit])) << bit;
    }
    bits[i / 8] = static_cast<uint8_t>(byte);
  }
}

template <typename Left, typename Right>
void Compare(Comparison comparison, Left left, Right right, int64_t n, SimdLevel level,
             uint8_t* bits) {
  switch (comparison) {
    case Comparison::kEqual:
      return ToBits<Basic::kEqual>(left, right, n, level, 0, bits);
    case Comparison::kNotEqual:
      return ToBits<Basic::kEqual>(left, right, n, level, 0xFF, bits);
    case Comparison::kLess:
      return ToBits<Basic::kLess>(left, right, n, level, 0, bits);
    case Comparison::kGreaterEqual:
      return ToBits<Basic::kLess>(left, right, n, level, 0xFF, bits);
    case Comparison::kGreater:
      return ToBits<Basic::kLess>(right, left, n, level, 0, bits);
    case Comparison::kLessEqual:
      return ToBits<Basic::kLess>(right, left, n, level, 0xFF, bits);
  }
}

}  // namespace

template <ComparedNumber T>
void CompareToBits(Comparison comparison, const T* left, const T* right, int64_t n, SimdLevel level,
                   uint8_t* bits) {
  Compare(comparison, Column<T>{left}, Column<T>{right}, n, level, bits);
}

template <ComparedNumber T>
void CompareToBits(Comparison comparison, const T* left, T bound, int64_t n, SimdLevel level,
                   uint8_t* bits) {
  Compare(comparison, Column<T>{left}, Bound<T>{bound}, n, level, bits);
}

#define TUSK_COMPARE(T)                                                                      \
  template void CompareToBits(Comparison, const T*, const T*, int64_t, SimdLevel, uint8_t*); \
  template void CompareToBits(Comparison, const T*, T, int64_t, SimdLevel, uint8_t*);
TUSK_COMPARE(int32_t)
TUSK_COMPARE(uint32_t)
TUSK_COMPARE(int64_t)
TUSK_COMPARE(uint64_t)
TUSK_COMPARE(float)
TUSK_COMPARE(double)
#undef TUSK_COMPARE

}  // namespace tusk::expr
