#ifdef __x86_64__

#include <immintrin.h>

#include "tusk/lance/index/vector/distance_kernels.h"

// The attribute and not a compile flag: inline functions of the standard library that land in
// this object must stay runnable on every CPU, because the linker may keep this copy of them.
#define TUSK_AVX2 __attribute__((target("avx2,fma")))

namespace tusk::lance {
namespace {

constexpr size_t kWidth = 8;

TUSK_AVX2 inline float Sum(__m256 lanes) {
  const __m128 half = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}

/// Loads the first `count` < 8 floats at `values`, zeros behind them; reads nothing beyond.
TUSK_AVX2 inline __m256 LoadTail(const float* values, size_t count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(values,
                            _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane));
}

/// The lanes of one row's sums. Two of each, because a fused multiply-add takes four cycles and
/// the next one into the same register would wait for it.
struct Sums {
  __m256 main[2];
  __m256 squared_row[2];  ///< kCosine only
};

template <Metric metric>
TUSK_AVX2 inline void Add(__m256 query, __m256 row, int which, Sums* sums) {
  if constexpr (metric == Metric::kL2) {
    const __m256 difference = _mm256_sub_ps(query, row);
    sums->main[which] = _mm256_fmadd_ps(difference, difference, sums->main[which]);
  } else {
    sums->main[which] = _mm256_fmadd_ps(query, row, sums->main[which]);
  }
  if constexpr (metric == Metric::kCosine) {
    sums->squared_row[which] = _mm256_fmadd_ps(row, row, sums->squared_row[which]);
  }
}

template <Metric metric>
TUSK_AVX2 inline Sums SumRow(const float* query, const float* row, size_t dim) {
  const __m256 zero = _mm256_setzero_ps();
  Sums sums = {{zero, zero}, {zero, zero}};
  size_t i = 0;
  for (; i + 2 * kWidth <= dim; i += 2 * kWidth) {
    Add<metric>(_mm256_loadu_ps(query + i), _mm256_loadu_ps(row + i), 0, &sums);
    Add<metric>(_mm256_loadu_ps(query + i + kWidth), _mm256_loadu_ps(row + i + kWidth), 1, &sums);
  }
  if (i + kWidth <= dim) {
    Add<metric>(_mm256_loadu_ps(query + i), _mm256_loadu_ps(row + i), 0, &sums);
    i += kWidth;
  }
  if (i < dim) {
    Add<metric>(LoadTail(query + i, dim - i), LoadTail(row + i, dim - i), 1, &sums);
  }
  sums.main[0] = _mm256_add_ps(sums.main[0], sums.main[1]);
  sums.squared_row[0] = _mm256_add_ps(sums.squared_row[0], sums.squared_row[1]);
  return sums;
}

template <Metric metric>
TUSK_AVX2 void Distances(std::span<const float> query, const float* rows, int64_t n, float* out) {
  const size_t dim = query.size();
  const float* q = query.data();
  const float squared_query =
      metric == Metric::kCosine ? Sum(SumRow<Metric::kDot>(q, q, dim).main[0]) : 0.0F;
  for (int64_t row = 0; row < n; ++row, rows += dim) {
    const Sums sums = SumRow<metric>(q, rows, dim);
    const float sum = Sum(sums.main[0]);
    if constexpr (metric == Metric::kL2) {
      out[row] = sum;
    } else if constexpr (metric == Metric::kDot) {
      out[row] = 1.0F - sum;
    } else {
      out[row] = CosineDistance(sum, squared_query, Sum(sums.squared_row[0]));
    }
  }
}

}  // namespace

DistanceKernel Avx2Kernel(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return Distances<Metric::kL2>;
    case Metric::kCosine:
      return Distances<Metric::kCosine>;
    case Metric::kDot:
      break;
  }
  return Distances<Metric::kDot>;
}

}  // namespace tusk::lance

#endif  // __x86_64__
