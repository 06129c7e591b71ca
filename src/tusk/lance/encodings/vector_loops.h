#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bitpacking.h"

/// Kernels of decode_kernels.h that are the same at each level but for the `kBytes` of a vector.
/// They are inlined into functions of that level, so that none of them leaves a file on its own.
#define TUSK_INLINE __attribute__((always_inline)) inline

namespace tusk::lance {

/// `kBytes / sizeof(T)` lanes, wherever they stand in memory.
template <typename T, int kBytes>
struct VectorOf {
  typedef T Type __attribute__((vector_size(kBytes), aligned(1), may_alias));  // NOLINT
};
template <typename T, int kBytes>
using Vector = typename VectorOf<T, kBytes>::Type;

/// Unpacks row `row` of the lanes at `packed`; `kBytes` of the 128 bytes of a row.
template <typename T, int kBytes>
TUSK_INLINE void UnpackRow(const uint8_t* packed, int width, int row, T mask, uint8_t* values) {
  using V = Vector<T, kBytes>;
  constexpr int kBits = kWordBits<T>;
  const int shift = row * width % kBits;
  const uint8_t* word = packed + row * width / kBits * kPackedRow;
  V lanes = *reinterpret_cast<const V*>(word) >> static_cast<T>(shift);
  if (shift + width > kBits) {
    lanes |= *reinterpret_cast<const V*>(word + kPackedRow) << static_cast<T>(kBits - shift);
  }
  *reinterpret_cast<V*>(values + FirstOfPackedRow(row) * sizeof(T)) = lanes & mask;
}

/// A block of one width, which the compiler knows: each row is a few instructions.
template <typename T, int kBytes, int kWidth>
TUSK_INLINE void UnpackWidth(const uint8_t* packed, uint8_t* values) {
  if constexpr (kWidth == 0) {
    std::memset(values, 0, kPackedBlock * sizeof(T));
  } else {
    constexpr T kMask = LowBits<T>(kWidth);
#pragma GCC unroll 1
    for (int64_t column = 0; column < kPackedRow; column += kBytes) {
#pragma GCC unroll 64
      for (int row = 0; row < kWordBits<T>; ++row) {
        UnpackRow<T, kBytes>(packed + column, kWidth, row, kMask, values + column);
      }
    }
  }
}

/// A block of any width.
template <typename T, int kBytes>
TUSK_INLINE void UnpackAnyWidth(const uint8_t* packed, int width, uint8_t* values) {
  if (width == 0) {
    std::memset(values, 0, kPackedBlock * sizeof(T));
    return;
  }
  const T mask = LowBits<T>(width);
  for (int row = 0; row < kWordBits<T>; ++row) {
    for (int64_t column = 0; column < kPackedRow; column += kBytes) {
      UnpackRow<T, kBytes>(packed + column, width, row, mask, values + column);
    }
  }
}

template <typename T, int kBytes>
TUSK_INLINE bool Ascends(const uint8_t* words, int64_t n) {
  using V = Vector<T, kBytes>;
  constexpr int64_t kLanes = kBytes / sizeof(T);
  int64_t i = 1;
  V falls = {};
  for (; i + kLanes <= n; i += kLanes) {
    const uint8_t* at = words + i * static_cast<int64_t>(sizeof(T));
    falls |= reinterpret_cast<V>(*reinterpret_cast<const V*>(at) <
                                 *reinterpret_cast<const V*>(at - sizeof(T)));
  }
  T any = 0;
  for (int64_t lane = 0; lane < kLanes; ++lane) any |= falls[lane];
  for (; i < n; ++i) {
    const uint8_t* at = words + i * static_cast<int64_t>(sizeof(T));
    any |= static_cast<T>(LoadLittle<T>(at) < LoadLittle<T>(at - sizeof(T)));
  }
  return any == 0;
}

template <typename From, typename To, int kBytes>
TUSK_INLINE void Add(const uint8_t* words, int64_t n, uint64_t delta, uint8_t* to) {
  using Sums = Vector<To, kBytes>;
  constexpr int64_t kLanes = kBytes / sizeof(To);
  using Words = Vector<From, static_cast<int>(kLanes * sizeof(From))>;
  const auto step = static_cast<To>(delta);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const uint8_t* from = words + i * static_cast<int64_t>(sizeof(From));
    *reinterpret_cast<Sums*>(to + i * static_cast<int64_t>(sizeof(To))) =
        __builtin_convertvector(*reinterpret_cast<const Words*>(from), Sums) + step;
  }
  for (; i < n; ++i) {
    const uint8_t* from = words + i * static_cast<int64_t>(sizeof(From));
    StoreLittle(static_cast<To>(LoadLittle<From>(from) + delta),
                to + i * static_cast<int64_t>(sizeof(To)));
  }
}

template <typename T, int kBytes>
TUSK_INLINE T Max(const uint8_t* words, int64_t n) {
  using V = Vector<T, kBytes>;
  constexpr int64_t kLanes = kBytes / sizeof(T);
  int64_t i = 0;
  V most = {};
  for (; i + kLanes <= n; i += kLanes) {
    const V next = *reinterpret_cast<const V*>(words + i * static_cast<int64_t>(sizeof(T)));
    most = next > most ? next : most;
  }
  T max = 0;
  for (int64_t lane = 0; lane < kLanes; ++lane) max = most[lane] > max ? most[lane] : max;
  for (; i < n; ++i) {
    const T next = LoadLittle<T>(words + i * static_cast<int64_t>(sizeof(T)));
    max = next > max ? next : max;
  }
  return max;
}

/// Bit `i`: whether word `i` of at most 64 is below `limit`.
TUSK_INLINE uint64_t BelowOneByOne(const uint8_t* words, int64_t n, uint16_t limit) {
  uint64_t bits = 0;
  for (int64_t i = 0; i < n; ++i) {
    bits |= uint64_t{LoadLittle<uint16_t>(words + i * 2) < limit} << i;
  }
  return bits;
}

/// Stores the lowest `n` bits of `bits`, in whole bytes.
TUSK_INLINE void StoreBits(uint64_t bits, int64_t n, uint8_t* to) {
  for (int64_t i = 0; i < n; i += 8, bits >>= 8) *to++ = static_cast<uint8_t>(bits);
}

}  // namespace tusk::lance
