#include "tusk/base/simd_level.h"

#include <vector>

namespace tusk {
namespace {

std::vector<SimdLevel> DetectSimdLevels() {
  std::vector<SimdLevel> levels = {SimdLevel::kPlain};
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("popcnt")) {
    levels.push_back(SimdLevel::kAvx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
      levels.push_back(SimdLevel::kAvx512);
    }
  }
#endif
  return levels;
}

}  // namespace

std::span<const SimdLevel> SupportedSimdLevels() {
  static const std::vector<SimdLevel> levels = DetectSimdLevels();
  return levels;
}

}  // namespace tusk
