#pragma once

#include <span>

namespace tusk {

/// Which instructions inner loops are written in: what the compiler makes of plain code; AVX2 with
/// FMA; AVX-512 with F, BW, DQ and VL.
enum class SimdLevel { kPlain, kAvx2, kAvx512 };

/// The levels that this CPU runs, ascending, kPlain first.
std::span<const SimdLevel> SupportedSimdLevels();

}  // namespace tusk
