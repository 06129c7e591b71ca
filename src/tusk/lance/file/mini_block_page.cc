#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/dictionary.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/file/page.h"

namespace tusk::lance {
namespace {

constexpr uint64_t kAlignment = 8;
/// Enough for lists within lists within lists, each with null items.
constexpr size_t kMaxValueBuffers = 4;
/// Of one chunk, by the format.
constexpr int64_t kMaxChunkValues = 32768;

/// Where the chunks of a page begin, in rows and in bytes of the chunk buffer; one entry more than
/// there are chunks. And the page's dictionary.
class ChunkTable final : public PageIndex {
 public:
  std::vector<int64_t> rows;
  std::vector<int64_t> bytes;
  std::optional<Block> dictionary;

  int64_t num_chunks() const { return static_cast<int64_t>(rows.size()) - 1; }
  /// The chunk that holds a row of the page.
  int64_t Find(int64_t row) const { return std::ranges::upper_bound(rows, row) - rows.begin() - 1; }
};

/// The parts of a chunk.
struct Chunk {
  std::span<const uint8_t> levels;
  std::array<std::span<const uint8_t>, kMaxValueBuffers> buffers;
};

/// Cuts pieces of known length off the front of a chunk.
class ChunkCursor {
 public:
  explicit ChunkCursor(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  template <typename T>
  Result<T> Read() {
    ARROW_ASSIGN_OR_RAISE(const auto piece, Take(sizeof(T)));
    return LoadLittle<T>(piece.data());
  }
  Result<std::span<const uint8_t>> Take(uint64_t length) {
    if (length > bytes_.size() - at_) {
      return Corrupt("mini-block chunk of ", bytes_.size(), " bytes has a part of ", length,
                     " bytes at ", at_);
    }
    const auto piece = bytes_.subspan(at_, length);
    at_ += length;
    return piece;
  }
  void Align() { at_ = std::min<uint64_t>(RoundUp(at_, kAlignment), bytes_.size()); }

 private:
  std::span<const uint8_t> bytes_;
  uint64_t at_ = 0;
};

class MiniBlockPage final : public Page {
 public:
  /// `index` has the chunk table and, if there is one, the dictionary.
  MiniBlockPage(int64_t num_rows, bool has_large_chunk, std::optional<LevelDecoder> levels,
                std::unique_ptr<const ValueDecoder> values,
                std::optional<DictionaryDecoder> dictionary, std::vector<io::ByteRange> index,
                io::ByteRange chunks)
      : num_rows_(num_rows),
        has_large_chunk_(has_large_chunk),
        levels_(levels),
        values_(std::move(values)),
        dictionary_(std::move(dictionary)),
        index_(std::move(index)),
        chunks_(chunks) {}

  Status CheckShape(const ValueShape& shape) const override {
    return dictionary_ ? dictionary_->CheckShape(shape) : values_->CheckShape(shape);
  }
  std::vector<io::ByteRange> index_ranges() const override { return index_; }

  Result<std::unique_ptr<const PageIndex>> ParseIndex(
      std::span<const std::shared_ptr<arrow::Buffer>> bytes,
      arrow::MemoryPool* pool) const override;
  Status Plan(const PageIndex* index, const PageRequest& request,
              std::vector<PlannedRead>* reads) const override;
  Status Decode(const PageIndex* index, const PageRequest& request,
                std::span<const PlannedRead> reads,
                std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                ColumnOutput* out) const override;

 private:
  Status DecodeValues(const ChunkTable& table, const EncodedChunk& chunk, RowRange rows,
                      int64_t position, ColumnOutput* out) const;
  Status GatherValues(const ChunkTable& table, const EncodedChunk& chunk,
                      std::span<const TakenRow> rows, int64_t first_row, ColumnOutput* out) const;
  Result<Chunk> Bind(std::span<const uint8_t> bytes, int64_t num_values) const;
  void AddRead(const ChunkTable& table, RowRange chunks, std::vector<PlannedRead>* reads) const;

  int64_t num_rows_;
  bool has_large_chunk_;
  std::optional<LevelDecoder> levels_;
  std::unique_ptr<const ValueDecoder> values_;
  std::optional<DictionaryDecoder> dictionary_;  ///< absent if values are no indices
  std::vector<io::ByteRange> index_;
  io::ByteRange chunks_;
};

Result<std::unique_ptr<const PageIndex>> MiniBlockPage::ParseIndex(
    std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool) const {
  const arrow::Buffer& words = *bytes[0];
  const int64_t width = has_large_chunk_ ? 4 : 2;
  const int64_t count = words.size() / width;
  auto table = std::make_unique<ChunkTable>();
  table->rows.reserve(count + 1);
  table->bytes.reserve(count + 1);
  int64_t row = 0;
  int64_t byte = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t* at = words.data() + i * width;
    const uint32_t word = has_large_chunk_ ? LoadLittle<uint32_t>(at) : LoadLittle<uint16_t>(at);
    const bool is_last = i + 1 == count;
    const auto log_values = static_cast<int>(word & 0xF);
    if (log_values == 0 && !is_last) {
      return Corrupt("chunk ", i, " of ", count, " has no number of values");
    }
    table->rows.push_back(row);
    table->bytes.push_back(byte);
    const int64_t values = log_values == 0 ? num_rows_ - row : int64_t{1} << log_values;
    const int64_t size = (static_cast<int64_t>(word >> 4) + 1) * static_cast<int64_t>(kAlignment);
    if (values <= 0 || values > kMaxChunkValues || values > num_rows_ - row ||
        size > chunks_.length - byte) {
      return Corrupt("chunk ", i, " of ", count, " claims ", values, " values in ", size,
                     " bytes, after ", row, " of ", num_rows_, " values and ", byte, " of ",
                     chunks_.length, " bytes");
    }
    row += values;
    byte += size;
  }
  if (row != num_rows_) {
    return Corrupt("the ", count, " chunks of a page of ", num_rows_, " rows hold ", row);
  }
  table->rows.push_back(row);
  table->bytes.push_back(byte);
  if (dictionary_) {
    ARROW_ASSIGN_OR_RAISE(table->dictionary, dictionary_->DecodeItems(bytes[1], pool));
  }
  return table;
}

Status MiniBlockPage::DecodeValues(const ChunkTable& table, const EncodedChunk& chunk,
                                   RowRange rows, int64_t position, ColumnOutput* out) const {
  if (!dictionary_) return values_->DecodeInto(chunk, rows, position, out);
  return dictionary_->DecodeInto(*values_, *table.dictionary, chunk, rows, position, out);
}

Status MiniBlockPage::GatherValues(const ChunkTable& table, const EncodedChunk& chunk,
                                   std::span<const TakenRow> rows, int64_t first_row,
                                   ColumnOutput* out) const {
  if (!dictionary_) return values_->GatherInto(chunk, rows, first_row, out);
  return dictionary_->GatherInto(*values_, *table.dictionary, chunk, rows, first_row, out);
}

void MiniBlockPage::AddRead(const ChunkTable& table, RowRange chunks,
                            std::vector<PlannedRead>* reads) const {
  const int64_t begin = table.bytes[chunks.begin];
  reads->push_back(
      {.bytes = {.offset = chunks_.offset + begin, .length = table.bytes[chunks.end] - begin},
       .units = chunks});
}

Status MiniBlockPage::Plan(const PageIndex* index, const PageRequest& request,
                           std::vector<PlannedRead>* reads) const {
  const auto& table = static_cast<const ChunkTable&>(*index);
  if (!request.is_take()) {
    AddRead(table,
            {.begin = table.Find(request.rows.begin), .end = table.Find(request.rows.end - 1) + 1},
            reads);
    return Status::OK();
  }
  RowRange run{.begin = table.Find(request.taken.front().row - request.first_row)};
  run.end = run.begin + 1;
  for (const TakenRow& taken : request.taken) {
    const int64_t row = taken.row - request.first_row;
    if (row < table.rows[run.end]) continue;
    const int64_t chunk = table.Find(row);
    if (chunk != run.end) {
      AddRead(table, run, reads);
      run.begin = chunk;
    }
    run.end = chunk + 1;
  }
  AddRead(table, run, reads);
  return Status::OK();
}

Result<Chunk> MiniBlockPage::Bind(std::span<const uint8_t> bytes, int64_t num_values) const {
  ChunkCursor cursor(bytes);
  ARROW_ASSIGN_OR_RAISE(const uint16_t num_levels, cursor.Read<uint16_t>());
  uint16_t levels_size = 0;
  if (levels_) {
    ARROW_ASSIGN_OR_RAISE(levels_size, cursor.Read<uint16_t>());
    if (num_levels != num_values) {
      return Corrupt("mini-block chunk of ", num_values, " values has ", num_levels, " levels");
    }
  }
  std::array<uint32_t, kMaxValueBuffers> sizes{};
  for (size_t i = 0; i < values_->num_buffers(); ++i) {
    if (has_large_chunk_) {
      ARROW_ASSIGN_OR_RAISE(sizes[i], cursor.Read<uint32_t>());
    } else {
      ARROW_ASSIGN_OR_RAISE(sizes[i], cursor.Read<uint16_t>());
    }
  }
  cursor.Align();
  Chunk chunk;
  ARROW_ASSIGN_OR_RAISE(chunk.levels, cursor.Take(levels_size));
  for (size_t i = 0; i < values_->num_buffers(); ++i) {
    cursor.Align();
    ARROW_ASSIGN_OR_RAISE(chunk.buffers[i], cursor.Take(sizes[i]));
  }
  return chunk;
}

Status MiniBlockPage::Decode(const PageIndex* index, const PageRequest& request,
                             std::span<const PlannedRead> reads,
                             std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                             ColumnOutput* out) const {
  const auto& table = static_cast<const ChunkTable&>(*index);
  size_t next_taken = 0;
  for (size_t i = 0; i < reads.size(); ++i) {
    const RowRange chunks = reads[i].units;
    for (int64_t c = chunks.begin; c < chunks.end; ++c) {
      const int64_t begin = table.rows[c];
      const int64_t end = table.rows[c + 1];
      const std::span<const uint8_t> chunk_bytes(
          bytes[i]->data() + (table.bytes[c] - table.bytes[chunks.begin]),
          table.bytes[c + 1] - table.bytes[c]);
      ARROW_ASSIGN_OR_RAISE(const Chunk chunk, Bind(chunk_bytes, end - begin));
      const EncodedChunk encoded{.buffers = std::span(chunk.buffers).first(values_->num_buffers()),
                                 .num_values = end - begin};
      if (request.is_take()) {
        const size_t first = next_taken;
        const int64_t end_row = request.first_row + end;
        while (next_taken < request.taken.size() && request.taken[next_taken].row < end_row) {
          ++next_taken;
        }
        const auto taken = request.taken.subspan(first, next_taken - first);
        const int64_t first_row = request.first_row + begin;
        ARROW_RETURN_NOT_OK(GatherValues(table, encoded, taken, first_row, out));
        if (levels_) {
          ARROW_RETURN_NOT_OK(
              levels_->GatherInto(chunk.levels, end - begin, taken, first_row, out));
        }
        continue;
      }
      const RowRange rows{.begin = std::max(request.rows.begin, begin) - begin,
                          .end = std::min(request.rows.end, end) - begin};
      const int64_t position = request.position + begin + rows.begin - request.rows.begin;
      ARROW_RETURN_NOT_OK(DecodeValues(table, encoded, rows, position, out));
      if (levels_) {
        ARROW_RETURN_NOT_OK(levels_->DecodeInto(chunk.levels, end - begin, rows, position, out));
      }
    }
    if (out->shape().is_variable) out->Keep(bytes[i]);
  }
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<const Page>> MakeMiniBlockPage(const MiniBlockLayout& layout,
                                                      int64_t num_rows,
                                                      std::span<const io::ByteRange> buffers) {
  std::optional<LevelDecoder> levels;
  if (layout.levels) {
    ARROW_ASSIGN_OR_RAISE(levels, LevelDecoder::Make(*layout.levels));
  }
  ARROW_ASSIGN_OR_RAISE(auto values, MakeValueDecoder(layout.values));
  if (values->num_buffers() > kMaxValueBuffers) {
    return Unsupported("mini-block pages with ", values->num_buffers(),
                       " value buffers are not supported yet");
  }
  std::optional<DictionaryDecoder> dictionary;
  if (layout.dictionary) {
    ARROW_ASSIGN_OR_RAISE(dictionary, DictionaryDecoder::Make(*values, *layout.dictionary,
                                                              layout.num_dictionary_items));
  }
  if (buffers.size() != (dictionary ? 3U : 2U)) {
    return Corrupt("mini-block page with ", buffers.size(), " buffers");
  }
  if (const int64_t width = layout.has_large_chunk ? 4 : 2;
      buffers[0].length == 0 || buffers[0].length % width != 0) {
    return Corrupt("mini-block page with a chunk table of ", buffers[0].length, " bytes");
  }
  if (layout.num_buffers != values->num_buffers()) {
    return Corrupt("mini-block page with ", layout.num_buffers, " value buffers, not ",
                   values->num_buffers());
  }
  if (layout.num_items != static_cast<uint64_t>(num_rows)) {
    return Corrupt("mini-block page of ", num_rows, " rows claims ", layout.num_items, " values");
  }
  const uint64_t min_bytes = values->MinBytes(layout.num_items);
  if (min_bytes > static_cast<uint64_t>(buffers[1].length)) {
    return Corrupt("mini-block page claims ", num_rows, " rows in ", buffers[1].length, " bytes");
  }
  std::vector<io::ByteRange> index = {buffers[0]};
  if (dictionary) {
    if (buffers[2].length == 0) return Corrupt("mini-block page with an empty dictionary");
    index.push_back(buffers[2]);
  }
  return std::make_unique<MiniBlockPage>(num_rows, layout.has_large_chunk, levels,
                                         std::move(values), std::move(dictionary), std::move(index),
                                         buffers[1]);
}

}  // namespace tusk::lance
