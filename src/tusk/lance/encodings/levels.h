#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <arrow/buffer_builder.h>
#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

/// Decodes repetition or definition levels: 16-bit words. They come flat, in packed blocks of one
/// width (out-of-line bitpacking; what does not fill a block is padded or follows as plain words),
/// in one block with its width in front (inline bitpacking), or as the 64-bit size of run values,
/// these, and a byte for the length of each run (run-length encoding); and any of that compressed.
/// Stateless: threads share one object.
class LevelDecoder {
 public:
  /// Unsupported, by name, for an encoding that is not covered.
  static Result<LevelDecoder> Make(const ValueEncoding& encoding);

  /// How many levels `bytes` hold, if a chunk of them says `declared`: that many, unless runs show
  /// that there are more than its 16 bits can say, which then are the lowest. Corrupt if runs show
  /// another number.
  Result<int64_t> CountLevels(std::span<const uint8_t> bytes, uint16_t declared) const;
  /// Decodes `num_levels` levels to the front of `levels`, which grows as needed. Corrupt if
  /// `bytes` do not hold them.
  Status Decode(std::span<const uint8_t> bytes, int64_t num_levels, arrow::MemoryPool* pool,
                std::vector<uint16_t>* levels) const;

  /// Columns without lists and structs, whose definition levels are 0 for a valid row and 1 for a
  /// null one: clears the validity of `rows` that are null, in the output from `position` on.
  /// `bytes` hold `num_levels` levels. Corrupt if they do not, or for another level.
  Status DecodeInto(std::span<const uint8_t> bytes, int64_t num_levels, RowRange rows,
                    int64_t position, ColumnOutput* out) const;
  /// The same for single rows; the first level is that of row number `first_row`.
  Status GatherInto(std::span<const uint8_t> bytes, int64_t num_levels,
                    std::span<const TakenRow> rows, int64_t first_row, ColumnOutput* out) const;

 private:
  LevelDecoder(ValueEncoding::Kind kind, int width) : kind_(kind), width_(width) {}
  /// Corrupt if `bytes` cannot hold so many levels; before memory is taken for them.
  Status CheckSize(std::span<const uint8_t> bytes, int64_t num_levels) const;
  /// The levels as words: `bytes` themselves, or decoded into `scratch`.
  Result<const uint8_t*> Words(std::span<const uint8_t> bytes, int64_t num_levels,
                               arrow::MemoryPool* pool, std::vector<uint16_t>* scratch) const;

  ValueEncoding::Kind kind_;
  /// Out-of-line bitpacking: bits of a packed level.
  int width_;
  std::optional<ValueEncoding::Compression> compression_;
};

/// Stores the repetition or the definition levels of a page, chunk by chunk, as LevelDecoder reads
/// them, in the one encoding that takes the fewest bytes: flat, out-of-line bitpacking, or
/// run-length encoding from data version 2.2 on.
class LevelEncoder {
 public:
  /// For the levels of a page of data version 2.`minor_version`, to be stored in chunks of about
  /// `chunk_levels`.
  static LevelEncoder Make(std::span<const uint16_t> levels, int minor_version,
                           int64_t chunk_levels);

  const ValueEncoding& encoding() const { return encoding_; }
  /// Appends the levels of a chunk, which are among those of the page; at most 8 bytes and 3 for
  /// each level.
  Status EncodeChunk(std::span<const uint16_t> levels, arrow::BufferBuilder* out) const;

 private:
  LevelEncoder(ValueEncoding encoding, int width) : encoding_(std::move(encoding)), width_(width) {}

  ValueEncoding encoding_;
  /// Out-of-line bitpacking: bits of a packed level.
  int width_;
};

/// Writes the definition levels of `count` rows outside lists and structs to `levels`: 0 for a
/// valid row, 1 for a null one, as the bits of `validity` from `first_bit` on say.
void NullLevels(const uint8_t* validity, int64_t first_bit, int64_t count, uint16_t* levels);

}  // namespace tusk::lance
