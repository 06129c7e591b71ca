#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tusk/base/result.h"

namespace tusk::lance {

enum class Metric { kL2, kCosine, kDot };

/// "l2", "cosine" or "dot" in any case. InvalidArgument else.
Result<Metric> ParseMetric(std::string_view name);

/// Distances of `query` [dim] to `rows` [n, dim] (row-major) into `out` [n], smaller is nearer:
/// kL2 the squared Euclidean distance, kCosine 1 - cos, kDot 1 - dot, as pylance defines them.
/// A zero vector has cosine distance 1. Uses the widest SIMD of this CPU; `level` forces one
/// (tests). Sums in float, in several lanes: for dim up to 4,096 the relative error stays < 1e-5.
enum class SimdLevel { kPlain, kAvx2, kAvx512 };
void ComputeDistances(Metric metric, std::span<const float> query, const float* rows, int64_t n,
                      float* out, std::optional<SimdLevel> level = std::nullopt);
/// The levels that this CPU runs, kPlain first.
std::span<const SimdLevel> SupportedSimdLevels();

}  // namespace tusk::lance
