#include "tusk/lance/encodings/fsst_matcher.h"

#include <algorithm>

namespace tusk::lance {

void FsstMatcher::Reset(std::span<const FsstSymbol> symbols) {
  // No word is the one in an empty slot, because that one belongs to another slot.
  static_assert(SlotOf(0) == 0 && SlotOf(1) != 0);
  slots_.fill({.bytes = 0, .unused_bits = 0, .match = {}});
  slots_[0].bytes = 1;
  bytes_.fill(static_cast<uint16_t>(FsstMatch(FsstMatch::kEscape, 1).bits()));
  for (size_t i = 0; i < symbols.size(); ++i) {
    const auto& [bytes, length] = symbols[i];
    const FsstMatch match(static_cast<uint32_t>(i), length);
    if (length == 1) {
      bytes_[bytes] = static_cast<uint16_t>(match.bits());
    } else if (length >= kMinSlotLength) {
      slots_[SlotOf(bytes)] = {.bytes = bytes, .unused_bits = 64 - 8 * length, .match = match};
    }
  }
  for (size_t second = 0; second < 256; ++second) {
    std::ranges::copy(bytes_, pairs_.begin() + static_cast<ptrdiff_t>(256 * second));
  }
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (symbols[i].length != 2) continue;
    pairs_[symbols[i].bytes] = static_cast<uint16_t>(FsstMatch(static_cast<uint32_t>(i), 2).bits());
  }
}

}  // namespace tusk::lance
