#include "tusk/lance/file/mini_block_chunk.h"

#include <algorithm>

#include "tusk/base/little_endian.h"
#include "tusk/lance/file/mini_block_table.h"

namespace tusk::lance {
namespace {

/// Cuts pieces of known length off the front of a chunk. Once one does not fit, they are empty.
class ChunkCursor {
 public:
  explicit ChunkCursor(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  template <typename T>
  T Read() {
    const auto piece = Take(sizeof(T));
    return piece.empty() ? T{0} : LoadLittle<T>(piece.data());
  }
  std::span<const uint8_t> Take(uint64_t length) {
    if (length > bytes_.size() - at_) [[unlikely]] {
      if (!misfit_) misfit_ = Misfit{.length = length, .at = at_};
      at_ = bytes_.size();
      return {};
    }
    const auto piece = bytes_.subspan(at_, length);
    at_ += length;
    return piece;
  }
  void Align() { at_ = std::min<uint64_t>(RoundUp(at_, kChunkAlignment), bytes_.size()); }
  /// Corrupt if a piece did not fit.
  Status status() const {
    if (!misfit_) return Status::OK();
    return Corrupt("mini-block chunk of ", bytes_.size(), " bytes has a part of ", misfit_->length,
                   " bytes at ", misfit_->at);
  }

 private:
  struct Misfit {
    uint64_t length;
    uint64_t at;
  };
  std::span<const uint8_t> bytes_;
  uint64_t at_ = 0;
  std::optional<Misfit> misfit_;
};

}  // namespace

Result<Chunk> BindChunk(std::span<const uint8_t> bytes, const ChunkParts& parts) {
  ChunkCursor cursor(bytes);
  Chunk chunk;
  chunk.num_levels = cursor.Read<uint16_t>();
  const uint16_t repetition_size = parts.has_repetition ? cursor.Read<uint16_t>() : 0;
  const uint16_t definition_size = parts.has_definition ? cursor.Read<uint16_t>() : 0;
  std::array<uint32_t, kMaxValueBuffers> sizes{};
  for (size_t i = 0; i < parts.num_value_buffers; ++i) {
    sizes[i] = parts.has_large_buffers ? cursor.Read<uint32_t>() : cursor.Read<uint16_t>();
  }
  cursor.Align();
  chunk.repetition = cursor.Take(repetition_size);
  cursor.Align();
  chunk.definition = cursor.Take(definition_size);
  for (size_t i = 0; i < parts.num_value_buffers; ++i) {
    cursor.Align();
    chunk.buffers[i] = cursor.Take(sizes[i]);
  }
  ARROW_RETURN_NOT_OK(cursor.status());
  return chunk;
}

Result<int64_t> ChunkLevelReader::CountLevels(const Chunk& chunk, const Expected& expected) const {
  int64_t count = repetition_ || definition_ ? chunk.num_levels : expected.num_values;
  if (repetition_) {
    ARROW_ASSIGN_OR_RAISE(count, repetition_->CountLevels(chunk.repetition, chunk.num_levels));
  }
  if (definition_) {
    ARROW_ASSIGN_OR_RAISE(const int64_t other,
                          definition_->CountLevels(chunk.definition, chunk.num_levels));
    // The more of the two knows better: only runs can tell more than 16 bits of a header.
    count = std::max(count, other);
  }
  if (count <= kMaxChunkLevels) return count;
  return Corrupt("chunk ", expected.chunk, " has ", count, " levels");
}

Result<Levels> ChunkLevelReader::Read(const Chunk& chunk, const Expected& expected) {
  Levels levels;
  ARROW_ASSIGN_OR_RAISE(levels.count, CountLevels(chunk, expected));
  if (repetition_) {
    ARROW_RETURN_NOT_OK(
        repetition_->Decode(chunk.repetition, levels.count, pool_, &repetition_levels_));
    levels.repetition = repetition_levels_.data();
  }
  if (definition_) {
    ARROW_RETURN_NOT_OK(
        definition_->Decode(chunk.definition, levels.count, pool_, &definition_levels_));
    levels.definition = definition_levels_.data();
  }
  ARROW_RETURN_NOT_OK(Check(levels, expected));
  return levels;
}

Status ChunkLevelReader::Check(const Levels& levels, const Expected& expected) const {
  const int64_t values = levels.CountVisible(meaning_);
  const int64_t rows = levels.CountRows(meaning_);
  if (values != expected.num_values || rows != expected.num_rows) {
    return Corrupt("chunk ", expected.chunk, " of ", expected.num_values, " values and ",
                   expected.num_rows, " rows has ", levels.count, " levels with ", values,
                   " values and ", rows, " rows");
  }
  if (levels.repetition != nullptr && levels.count > 0 &&
      (levels.repetition[0] == meaning_.max_repetition()) == expected.begins_within) {
    return Corrupt("chunk ", expected.chunk, " begins ", expected.begins_within ? "with" : "within",
                   " a row, which its page's repetition index says otherwise");
  }
  return Status::OK();
}

ChunkRows::Place ChunkRows::Find(int64_t row) {
  const int64_t from = place_.entry;
  if (meaning_.max_repetition() == 0) {
    place_.entry = std::min(levels_.count, place_.entry + row - row_);
    row_ = row;
  } else {
    // `row_` is the number of the next row to begin at or behind `place_`.
    while (place_.entry < levels_.count) {
      if (levels_.repetition[place_.entry] == meaning_.max_repetition()) {
        if (row_ == row) break;
        ++row_;
      }
      ++place_.entry;
    }
  }
  place_.slot += levels_.Slice(from, place_.entry - from).CountVisible(meaning_);
  return place_;
}

}  // namespace tusk::lance
