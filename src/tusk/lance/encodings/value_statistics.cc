#include "tusk/lance/encodings/value_statistics.h"

#include <algorithm>
#include <cstring>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/rle.h"
#include "tusk/lance/encodings/value_encoder.h"

namespace tusk::lance {
namespace {

/// Whether `count` items of `size` bytes that stand side by side are the same.
bool AllSame(const uint8_t* items, int64_t size, int64_t count) {
  return size == 0 || count < 2 || std::memcmp(items, items + size, size * (count - 1)) == 0;
}

/// The same for items of `size` bits, the first at bit `first`.
bool AllSameBits(const uint8_t* items, int64_t first, int64_t size, int64_t count) {
  if (size == 1) {
    const int64_t zeros = CountZeroBits(items, first, count);
    return zeros == 0 || zeros == count;
  }
  for (int64_t bit = first; bit < first + size * (count - 1); ++bit) {
    if (GetBit(items, bit) != GetBit(items, bit + size)) return false;
  }
  return true;
}

bool AllTextsSame(const RowsView& rows) {
  const int64_t size = rows.Length(0);
  for (int64_t row = 1; row < rows.num_rows; ++row) {
    if (rows.Length(row) != size) return false;
  }
  return AllSame(rows.values + rows.Offset(0), size, rows.num_rows);
}

bool AllValidSame(const RowsView& rows) {
  RowsView valid = rows;
  valid.validity = nullptr;
  if (valid.shape->is_variable) return AllTextsSame(valid);
  const int64_t bits = valid.shape->row_bits();
  if (bits % 8 != 0 || valid.values_bit % 8 != 0) {
    return AllSameBits(valid.values, valid.values_bit, bits, valid.num_rows);
  }
  return AllSame(valid.values + valid.values_bit / 8, bits / 8, valid.num_rows);
}

/// Whether two rows are the same.
bool AreSame(const RowsView& rows, int64_t a, int64_t b) {
  if (rows.shape->is_variable) {
    const int64_t size = rows.Length(a);
    return rows.Length(b) == size &&
           (size == 0 ||
            std::memcmp(rows.values + rows.Offset(a), rows.values + rows.Offset(b), size) == 0);
  }
  const int64_t bits = rows.shape->row_bits();
  const int64_t first = rows.values_bit + a * bits;
  const int64_t second = rows.values_bit + b * bits;
  if (bits % 8 == 0 && first % 8 == 0) {
    return std::memcmp(rows.values + first / 8, rows.values + second / 8, bits / 8) == 0;
  }
  for (int64_t i = 0; i < bits; ++i) {
    if (GetBit(rows.values, first + i) != GetBit(rows.values, second + i)) return false;
  }
  return true;
}

}  // namespace

WordStatistics WordStatistics::Of(const RowsView& rows) {
  const int64_t bits = rows.shape->bits;
  const uint8_t* values = rows.values + rows.values_bit / 8;
  WordStatistics statistics;
  // Pieces that stay in the nearest cache.
  for (int64_t piece = 0; piece < rows.num_rows; piece += kMaxChunkValues) {
    const int64_t end = std::min(piece + kMaxChunkValues, rows.num_rows);
    statistics.num_runs += CountRuns(values + piece * bits / 8, bits, end - piece);
    for (int64_t block = piece; block < end; block += kPackedBlock) {
      const int width =
          WidestBits(values + block * bits / 8, bits, std::min(kPackedBlock, end - block));
      statistics.widest_bits = std::max(statistics.widest_bits, width);
      statistics.bitpacked_bytes += bits / 8 + PackedBytes(width);
    }
  }
  statistics.is_constant = AllSame(values, bits / 8, rows.num_rows);
  return statistics;
}

bool AllRowsEqual(const RowsView& rows) {
  if (rows.num_rows < 2 || rows.shape->is_nothing()) return true;
  if (rows.validity == nullptr) return AllValidSame(rows);
  int64_t first = 0;
  while (first < rows.num_rows && rows.IsNull(first)) ++first;
  for (int64_t row = first + 1; row < rows.num_rows; ++row) {
    if (!rows.IsNull(row) && !AreSame(rows, first, row)) return false;
  }
  return true;
}

}  // namespace tusk::lance
