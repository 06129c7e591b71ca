#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "tusk/lance/index/vector/distance.h"

namespace tusk::lance {

/// ComputeDistances in the instructions of one level. The wide ones are there on x86-64 only and
/// may be called only where the CPU has AVX2 and FMA, or AVX-512F.
using DistanceKernel = void (*)(std::span<const float> query, const float* rows, int64_t n,
                                float* out);
DistanceKernel PlainKernel(Metric metric);
DistanceKernel Avx2Kernel(Metric metric);
DistanceKernel Avx512Kernel(Metric metric);

/// 1 - cos from the dot product and the squared lengths of two vectors.
inline float CosineDistance(float dot, float squared_a, float squared_b) {
  const float lengths = std::sqrt(squared_a) * std::sqrt(squared_b);
  // A length that is 0 or infinite, be it by underflow or overflow, tells nothing about an angle.
  if (!(lengths > 0.0F) || std::isinf(lengths)) return std::numeric_limits<float>::quiet_NaN();
  return 1.0F - dot / lengths;
}

}  // namespace tusk::lance
