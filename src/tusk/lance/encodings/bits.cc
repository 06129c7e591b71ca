#include "tusk/lance/encodings/bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/decode_kernels.h"

namespace tusk::lance {
namespace {

/// So many bits fit a 64-bit word whatever their offset within the first byte.
constexpr int64_t kStep = 56;
constexpr int64_t kWord = 64;

uint64_t LoadBits(const uint8_t* bits, int64_t first, int64_t count) {
  const int64_t shift = first & 7;
  uint64_t word = 0;
  std::memcpy(&word, bits + (first >> 3), BytesForBits(shift + count));
  return (word >> shift) & ((uint64_t{1} << count) - 1);
}

void StoreBits(uint64_t value, int64_t count, uint8_t* bits, int64_t first) {
  const int64_t shift = first & 7;
  const uint64_t mask = ((uint64_t{1} << count) - 1) << shift;
  uint64_t word = 0;
  std::memcpy(&word, bits + (first >> 3), BytesForBits(shift + count));
  word = (word & ~mask) | (value << shift);
  std::memcpy(bits + (first >> 3), &word, BytesForBits(shift + count));
}

void FillBits(bool value, uint8_t* bits, int64_t first, int64_t count) {
  while (count > 0) {
    if ((first & 7) == 0 && count >= 8) {
      std::memset(bits + (first >> 3), value ? 0xFF : 0, count >> 3);
      first += count & ~int64_t{7};
      count &= 7;
      continue;
    }
    const int64_t step = std::min(count, 8 - (first & 7));
    const auto mask = static_cast<uint8_t>(((1u << step) - 1) << (first & 7));
    uint8_t& byte = bits[first >> 3];
    byte = static_cast<uint8_t>(value ? byte | mask : byte & ~mask);
    first += step;
    count -= step;
  }
}

}  // namespace

void CopyBits(const uint8_t* from, int64_t from_bit, int64_t count, uint8_t* to, int64_t to_bit) {
  // A byte that holds none of the bits is not touched.
  if (count == 0) return;
  const auto copy_few = [&](int64_t step) {
    StoreBits(LoadBits(from, from_bit, step), step, to, to_bit);
    from_bit += step;
    to_bit += step;
    count -= step;
  };
  if ((to_bit & 7) != 0) copy_few(std::min(count, 8 - (to_bit & 7)));
  const int64_t words = count / kWord;
  const int64_t shift = from_bit & 7;
  const uint8_t* source = from + (from_bit >> 3);
  uint8_t* target = to + (to_bit >> 3);
  if (shift == 0) {
    const int64_t bytes = count >> 3;
    if (bytes > 0) std::memcpy(target, source, bytes);
    from_bit += bytes * 8;
    to_bit += bytes * 8;
    count -= bytes * 8;
  } else {
    for (int64_t i = 0; i < words; ++i, source += 8, target += 8) {
      // The last bits of the word are the first ones of the byte behind it.
      const uint64_t rest = uint64_t{source[8]} << (kWord - shift);
      StoreLittle(LoadLittle<uint64_t>(source) >> shift | rest, target);
    }
    from_bit += words * kWord;
    to_bit += words * kWord;
    count -= words * kWord;
  }
  while (count > 0) copy_few(std::min(count, kStep));
}

void SetBits(uint8_t* bits, int64_t first, int64_t count) { FillBits(true, bits, first, count); }

void ClearBits(uint8_t* bits, int64_t first, int64_t count) { FillBits(false, bits, first, count); }

int64_t CountZeroBits(const uint8_t* bits, int64_t first, int64_t count) {
  int64_t zeros = count;
  const auto count_few = [&](int64_t step) {
    if (step > 0) zeros -= std::popcount(LoadBits(bits, first, step));
    first += step;
    count -= step;
  };
  if ((first & 7) != 0) count_few(std::min(count, 8 - (first & 7)));
  const int64_t bytes = count >> 3;
  if (bytes > 0) zeros -= Kernels().count_ones(bits + (first >> 3), bytes);
  first += bytes * 8;
  count -= bytes * 8;
  count_few(count);
  return zeros;
}

}  // namespace tusk::lance
