#pragma once

#include <concepts>
#include <cstdint>

#include "tusk/base/simd_level.h"
#include "tusk/expr/node.h"

namespace tusk::expr {

/// Numbers that vector instructions compare as they stand in a column.
template <typename T>
concept ComparedNumber =
    std::same_as<T, int32_t> || std::same_as<T, uint32_t> || std::same_as<T, int64_t> ||
    std::same_as<T, uint64_t> || std::same_as<T, float> || std::same_as<T, double>;

/// Sets bit `i` of `bits` if `comparison` holds between `left[i]` and `right[i]` of `n`, else
/// clears it; also clears the bits that fill the last byte. NaN equals itself and is above all
/// numbers. `level` is one of this CPU's.
template <ComparedNumber T>
void CompareToBits(Comparison comparison, const T* left, const T* right, int64_t n, SimdLevel level,
                   uint8_t* bits);

/// The same between `left[i]` and `bound`.
template <ComparedNumber T>
void CompareToBits(Comparison comparison, const T* left, T bound, int64_t n, SimdLevel level,
                   uint8_t* bits);

}  // namespace tusk::expr
