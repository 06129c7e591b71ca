#include "tusk/lance/index/vector/distance.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "tusk/lance/index/vector/distance_kernels.h"

namespace tusk::lance {
namespace {

/// Sums of `kLanes` independent lanes, so that the compiler may keep them in one register.
constexpr size_t kLanes = 8;
using Lanes = std::array<float, kLanes>;

float Sum(const Lanes& lanes) {
  float sum = 0.0F;
  for (const float lane : lanes) sum += lane;
  return sum;
}

/// The sum of term(i) over [0, size), lane by lane.
template <typename Term>
float SumTerms(size_t size, const Term& term) {
  Lanes lanes = {};
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(i + lane);
  }
  for (size_t lane = 0; i < size; ++i, ++lane) lanes[lane] += term(i);
  return Sum(lanes);
}

float SquaredL2(const float* a, const float* b, size_t dim) {
  return SumTerms(dim, [&](size_t i) { return (a[i] - b[i]) * (a[i] - b[i]); });
}

float Dot(const float* a, const float* b, size_t dim) {
  return SumTerms(dim, [&](size_t i) { return a[i] * b[i]; });
}

template <Metric metric>
void PlainDistances(std::span<const float> query, const float* rows, int64_t n, float* out) {
  const size_t dim = query.size();
  const float* q = query.data();
  const float squared_query = metric == Metric::kCosine ? Dot(q, q, dim) : 0.0F;
  for (int64_t row = 0; row < n; ++row, rows += dim) {
    if constexpr (metric == Metric::kL2) {
      out[row] = SquaredL2(q, rows, dim);
    } else if constexpr (metric == Metric::kDot) {
      out[row] = 1.0F - Dot(q, rows, dim);
    } else {
      out[row] = CosineDistance(Dot(q, rows, dim), squared_query, Dot(rows, rows, dim));
    }
  }
}

DistanceKernel FindKernel(Metric metric, SimdLevel level) {
#ifdef __x86_64__
  if (level == SimdLevel::kAvx512) return Avx512Kernel(metric);
  if (level == SimdLevel::kAvx2) return Avx2Kernel(metric);
#else
  (void)level;
#endif
  return PlainKernel(metric);
}

}  // namespace

Result<Metric> ParseMetric(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "l2") return Metric::kL2;
  if (lower == "cosine") return Metric::kCosine;
  if (lower == "dot") return Metric::kDot;
  return InvalidArgument("unknown metric '", name, "': use l2, cosine or dot");
}

DistanceKernel PlainKernel(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return PlainDistances<Metric::kL2>;
    case Metric::kCosine:
      return PlainDistances<Metric::kCosine>;
    case Metric::kDot:
      break;
  }
  return PlainDistances<Metric::kDot>;
}

void ComputeDistances(Metric metric, std::span<const float> query, const float* rows, int64_t n,
                      float* out, std::optional<SimdLevel> level) {
  FindKernel(metric, level.value_or(SupportedSimdLevels().back()))(query, rows, n, out);
}

}  // namespace tusk::lance
