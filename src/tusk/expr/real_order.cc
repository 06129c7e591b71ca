#include "tusk/expr/real_order.h"

#include <algorithm>
#include <utility>

#ifdef __x86_64__
#include <immintrin.h>

#define TUSK_AVX2 __attribute__((target("avx2")))
#endif

namespace tusk::expr {
namespace {

/// What all comparisons are made of: the others are these with the sides changed or turned around.
enum class Basic { kEqual, kLess };

template <Basic basic, typename Real>
bool Holds(Real a, Real b) {
  // Only NaN differs from itself.
  if constexpr (basic == Basic::kEqual) return a == b || (a != a && b != b);
  return a < b || (b != b && a == a);
}

#ifdef __x86_64__
TUSK_AVX2 __m256d Load(const double* from) { return _mm256_loadu_pd(from); }
TUSK_AVX2 __m256 Load(const float* from) { return _mm256_loadu_ps(from); }

template <Basic basic>
TUSK_AVX2 unsigned HoldsOf(__m256d a, __m256d b) {
  if constexpr (basic == Basic::kEqual) {
    const __m256d are_nan =
        _mm256_and_pd(_mm256_cmp_pd(a, a, _CMP_UNORD_Q), _mm256_cmp_pd(b, b, _CMP_UNORD_Q));
    return _mm256_movemask_pd(_mm256_or_pd(_mm256_cmp_pd(a, b, _CMP_EQ_OQ), are_nan));
  }
  // Not at least as large, which holds beside a NaN too, and no NaN on the left.
  return _mm256_movemask_pd(
      _mm256_and_pd(_mm256_cmp_pd(a, b, _CMP_NGE_UQ), _mm256_cmp_pd(a, a, _CMP_ORD_Q)));
}

template <Basic basic>
TUSK_AVX2 unsigned HoldsOf(__m256 a, __m256 b) {
  if constexpr (basic == Basic::kEqual) {
    const __m256 are_nan =
        _mm256_and_ps(_mm256_cmp_ps(a, a, _CMP_UNORD_Q), _mm256_cmp_ps(b, b, _CMP_UNORD_Q));
    return _mm256_movemask_ps(_mm256_or_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ), are_nan));
  }
  return _mm256_movemask_ps(
      _mm256_and_ps(_mm256_cmp_ps(a, b, _CMP_NGE_UQ), _mm256_cmp_ps(a, a, _CMP_ORD_Q)));
}

/// Of a multiple of eight values.
template <Basic basic, typename Real>
TUSK_AVX2 void ToBitsInAvx2(const Real* left, const Real* right, int64_t n, unsigned turned,
                            uint8_t* bits) {
  constexpr int64_t kLanes = 32 / sizeof(Real);
  for (int64_t i = 0; i < n; i += 8) {
    unsigned byte = turned;
    for (int64_t lane = 0; lane < 8; lane += kLanes) {
      byte ^= HoldsOf<basic>(Load(left + i + lane), Load(right + i + lane)) << lane;
    }
    *bits++ = static_cast<uint8_t>(byte);
  }
}
#endif

/// `turned` is 0xFF if bits shall be set where `basic` does not hold, else 0.
template <Basic basic, typename Real>
void ToBits(const Real* left, const Real* right, int64_t n, SimdLevel level, unsigned turned,
            uint8_t* bits) {
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

template <typename Real>
void Compare(Comparison comparison, const Real* left, const Real* right, int64_t n, SimdLevel level,
             uint8_t* bits) {
  const bool is_turned = comparison == Comparison::kNotEqual ||
                         comparison == Comparison::kLessEqual ||
                         comparison == Comparison::kGreaterEqual;
  const unsigned turned = is_turned ? 0xFF : 0;
  if (comparison == Comparison::kEqual || comparison == Comparison::kNotEqual) {
    return ToBits<Basic::kEqual>(left, right, n, level, turned, bits);
  }
  // a <= b is where b < a does not hold.
  const bool is_mirrored =
      comparison == Comparison::kGreater || comparison == Comparison::kLessEqual;
  if (is_mirrored) std::swap(left, right);
  ToBits<Basic::kLess>(left, right, n, level, turned, bits);
}

}  // namespace

void CompareToBits(Comparison comparison, const double* left, const double* right, int64_t n,
                   SimdLevel level, uint8_t* bits) {
  Compare(comparison, left, right, n, level, bits);
}

void CompareToBits(Comparison comparison, const float* left, const float* right, int64_t n,
                   SimdLevel level, uint8_t* bits) {
  Compare(comparison, left, right, n, level, bits);
}

}  // namespace tusk::expr
