#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/block.h"
#include "tusk/lance/file/page.h"

namespace tusk::lance {

/// Of one chunk, by the format: a multiple of this many bytes.
inline constexpr uint64_t kChunkAlignment = 8;
/// Of one chunk, by the format.
inline constexpr int64_t kMaxChunkValues = 32768;
/// Of one chunk: what runs of lengths up to 255 can tell in the 64 KiB that a chunk's header can
/// give them.
inline constexpr int64_t kMaxChunkLevels = int64_t{1} << 23;

/// What a mini-block page says of its chunks together.
struct ChunkTotals {
  int64_t num_slots = 0;
  int64_t num_bytes = 0;
  bool has_lists = false;
};

/// Where the chunks of a page begin, in value slots, in rows and in bytes of the chunk buffer; one
/// entry more than there are chunks. And the page's dictionary.
class ChunkTable final : public PageIndex {
 public:
  /// `words` of `width` bytes, one for each chunk, little-endian: in the lowest 4 bits the binary
  /// logarithm of the number of its values, 0 for the last if it has the rest; above them its
  /// bytes, as multiples of kChunkAlignment less one. Corrupt if they do not add up to `totals`.
  static Result<std::unique_ptr<ChunkTable>> Parse(std::span<const uint8_t> words, int64_t width,
                                                   const ChunkTotals& totals);
  /// Adds rows out of a repetition index, `stride` words of 64 bits for each chunk. Corrupt if they
  /// are not `num_rows`.
  Status ParseRows(std::span<const uint8_t> index, int64_t stride, int64_t num_rows);

  std::vector<int64_t> slots;
  std::vector<int64_t> bytes;
  /// Columns with lists: rows that begin before each chunk, and whether the chunk begins within
  /// one. Empty without lists, where each slot is a row.
  std::vector<int64_t> row_starts;
  std::vector<bool> begins_within;
  std::optional<Block> dictionary;

  int64_t num_chunks() const { return static_cast<int64_t>(slots.size()) - 1; }
  const std::vector<int64_t>& rows() const { return row_starts.empty() ? slots : row_starts; }
  bool BeginsWithin(int64_t chunk) const { return !begins_within.empty() && begins_within[chunk]; }
  /// The chunk in which a row of the page begins.
  int64_t Find(int64_t row) const {
    return std::ranges::upper_bound(rows(), row) - rows().begin() - 1;
  }
  /// One more than the last chunk that has something of `row`.
  int64_t FindEnd(int64_t row) const;
};

}  // namespace tusk::lance
