#pragma once

#include <cstdint>

namespace tusk::lance {

/// Bit `i` of a bitmap, least significant bit of each byte first.
inline bool GetBit(const uint8_t* bits, int64_t i) { return (bits[i >> 3] >> (i & 7)) & 1; }
inline void ClearBit(uint8_t* bits, int64_t i) {
  bits[i >> 3] &= static_cast<uint8_t>(~(1u << (i & 7)));
}
inline void SetBit(uint8_t* bits, int64_t i) {
  bits[i >> 3] |= static_cast<uint8_t>(1u << (i & 7));
}

/// Copies `count` bits; those around them in `to` stay. Reads and writes no byte beyond the bits.
void CopyBits(const uint8_t* from, int64_t from_bit, int64_t count, uint8_t* to, int64_t to_bit);

/// Sets `count` bits to one.
void SetBits(uint8_t* bits, int64_t first, int64_t count);

/// Sets `count` bits to zero.
void ClearBits(uint8_t* bits, int64_t first, int64_t count);

/// The zero bits among `count`.
int64_t CountZeroBits(const uint8_t* bits, int64_t first, int64_t count);

/// Bytes that hold `bits` bits.
constexpr int64_t BytesForBits(int64_t bits) { return bits / 8 + (bits % 8 != 0); }

}  // namespace tusk::lance
