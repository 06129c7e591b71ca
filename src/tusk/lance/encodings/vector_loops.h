#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bitpacking.h"

/// Kernels of decode_kernels.h and encode_kernels.h that are the same at each level but for the
/// `kBytes` of a vector. They are inlined into functions of that level, so that none of them leaves
/// a file on its own.
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

/// Shifts each lane by `count`, less than its bits. There are no shifts of bytes: these are made of
/// those of two and a mask. In place, as a wide vector may not be returned in plain code.
template <typename T, int kBytes>
TUSK_INLINE void ShiftLeft(int count, Vector<T, kBytes>* lanes) {
  if constexpr (sizeof(T) > 1) {
    *lanes <<= static_cast<T>(count);
  } else {
    using Pairs = Vector<uint16_t, kBytes>;
    const Pairs pairs = reinterpret_cast<Pairs>(*lanes) << static_cast<uint16_t>(count);
    const T mask = static_cast<T>(~T{0} << count);
    *lanes = reinterpret_cast<Vector<T, kBytes>>(pairs) & mask;
  }
}
template <typename T, int kBytes>
TUSK_INLINE void ShiftRight(int count, Vector<T, kBytes>* lanes) {
  if constexpr (sizeof(T) > 1) {
    *lanes >>= static_cast<T>(count);
  } else {
    using Pairs = Vector<uint16_t, kBytes>;
    const Pairs pairs = reinterpret_cast<Pairs>(*lanes) >> static_cast<uint16_t>(count);
    const T mask = LowBits<T>(kWordBits<T> - count);
    *lanes = reinterpret_cast<Vector<T, kBytes>>(pairs) & mask;
  }
}

/// Packs a block of any width: the words of `kBytes` of lanes at a time, row after row.
template <typename T, int kBytes>
TUSK_INLINE void PackAnyWidth(const uint8_t* values, int width, uint8_t* packed) {
  using V = Vector<T, kBytes>;
  constexpr int kBits = kWordBits<T>;
  if (width == 0) return;
  for (int64_t column = 0; column < kPackedRow; column += kBytes) {
    uint8_t* to = packed + column;
    V word = {};
    int shift = 0;  // of the next row within the word
#pragma GCC unroll 1
    for (int group = 0; group < kBits; group += 8) {
      const uint8_t* from = values + column + FirstOfPackedRow(group) * sizeof(T);
#pragma GCC unroll 8
      for (int row = 0; row < 8; ++row) {
        V value = *reinterpret_cast<const V*>(from + row * kPackedRow * sizeof(T));
        V low = value;
        ShiftLeft<T, kBytes>(shift, &low);
        word |= low;
        shift += width;
        if (shift < kBits) continue;
        *reinterpret_cast<V*>(to) = word;
        to += kPackedRow;
        shift -= kBits;
        word = V{};
        if (shift == 0) continue;
        ShiftRight<T, kBytes>(width - shift, &value);
        word = value;
      }
    }
  }
}

/// The bits that any word has.
template <typename T, int kBytes>
TUSK_INLINE T Any(const uint8_t* words, int64_t n) {
  using V = Vector<T, kBytes>;
  constexpr int64_t kLanes = kBytes / sizeof(T);
  int64_t i = 0;
  V bits = {};
  V more = {};
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const uint8_t* at = words + i * static_cast<int64_t>(sizeof(T));
    bits |= *reinterpret_cast<const V*>(at);
    more |= *reinterpret_cast<const V*>(at + kBytes);
  }
  bits |= more;
  T any = 0;
  for (int64_t lane = 0; lane < kLanes; ++lane) any |= bits[lane];
  for (; i < n; ++i) any |= LoadLittle<T>(words + i * static_cast<int64_t>(sizeof(T)));
  return any;
}

TUSK_INLINE void NullsOneByOne(const uint8_t* bits, int64_t n, uint8_t* words) {
  for (int64_t i = 0; i < n; ++i) {
    const bool is_set = (bits[i / 8] >> (i % 8) & 1) != 0;
    StoreLittle(static_cast<uint16_t>(is_set ? 0 : 1), words + i * 2);
  }
}

/// As nulls16 of EncodeKernels, the bits of a T at a time, which are as many as a vector has words.
template <typename T, int kBytes>
TUSK_INLINE void Nulls(const uint8_t* bits, int64_t n, uint8_t* words) {
  using V = Vector<uint16_t, kBytes>;
  constexpr int64_t kLanes = kBytes / 2;
  static_assert(kLanes == kWordBits<T>);
  V bit;
  for (int64_t lane = 0; lane < kLanes; ++lane) bit[lane] = static_cast<uint16_t>(1 << lane);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const auto some = LoadLittle<T>(bits + i / 8);
    const V clear = reinterpret_cast<V>((bit & some) == V{});
    *reinterpret_cast<V*>(words + i * 2) = clear & uint16_t{1};
  }
  NullsOneByOne(bits + i / 8, n - i, words + i * 2);
}

/// Bit `i`: whether words `i` and `i` + 1 differ, of at most 64 pairs.
template <typename T>
TUSK_INLINE uint64_t ChangesOneByOne(const uint8_t* words, int64_t n) {
  uint64_t bits = 0;
  for (int64_t i = 0; i < n; ++i) {
    const uint8_t* at = words + i * static_cast<int64_t>(sizeof(T));
    bits |= uint64_t{LoadLittle<T>(at) != LoadLittle<T>(at + sizeof(T))} << i;
  }
  return bits;
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

/// Sixteen bytes.
struct Piece {
  using Bytes = Vector<uint8_t, 16>;
  Bytes bytes;
};

TUSK_INLINE Piece LoadPiece(const uint8_t* from) {
  return {.bytes = *reinterpret_cast<const Piece::Bytes*>(from)};
}
TUSK_INLINE void StorePiece(const Piece& piece, uint8_t* to) {
  *reinterpret_cast<Piece::Bytes*>(to) = piece.bytes;
}

/// The first or the second halves of `a` and `b`, byte by byte in turn.
TUSK_INLINE void Interleave(const Piece& a, const Piece& b, Piece* first, Piece* second) {
  first->bytes = __builtin_shufflevector(a.bytes, b.bytes, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21,
                                         6, 22, 7, 23);
  second->bytes = __builtin_shufflevector(a.bytes, b.bytes, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28,
                                          13, 29, 14, 30, 15, 31);
}

/// The first half of all bytes and the second half, byte by byte in turn.
template <int kPieces>
TUSK_INLINE void InterleaveHalves(Piece (&pieces)[kPieces]) {
  Piece next[kPieces];
#pragma GCC unroll 4
  for (int pair = 0; pair < kPieces / 2; ++pair) {
    Interleave(pieces[pair], pieces[pair + kPieces / 2], &next[2 * pair], &next[2 * pair + 1]);
  }
#pragma GCC unroll 8
  for (int piece = 0; piece < kPieces; ++piece) pieces[piece] = next[piece];
}

}  // namespace tusk::lance
