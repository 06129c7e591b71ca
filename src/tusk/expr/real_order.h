#pragma once

#include <cstdint>

#include "tusk/base/simd_level.h"
#include "tusk/expr/node.h"

namespace tusk::expr {

/// Sets bit `i` of `bits` if `comparison` holds between `left[i]` and `right[i]` of `n`, else
/// clears it; also clears the bits that fill the last byte. NaN equals itself and is above all
/// numbers. `level` is one of this CPU's.
void CompareToBits(Comparison comparison, const double* left, const double* right, int64_t n,
                   SimdLevel level, uint8_t* bits);
void CompareToBits(Comparison comparison, const float* left, const float* right, int64_t n,
                   SimdLevel level, uint8_t* bits);

}  // namespace tusk::expr
