#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

class ValueEncoder;

/// Values in one block of packed integers.
inline constexpr int64_t kPackedBlock = 1024;

/// Bytes of a block of values of `width` bits.
constexpr int64_t PackedBytes(int64_t width) { return kPackedBlock * width / 8; }

/// Bytes of the words of all lanes that lie side by side.
inline constexpr int64_t kPackedRow = kPackedBlock / 8;

template <typename T>
inline constexpr int kWordBits = 8 * sizeof(T);

/// The lowest `width` bits, at least one and at most all.
template <typename T>
constexpr T LowBits(int width) {
  return static_cast<T>(static_cast<T>(~T{0}) >> (kWordBits<T> - width));
}

/// Number of the value in row `row` of lane 0; those of the other lanes follow. Groups of eight
/// rows stand within the 128 values that share a vector position in the order of their three bits
/// reversed.
constexpr int64_t FirstOfPackedRow(int row) {
  constexpr int kGroupOrder[] = {0, 4, 2, 6, 1, 5, 3, 7};
  return kGroupOrder[row / 8] * int64_t{16} + int64_t{row % 8} * 128;
}

/// Packs kPackedBlock values, of which only the lowest `width` bits are set, into
/// PackedBytes(width) bytes. Neither needs alignment. The values of 1024 / bits(T) lanes lie side
/// by side, so that packing and unpacking work on whole vectors; the order is that of FastLanes
/// (Afroozeh and Boncz, "The FastLanes Compression Layout", VLDB 2023). Made for 8, 16, 32 and 64
/// bits.
template <typename T>
  requires std::is_unsigned_v<T>
void PackBlock(const T* values, int width, uint8_t* packed);

/// The reverse. `width` is at most the bits of T. `values` need no alignment.
template <typename T>
  requires std::is_unsigned_v<T>
void UnpackBlock(const uint8_t* packed, int width, T* values);

/// Value number `i` of a block.
template <typename T>
  requires std::is_unsigned_v<T>
T UnpackOne(const uint8_t* packed, int width, int64_t i);

/// Bits of the widest of `num_values` values of `bits` bits, 8, 16, 32 or 64; 0 if all are 0.
/// `values` need no alignment.
int WidestBits(const uint8_t* values, int64_t bits, int64_t num_values);

/// Bytes of `num_values` values of `bits` bits in out-of-line bitpacking of `width`: whole blocks,
/// and what is left over as plain words or as one more block, whichever is shorter.
int64_t PackedBlocksSize(int64_t bits, int width, int64_t num_values);

/// Writes them. `values` have at most `width` bits, which are at least one; neither they nor
/// `packed` need alignment.
void PackBlocks(const uint8_t* values, int64_t bits, int width, int64_t num_values,
                uint8_t* packed);

/// How they are described.
ValueEncoding OutOfLineBitpackingEncoding(int64_t bits, int width);

/// Inline bitpacking: chunks of at most kPackedBlock values of `bits` bits; each is one word of
/// `bits` bits with the width, then one block. One buffer. Corrupt for bits that no word has.
Result<std::unique_ptr<const ValueDecoder>> MakeInlineBitpackingDecoder(uint64_t bits);

/// Stores values of `bits` bits, 8, 16, 32 or 64, as that decoder reads them. A chunk has
/// kPackedBlock values, and is as wide as its own widest.
std::unique_ptr<ValueEncoder> MakeInlineBitpackingEncoder(int64_t bits);

}  // namespace tusk::lance
