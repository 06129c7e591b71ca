#pragma once

#include <bit>
#include <cstdint>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bits.h"

namespace tusk::lance {

/// Calls `visit(i)` for each `i` whose bit is set among `length` from bit `offset` on, ascending.
template <typename Visit>
void VisitSetBits(const uint8_t* bits, int64_t offset, int64_t length, const Visit& visit) {
  constexpr int64_t kWord = 64;
  int64_t i = 0;
  if (offset % 8 == 0) {
    for (; i + kWord <= length; i += kWord) {
      auto word = LoadLittle<uint64_t>(bits + (offset + i) / 8);
      for (; word != 0; word &= word - 1) visit(i + std::countr_zero(word));
    }
  }
  for (; i < length; ++i) {
    if (GetBit(bits, offset + i)) visit(i);
  }
}

}  // namespace tusk::lance
