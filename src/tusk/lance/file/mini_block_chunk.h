#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/file/structure.h"

namespace tusk::lance {

/// Enough for lists within lists within lists, each with null items.
inline constexpr size_t kMaxValueBuffers = 4;

/// The parts of a chunk.
struct Chunk {
  uint16_t num_levels = 0;  ///< as its header says
  std::span<const uint8_t> repetition;
  std::span<const uint8_t> definition;
  std::array<std::span<const uint8_t>, kMaxValueBuffers> buffers;
};

/// Which parts the chunks of a page have.
struct ChunkParts {
  bool has_repetition = false;
  bool has_definition = false;
  bool has_large_buffers = false;  ///< whose sizes take 32 bits, not 16
  size_t num_value_buffers = 0;    ///< at most kMaxValueBuffers
};

/// The parts of a chunk of `bytes`. Corrupt if one does not fit.
Result<Chunk> BindChunk(std::span<const uint8_t> bytes, const ChunkParts& parts);

/// Decodes the levels of chunks, one after the other.
class ChunkLevelReader {
 public:
  /// What stands in the page's metadata and index about a chunk.
  struct Expected {
    int64_t chunk = 0;  ///< its number
    int64_t num_values = 0;
    int64_t num_rows = 0;  ///< that begin in it
    bool begins_within = false;
  };

  /// A decoder that is absent has no levels in any chunk.
  ChunkLevelReader(const LevelMeaning& meaning, const std::optional<LevelDecoder>& repetition,
                   const std::optional<LevelDecoder>& definition, arrow::MemoryPool* pool)
      : meaning_(meaning), repetition_(repetition), definition_(definition), pool_(pool) {}

  /// The levels of `chunk`, until the next call. Corrupt if they are not what is expected.
  Result<Levels> Read(const Chunk& chunk, const Expected& expected);

 private:
  Result<int64_t> CountLevels(const Chunk& chunk, const Expected& expected) const;
  Status Check(const Levels& levels, const Expected& expected) const;

  const LevelMeaning& meaning_;
  const std::optional<LevelDecoder>& repetition_;
  const std::optional<LevelDecoder>& definition_;
  arrow::MemoryPool* pool_;
  std::vector<uint16_t> repetition_levels_;
  std::vector<uint16_t> definition_levels_;
};

/// Walks over the entries of one chunk, by rows.
class ChunkRows {
 public:
  /// `first_row` is the first that begins in the chunk.
  ChunkRows(const LevelMeaning& meaning, const Levels& levels, int64_t first_row)
      : meaning_(meaning), levels_(levels), row_(first_row) {}

  struct Place {
    int64_t entry = 0;
    int64_t slot = 0;
  };
  /// Where `row` begins, which is not before the last that was asked for; the end of the chunk if
  /// none so high begins in it.
  Place Find(int64_t row);
  /// Where the chunk begins, whatever row that belongs to.
  static Place Begin() { return {}; }

 private:
  const LevelMeaning& meaning_;
  Levels levels_;
  int64_t row_;
  Place place_;
};

}  // namespace tusk::lance
