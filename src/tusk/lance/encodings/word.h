#pragma once

#include <cassert>
#include <cstdint>

namespace tusk::lance {

/// Calls `visit` with a word of `bits` bits, 8, 16, 32 or 64, of which only the type matters.
template <typename Visit>
auto VisitWord(int64_t bits, Visit visit) {
  switch (bits) {
    case 8:
      return visit(uint8_t{});
    case 16:
      return visit(uint16_t{});
    case 32:
      return visit(uint32_t{});
    default:
      assert(bits == 64);
      return visit(uint64_t{});
  }
}

}  // namespace tusk::lance
