#pragma once

#include <cstdint>
#include <span>

#include "tusk/base/simd_level.h"

namespace tusk::expr {

/// What ToTruthBits takes at most.
inline constexpr int64_t kMostTruths = 32;

/// Sets bit `i` of `bits` if bit `codes[i]` of `truths` is set, else clears it; also clears the
/// bits that fill the last byte. Codes from kMostTruths on are false. `level` is one of this CPU's.
void ToTruthBits(std::span<const int32_t> codes, uint32_t truths, SimdLevel level, uint8_t* bits);

}  // namespace tusk::expr
