#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tusk/base/little_endian.h"

namespace tusk::lance {

/// A symbol of FSST: 1 to 8 bytes, of which the first is the lowest; those beyond are zero.
struct FsstSymbol {
  uint64_t bytes = 0;
  uint32_t length = 0;

  bool operator==(const FsstSymbol&) const = default;
};

/// The `length` lowest bytes of a word, 1 to 8.
constexpr uint64_t LowestBytes(uint64_t word, uint32_t length) {
  return word & (~uint64_t{0} >> (64 - 8 * length));
}

/// Up to 8 bytes as a word, zero beyond them.
inline uint64_t LoadFew(const uint8_t* bytes, size_t count) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  return word;
}

/// What stands for the next bytes of a text: the code of a symbol, or an escaped byte.
class FsstMatch {
 public:
  /// A byte that no symbol begins with.
  static constexpr uint32_t kEscape = 0x1FF;

  FsstMatch() = default;
  FsstMatch(uint32_t code, uint32_t length) : bits_(length << 12 | code) {}
  /// `yes` or `no`, without a branch: which of them is not to be foreseen.
  static FsstMatch Choose(bool is_yes, FsstMatch yes, FsstMatch no) {
    FsstMatch match;
    match.bits_ = no.bits_ ^ ((no.bits_ ^ yes.bits_) & -static_cast<uint32_t>(is_yes));
    return match;
  }
  static FsstMatch FromBits(uint32_t bits) {
    FsstMatch match;
    match.bits_ = bits;
    return match;
  }

  bool is_escape() const { return (bits_ & kEscape) == kEscape; }
  /// Of the symbol; not of an escaped byte.
  uint32_t code() const { return bits_ & 0xFF; }
  /// Bytes of the text that it stands for.
  uint32_t length() const { return bits_ >> 12; }
  uint32_t bits() const { return bits_; }

  /// Writes what stands for the lowest bytes of `word` to `to`, which has room for two bytes, and
  /// answers the end of that.
  uint8_t* Write(uint64_t word, uint8_t* to) const {
    StoreLittle(static_cast<uint16_t>((bits_ & 0xFF) | word << 8), to);
    return to + 1 + (bits_ >> 8 & 1);
  }

 private:
  uint32_t bits_ = 0;  ///< from bit 0 the code, or kEscape; from bit 12 the length
};

/// Finds the symbol that a text goes on with, in the tables of the FSST paper: one of all pairs of
/// bytes, and one in which each symbol of 3 or more bytes has a slot that follows from its first
/// three. Of two symbols with the same slot only one can be found.
class FsstMatcher {
 public:
  static constexpr int kSlotBits = 10;
  static constexpr size_t kNumSlots = size_t{1} << kSlotBits;
  static constexpr uint32_t kMinSlotLength = 3;

  /// The slot of symbols that begin with the three lowest bytes of `word`.
  static constexpr size_t SlotOf(uint64_t word) {
    return (static_cast<uint32_t>(word) << 8) * kMultiplier >> (32 - kSlotBits);
  }

  /// The code of each symbol is its place in `symbols`, at most 255 that differ; those of
  /// kMinSlotLength and more have slots of their own.
  void Reset(std::span<const FsstSymbol> symbols);

  /// The longest symbol that `word` begins with.
  FsstMatch Match(uint64_t word) const {
    const Slot& slot = slots_[SlotOf(word)];
    return FsstMatch::Choose(slot.Begins(word), slot.match,
                             FsstMatch::FromBits(pairs_[word & 0xFFFF]));
  }
  /// The same if only the `left` lowest bytes of `word` belong to the text, at least one.
  FsstMatch Match(uint64_t word, size_t left) const {
    const Slot& slot = slots_[SlotOf(word)];
    const bool fits = slot.Begins(word) && slot.match.length() <= left;
    const uint16_t shorter = left > 1 ? pairs_[word & 0xFFFF] : bytes_[word & 0xFF];
    return FsstMatch::Choose(fits, slot.match, FsstMatch::FromBits(shorter));
  }

 private:
  /// That of the paper's authors.
  static constexpr uint32_t kMultiplier = 2971215073;

  struct Slot {
    uint64_t bytes;
    uint32_t unused_bits;  ///< of a word of which all are compared, but these
    FsstMatch match;

    bool Begins(uint64_t word) const { return (word ^ bytes) << unused_bits == 0; }
  };

  std::array<Slot, kNumSlots> slots_;
  std::array<uint16_t, 256> bytes_;
  /// By the first byte and 256 times the second: symbols of two bytes, else of the first.
  std::array<uint16_t, 65536> pairs_;
};

}  // namespace tusk::lance
