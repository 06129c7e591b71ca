#pragma once

#include <cstdint>

#include "tusk/lance/encodings/rows_view.h"

namespace tusk::lance {

/// What the encodings of plain words of 8, 16, 32 or 64 bits make of a page, without encoding it.
struct WordStatistics {
  /// All words are the same, or there are none.
  bool is_constant = false;
  /// As MakeRleEncoder stores them in chunks of kMaxChunkValues; the smaller ones that it makes of
  /// short runs cut runs elsewhere.
  int64_t num_runs = 0;
  /// Bytes of what MakeInlineBitpackingEncoder stores.
  int64_t bitpacked_bytes = 0;
  /// Bits of the widest word.
  int widest_bits = 0;

  /// Of all words of `rows`, under nulls too.
  static WordStatistics Of(const RowsView& rows);

  /// Bytes of the runs and their lengths, of words of `bits` bits.
  int64_t rle_bytes(int64_t bits) const { return num_runs * (bits / 8 + 1); }
};

/// Whether all rows that are not null are the same, in any shape; also if there are none. Of lists
/// the items are compared, also where they are null. Stops at the first that differs.
bool AllRowsEqual(const RowsView& rows);

}  // namespace tusk::lance
