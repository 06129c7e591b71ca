#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_decoder.h"

namespace tusk::lance {

/// Values in one block of packed integers.
inline constexpr int64_t kPackedBlock = 1024;

/// Bytes of a block of values of `width` bits.
constexpr int64_t PackedBytes(int64_t width) { return kPackedBlock * width / 8; }

/// Packs kPackedBlock values, of which only the lowest `width` bits are set, into
/// PackedBytes(width) bytes, which need no alignment. The values of 1024 / bits(T) lanes lie side
/// by side, so that packing and unpacking work on whole vectors; the order is that of FastLanes
/// (Afroozeh and Boncz, "The FastLanes Compression Layout", VLDB 2023). Made for 8, 16, 32 and 64
/// bits.
template <typename T>
  requires std::is_unsigned_v<T>
void PackBlock(const T* values, int width, uint8_t* packed);

/// The reverse. `width` is at most the bits of T.
template <typename T>
  requires std::is_unsigned_v<T>
void UnpackBlock(const uint8_t* packed, int width, T* values);

/// Value number `i` of a block.
template <typename T>
  requires std::is_unsigned_v<T>
T UnpackOne(const uint8_t* packed, int width, int64_t i);

/// Inline bitpacking: chunks of at most kPackedBlock values of `bits` bits; each is one word of
/// `bits` bits with the width, then one block. One buffer. Corrupt for bits that no word has.
Result<std::unique_ptr<const ValueDecoder>> MakeInlineBitpackingDecoder(uint64_t bits);

}  // namespace tusk::lance
