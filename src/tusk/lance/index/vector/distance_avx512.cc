#ifdef __x86_64__

#include <immintrin.h>

#include "tusk/lance/index/vector/distance_kernels.h"

// As in distance_avx2.cc: an attribute, so that no inline function leaves this file in AVX-512.
#define TUSK_AVX512 __attribute__((target("avx512f")))

namespace tusk::lance {
namespace {

constexpr size_t kWidth = 16;

/// The lanes of one row's sums, two of each to hide the latency of the multiply-add.
struct Sums {
  __m512 main[2];
  __m512 squared_row[2];  ///< kCosine only
};

template <Metric metric>
TUSK_AVX512 inline void Add(__m512 query, __m512 row, int which, Sums* sums) {
  if constexpr (metric == Metric::kL2) {
    const __m512 difference = _mm512_sub_ps(query, row);
    sums->main[which] = _mm512_fmadd_ps(difference, difference, sums->main[which]);
  } else {
    sums->main[which] = _mm512_fmadd_ps(query, row, sums->main[which]);
  }
  if constexpr (metric == Metric::kCosine) {
    sums->squared_row[which] = _mm512_fmadd_ps(row, row, sums->squared_row[which]);
  }
}

template <Metric metric>
TUSK_AVX512 inline Sums SumRow(const float* query, const float* row, size_t dim) {
  const __m512 zero = _mm512_setzero_ps();
  Sums sums = {{zero, zero}, {zero, zero}};
  size_t i = 0;
  for (; i + 2 * kWidth <= dim; i += 2 * kWidth) {
    Add<metric>(_mm512_loadu_ps(query + i), _mm512_loadu_ps(row + i), 0, &sums);
    Add<metric>(_mm512_loadu_ps(query + i + kWidth), _mm512_loadu_ps(row + i + kWidth), 1, &sums);
  }
  if (i + kWidth <= dim) {
    Add<metric>(_mm512_loadu_ps(query + i), _mm512_loadu_ps(row + i), 0, &sums);
    i += kWidth;
  }
  if (i < dim) {
    // Lanes that are masked out become 0 and are not read.
    const auto tail = static_cast<__mmask16>((1U << (dim - i)) - 1U);
    Add<metric>(_mm512_maskz_loadu_ps(tail, query + i), _mm512_maskz_loadu_ps(tail, row + i), 1,
                &sums);
  }
  sums.main[0] = _mm512_add_ps(sums.main[0], sums.main[1]);
  sums.squared_row[0] = _mm512_add_ps(sums.squared_row[0], sums.squared_row[1]);
  return sums;
}

TUSK_AVX512 inline float Sum(__m512 lanes) {
  // By way of memory and not with _mm512_reduce_add_ps or the casts to halves: in GCC 12 their
  // bodies warn of a value that is undefined on purpose.
  alignas(64) float values[kWidth];
  _mm512_store_ps(values, lanes);
  const __m256 half = _mm256_add_ps(_mm256_load_ps(values), _mm256_load_ps(values + 8));
  const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}

template <Metric metric>
TUSK_AVX512 void Distances(std::span<const float> query, const float* rows, int64_t n, float* out) {
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

DistanceKernel Avx512Kernel(Metric metric) {
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
