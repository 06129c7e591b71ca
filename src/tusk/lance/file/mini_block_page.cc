#include <algorithm>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/dictionary.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/file/mini_block_chunk.h"
#include "tusk/lance/file/mini_block_table.h"
#include "tusk/lance/file/page.h"

namespace tusk::lance {
namespace {

/// From so many wanted values on, or if the chunk has no more than twice as many, a run of them is
/// decoded as a range; below, value by value.
constexpr int64_t kManyValues = 64;

/// Chunks whose wanted rows the processor fetches while those of the others are decoded.
constexpr size_t kChunksAhead = 32;

/// How the parts of a page's chunks are encoded.
struct ChunkCodecs {
  std::optional<LevelDecoder> repetition;
  std::optional<LevelDecoder> definition;
  std::unique_ptr<const ValueDecoder> values;
  std::optional<DictionaryDecoder> dictionary;  ///< absent if values are no indices
};

class MiniBlockPage final : public Page {
 public:
  MiniBlockPage(const MiniBlockLayout& layout, Layers layers, int64_t num_rows, ChunkCodecs codecs,
                std::span<const io::ByteRange> buffers)
      : Page(layers),
        num_rows_(num_rows),
        num_slots_(static_cast<int64_t>(layout.num_items)),
        parts_({.has_repetition = codecs.repetition.has_value(),
                .has_definition = codecs.definition.has_value(),
                .has_large_buffers = layout.has_large_chunk,
                .num_value_buffers = codecs.values->num_buffers()}),
        packed_bits_(layout.values.kind == ValueEncoding::Kind::kInlineBitpacking
                         ? static_cast<int64_t>(layout.values.bits)
                         : 0),
        repetition_stride_(int64_t{layout.repetition_index_depth} + 1),
        codecs_(std::move(codecs)),
        index_(buffers.begin(), buffers.end()),
        chunks_(buffers[1]) {
    index_.erase(index_.begin() + 1);
  }

  Status CheckShape(const ValueShape& shape) const override {
    return codecs_.dictionary ? codecs_.dictionary->CheckShape(shape)
                              : codecs_.values->CheckShape(shape);
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
  std::optional<int64_t> num_items() const override {
    return codecs_.dictionary ? std::optional(codecs_.dictionary->num_items()) : std::nullopt;
  }
  std::optional<int> MostBits(const PageIndex* index, RowRange rows) const override;
  Status DecodeItems(const PageIndex* index, int64_t position, ColumnOutput* out) const override {
    return DictionaryDecoder::CopyItems(*static_cast<const ChunkTable&>(*index).dictionary,
                                        position, out);
  }
  Status DecodeCodes(const PageIndex* index, const PageRequest& request,
                     std::span<const PlannedRead> reads,
                     std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                     ColumnOutput* out) const override;
  Status PlanRuns(const PageIndex* index, std::span<const RowRange> runs,
                  std::vector<PlannedRead>* reads) const override;
  Result<std::unique_ptr<const PendingValues>> Unravel(
      const PageIndex* index, std::span<const RowRange> runs, std::span<const PlannedRead> reads,
      std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool,
      Structure* structure) const override;

  Status DecodeValues(const ChunkTable& table, const EncodedChunk& chunk, RowRange slots,
                      int64_t position, ColumnOutput* out) const;
  Status GatherValues(const ChunkTable& table, const EncodedChunk& chunk,
                      std::span<const TakenRow> slots, int64_t first_slot, ColumnOutput* out) const;

 private:
  class Values;

  /// A chunk, its slots and the rows that are wanted of them.
  struct TakenChunk {
    Chunk chunk;
    RowRange slots;
    std::span<const TakenRow> rows;
  };
  /// Decodes the rows of some chunks, after the processor has begun to fetch all of them.
  Status Gather(const ChunkTable& table, std::span<const TakenChunk> chunks, int64_t first_row,
                ColumnOutput* out) const;
  /// As Decode, for a take.
  Status Take(const ChunkTable& table, const PageRequest& request,
              std::span<const PlannedRead> reads,
              std::span<const std::shared_ptr<arrow::Buffer>> bytes, ColumnOutput* out) const;
  Result<Chunk> BindFlat(std::span<const uint8_t> bytes, int64_t num_values) const;
  /// Calls `visit(chunk, slots)` for every chunk that was read.
  template <typename Visit>
  Status VisitChunks(const ChunkTable& table, std::span<const PlannedRead> reads,
                     std::span<const std::shared_ptr<arrow::Buffer>> bytes, Visit visit) const;
  EncodedChunk ValuesOf(const Chunk& chunk, int64_t num_values) const {
    return {.buffers = std::span(chunk.buffers).first(parts_.num_value_buffers),
            .num_values = num_values};
  }
  void AddRead(const ChunkTable& table, RowRange chunks, std::vector<PlannedRead>* reads) const;

  int64_t num_rows_;
  int64_t num_slots_;
  ChunkParts parts_;
  int64_t packed_bits_;        ///< of a value that is bit-packed in each chunk; else 0
  int64_t repetition_stride_;  ///< words of the repetition index for each chunk
  ChunkCodecs codecs_;
  std::vector<io::ByteRange> index_;  ///< chunk table, dictionary, repetition index
  io::ByteRange chunks_;
};

Result<std::unique_ptr<const PageIndex>> MiniBlockPage::ParseIndex(
    std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool) const {
  const bool has_lists = meaning().max_repetition() > 0;
  ARROW_ASSIGN_OR_RAISE(
      auto table,
      ChunkTable::Parse(
          {bytes[0]->data(), static_cast<size_t>(bytes[0]->size())},
          parts_.has_large_buffers ? 4 : 2,
          {.num_slots = num_slots_, .num_bytes = chunks_.length, .has_lists = has_lists}));
  if (has_lists) {
    const arrow::Buffer& index = *bytes.back();
    ARROW_RETURN_NOT_OK(table->ParseRows({index.data(), static_cast<size_t>(index.size())},
                                         repetition_stride_, num_rows_));
  }
  if (codecs_.dictionary) {
    ARROW_ASSIGN_OR_RAISE(const Block items, codecs_.dictionary->DecodeItems(bytes[1], pool));
    ARROW_ASSIGN_OR_RAISE(table->dictionary, items.CopyTo(KeptPool()));
  }
  return table;
}

std::optional<int> MiniBlockPage::MostBits(const PageIndex* index, RowRange rows) const {
  const bool has_levels = codecs_.repetition || codecs_.definition;
  if (packed_bits_ == 0 || has_levels || codecs_.dictionary || index == nullptr) {
    return std::nullopt;
  }
  // A chunk has a header, the width of its values as one of them, and the packed block. A wider one
  // would not have room.
  const auto& table = static_cast<const ChunkTable&>(*index);
  const int64_t before = static_cast<int64_t>(kChunkAlignment) + packed_bits_ / 8;
  int64_t most = 0;
  const int64_t end = table.Find(rows.end - 1) + 1;
  for (int64_t chunk = table.Find(rows.begin); chunk < end; ++chunk) {
    const int64_t size = table.bytes[chunk + 1] - table.bytes[chunk];
    most = std::max(most, (size - before) / PackedBytes(1));
  }
  return static_cast<int>(std::min(most, packed_bits_));
}

Status MiniBlockPage::DecodeValues(const ChunkTable& table, const EncodedChunk& chunk,
                                   RowRange slots, int64_t position, ColumnOutput* out) const {
  if (!codecs_.dictionary) return codecs_.values->DecodeInto(chunk, slots, position, out);
  return codecs_.dictionary->DecodeInto(*codecs_.values, *table.dictionary, chunk, slots, position,
                                        out);
}

Status MiniBlockPage::GatherValues(const ChunkTable& table, const EncodedChunk& chunk,
                                   std::span<const TakenRow> slots, int64_t first_slot,
                                   ColumnOutput* out) const {
  if (!codecs_.dictionary) return codecs_.values->GatherInto(chunk, slots, first_slot, out);
  return codecs_.dictionary->GatherInto(*codecs_.values, *table.dictionary, chunk, slots,
                                        first_slot, out);
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
  // A read for each chunk, so that they can be kept one by one; the store reads neighbours at once.
  reads->reserve(reads->size() + std::min(request.taken.size(), table.bytes.size()));
  for (auto rest = request.taken; !rest.empty();) {
    const int64_t chunk = table.Find(rest.front().row - request.first_row);
    AddRead(table, {.begin = chunk, .end = chunk + 1}, reads);
    const int64_t end = request.first_row + table.slots[chunk + 1];
    size_t count = 1;
    while (count < rest.size() && rest[count].row < end) ++count;
    rest = rest.subspan(count);
  }
  return Status::OK();
}

Result<Chunk> MiniBlockPage::BindFlat(std::span<const uint8_t> bytes, int64_t num_values) const {
  ARROW_ASSIGN_OR_RAISE(Chunk chunk, BindChunk(bytes, parts_));
  if (codecs_.definition && chunk.num_levels != num_values) {
    return Corrupt("mini-block chunk of ", num_values, " values has ", chunk.num_levels, " levels");
  }
  return chunk;
}

template <typename Visit>
Status MiniBlockPage::VisitChunks(const ChunkTable& table, std::span<const PlannedRead> reads,
                                  std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                                  Visit visit) const {
  for (size_t i = 0; i < reads.size(); ++i) {
    const RowRange chunks = reads[i].units;
    for (int64_t c = chunks.begin; c < chunks.end; ++c) {
      const RowRange slots{.begin = table.slots[c], .end = table.slots[c + 1]};
      const std::span<const uint8_t> chunk_bytes(
          bytes[i]->data() + (table.bytes[c] - table.bytes[chunks.begin]),
          table.bytes[c + 1] - table.bytes[c]);
      ARROW_ASSIGN_OR_RAISE(const Chunk chunk, BindFlat(chunk_bytes, slots.length()));
      ARROW_RETURN_NOT_OK(visit(chunk, slots));
    }
  }
  return Status::OK();
}

/// The rows of a run that lie in `slots`, counted from the first of these.
RowRange RowsIn(RowRange slots, const PageRequest& request) {
  return {.begin = std::max(request.rows.begin, slots.begin) - slots.begin,
          .end = std::min(request.rows.end, slots.end) - slots.begin};
}

Status MiniBlockPage::Gather(const ChunkTable& table, std::span<const TakenChunk> chunks,
                             int64_t first_row, ColumnOutput* out) const {
  for (int step = 0; chunks.size() > 1 && step < ValueDecoder::kPrefetchSteps; ++step) {
    for (const auto& [chunk, slots, rows] : chunks) {
      codecs_.values->Prefetch(ValuesOf(chunk, slots.length()), rows, first_row + slots.begin,
                               step);
    }
  }
  for (const auto& [chunk, slots, rows] : chunks) {
    const int64_t first_slot = first_row + slots.begin;
    ARROW_RETURN_NOT_OK(
        GatherValues(table, ValuesOf(chunk, slots.length()), rows, first_slot, out));
    if (!codecs_.definition) continue;
    ARROW_RETURN_NOT_OK(
        codecs_.definition->GatherInto(chunk.definition, slots.length(), rows, first_slot, out));
  }
  return Status::OK();
}

Status MiniBlockPage::Take(const ChunkTable& table, const PageRequest& request,
                           std::span<const PlannedRead> reads,
                           std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                           ColumnOutput* out) const {
  std::vector<TakenChunk> chunks;
  chunks.reserve(std::min(reads.size(), kChunksAhead));
  auto rest = request.taken;
  const auto take = [&](const Chunk& chunk, RowRange slots) -> Status {
    const int64_t end_row = request.first_row + slots.end;
    size_t count = 0;
    while (count < rest.size() && rest[count].row < end_row) ++count;
    const auto rows = rest.first(count);
    rest = rest.subspan(count);
    chunks.push_back({.chunk = chunk, .slots = slots, .rows = rows});
    if (chunks.size() < kChunksAhead) return Status::OK();
    ARROW_RETURN_NOT_OK(Gather(table, chunks, request.first_row, out));
    chunks.clear();
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(VisitChunks(table, reads, bytes, take));
  return Gather(table, chunks, request.first_row, out);
}

Status MiniBlockPage::Decode(const PageIndex* index, const PageRequest& request,
                             std::span<const PlannedRead> reads,
                             std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                             ColumnOutput* out) const {
  const auto& table = static_cast<const ChunkTable&>(*index);
  const auto read = [&](const Chunk& chunk, RowRange slots) -> Status {
    const RowRange rows = RowsIn(slots, request);
    const int64_t position = request.position + slots.begin + rows.begin - request.rows.begin;
    ARROW_RETURN_NOT_OK(DecodeValues(table, ValuesOf(chunk, slots.length()), rows, position, out));
    if (!codecs_.definition) return Status::OK();
    return codecs_.definition->DecodeInto(chunk.definition, slots.length(), rows, position, out);
  };
  ARROW_RETURN_NOT_OK(request.is_take() ? Take(table, request, reads, bytes, out)
                                        : VisitChunks(table, reads, bytes, read));
  if (out->has_runs()) {
    for (const auto& buffer : bytes) out->Keep(buffer);
  }
  return Status::OK();
}

Status MiniBlockPage::DecodeCodes(const PageIndex* index, const PageRequest& request,
                                  std::span<const PlannedRead> reads,
                                  std::span<const std::shared_ptr<arrow::Buffer>> bytes,
                                  ColumnOutput* out) const {
  const auto read = [&](const Chunk& chunk, RowRange slots) -> Status {
    const RowRange rows = RowsIn(slots, request);
    const int64_t position = request.position + slots.begin + rows.begin - request.rows.begin;
    ARROW_RETURN_NOT_OK(codecs_.dictionary->DecodeIndices(
        *codecs_.values, ValuesOf(chunk, slots.length()), rows, position, request.first_code, out));
    if (!codecs_.definition) return Status::OK();
    return codecs_.definition->DecodeInto(chunk.definition, slots.length(), rows, position, out);
  };
  return VisitChunks(static_cast<const ChunkTable&>(*index), reads, bytes, read);
}

Status MiniBlockPage::PlanRuns(const PageIndex* index, std::span<const RowRange> runs,
                               std::vector<PlannedRead>* reads) const {
  const auto& table = static_cast<const ChunkTable&>(*index);
  RowRange chunks;
  for (const RowRange& run : runs) {
    const RowRange wanted{.begin = table.Find(run.begin), .end = table.FindEnd(run.end - 1)};
    if (chunks.length() > 0 && wanted.begin > chunks.end) {
      AddRead(table, chunks, reads);
      chunks = wanted;
    }
    if (chunks.length() == 0) chunks.begin = wanted.begin;
    chunks.end = wanted.end;
  }
  AddRead(table, chunks, reads);
  return Status::OK();
}

/// The value slots of some rows, chunk by chunk.
class MiniBlockPage::Values final : public PendingValues {
 public:
  Values(const MiniBlockPage* page, const ChunkTable* table,
         std::span<const std::shared_ptr<arrow::Buffer>> bytes)
      : page_(page), table_(table), bytes_(bytes.begin(), bytes.end()) {}

  void BeginChunk(const Chunk& chunk, int64_t num_values) {
    if (!parts_.empty() && parts_.back().num_runs == 0) parts_.pop_back();
    parts_.push_back({.chunk = chunk, .num_values = num_values});
  }
  void AddSlots(RowRange slots) {
    if (slots.length() == 0) return;
    runs_.push_back(slots);
    ++parts_.back().num_runs;
    num_slots_ += slots.length();
  }

  int64_t num_slots() const override { return num_slots_; }
  Status DecodeInto(int64_t position, ColumnOutput* out) const override {
    size_t next = 0;
    std::vector<TakenRow> taken;
    for (const Part& part : parts_) {
      const EncodedChunk encoded = page_->ValuesOf(part.chunk, part.num_values);
      const auto runs = std::span(runs_).subspan(next, part.num_runs);
      next += part.num_runs;
      if (runs.size() == 1 &&
          (runs[0].length() >= kManyValues || runs[0].length() * 2 >= part.num_values)) {
        ARROW_RETURN_NOT_OK(page_->DecodeValues(*table_, encoded, runs[0], position, out));
        position += runs[0].length();
        continue;
      }
      taken.clear();
      for (const RowRange& run : runs) {
        for (int64_t slot = run.begin; slot < run.end; ++slot) {
          taken.push_back({.row = slot, .position = position++});
        }
      }
      if (taken.empty()) continue;
      ARROW_RETURN_NOT_OK(page_->GatherValues(*table_, encoded, taken, 0, out));
    }
    if (out->has_runs()) {
      for (const auto& buffer : bytes_) out->Keep(buffer);
    }
    return Status::OK();
  }

 private:
  struct Part {
    Chunk chunk;
    int64_t num_values = 0;
    size_t num_runs = 0;
  };

  const MiniBlockPage* page_;
  const ChunkTable* table_;
  std::vector<std::shared_ptr<arrow::Buffer>> bytes_;
  std::vector<Part> parts_;
  std::vector<RowRange> runs_;
  int64_t num_slots_ = 0;
};

Result<std::unique_ptr<const PendingValues>> MiniBlockPage::Unravel(
    const PageIndex* index, std::span<const RowRange> runs, std::span<const PlannedRead> reads,
    std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool,
    Structure* structure) const {
  const auto& table = static_cast<const ChunkTable&>(*index);
  auto values = std::make_unique<Values>(this, &table, bytes);
  ChunkLevelReader level_reader(meaning(), codecs_.repetition, codecs_.definition, pool);
  size_t next_run = 0;
  for (size_t i = 0; i < reads.size(); ++i) {
    const RowRange chunks = reads[i].units;
    for (int64_t c = chunks.begin; c < chunks.end; ++c) {
      const int64_t num_values = table.slots[c + 1] - table.slots[c];
      const std::span<const uint8_t> chunk_bytes(
          bytes[i]->data() + (table.bytes[c] - table.bytes[chunks.begin]),
          table.bytes[c + 1] - table.bytes[c]);
      const int64_t first = table.rows()[c];
      const int64_t end = table.rows()[c + 1];
      ARROW_ASSIGN_OR_RAISE(const Chunk chunk, BindChunk(chunk_bytes, parts_));
      ARROW_ASSIGN_OR_RAISE(const Levels levels,
                            level_reader.Read(chunk, {.chunk = c,
                                                      .num_values = num_values,
                                                      .num_rows = end - first,
                                                      .begins_within = table.BeginsWithin(c)}));
      values->BeginChunk(chunk, num_values);
      const bool goes_on = c + 1 < table.num_chunks() && table.BeginsWithin(c + 1);
      ChunkRows rows(meaning(), levels, first);
      for (; next_run < runs.size(); ++next_run) {
        const RowRange& run = runs[next_run];
        if (run.begin >= end) break;
        const ChunkRows::Place from = run.begin < first ? ChunkRows::Begin() : rows.Find(run.begin);
        const ChunkRows::Place to = run.end < first ? from : rows.Find(run.end);
        ARROW_RETURN_NOT_OK(
            structure->Append(meaning(), levels.Slice(from.entry, to.entry - from.entry)));
        values->AddSlots({.begin = from.slot, .end = to.slot});
        // Then the rest of the run, or of its last row, is in the next chunk.
        if (run.end > end || (run.end == end && goes_on)) break;
      }
    }
  }
  return values;
}

}  // namespace

Result<std::unique_ptr<const Page>> MakeMiniBlockPage(const MiniBlockLayout& layout, Layers layers,
                                                      int64_t num_rows,
                                                      std::span<const io::ByteRange> buffers) {
  const auto num_lists = std::ranges::count_if(layers, IsList);
  const bool has_lists = num_lists > 0;
  ChunkCodecs codecs;
  if (layout.repetition) {
    ARROW_ASSIGN_OR_RAISE(codecs.repetition, LevelDecoder::Make(*layout.repetition));
  }
  if (layout.definition) {
    ARROW_ASSIGN_OR_RAISE(codecs.definition, LevelDecoder::Make(*layout.definition));
  }
  if (codecs.repetition.has_value() != has_lists ||
      (layout.repetition_index_depth > 0) != has_lists) {
    return Corrupt("mini-block page of ", num_lists, " lists with ", codecs.repetition ? "" : "no ",
                   "repetition levels and an index of depth ", layout.repetition_index_depth);
  }
  if (layout.repetition_index_depth > 1) {
    return Unsupported("repetition indices of depth ", layout.repetition_index_depth,
                       " are not supported");
  }
  ARROW_ASSIGN_OR_RAISE(codecs.values, MakeValueDecoder(layout.values));
  const ValueDecoder& values = *codecs.values;
  if (values.num_buffers() > kMaxValueBuffers) {
    return Unsupported("mini-block pages with ", values.num_buffers(),
                       " value buffers are not supported");
  }
  if (layout.dictionary) {
    ARROW_ASSIGN_OR_RAISE(codecs.dictionary, DictionaryDecoder::Make(values, *layout.dictionary,
                                                                     layout.num_dictionary_items));
  }
  if (buffers.size() != 2U + (codecs.dictionary ? 1U : 0U) + (has_lists ? 1U : 0U)) {
    return Corrupt("mini-block page with ", buffers.size(), " buffers");
  }
  if (const int64_t width = layout.has_large_chunk ? 4 : 2;
      buffers[0].length == 0 || buffers[0].length % width != 0) {
    return Corrupt("mini-block page with a chunk table of ", buffers[0].length, " bytes");
  }
  if (layout.num_buffers != values.num_buffers()) {
    return Corrupt("mini-block page with ", layout.num_buffers, " value buffers, not ",
                   values.num_buffers());
  }
  if (!has_lists && layout.num_items != static_cast<uint64_t>(num_rows)) {
    return Corrupt("mini-block page of ", num_rows, " rows claims ", layout.num_items, " values");
  }
  const uint64_t min_bytes = values.MinBytes(layout.num_items);
  if (min_bytes > static_cast<uint64_t>(buffers[1].length) ||
      layout.num_items > static_cast<uint64_t>(buffers[0].length) * kMaxChunkValues) {
    return Corrupt("mini-block page claims ", layout.num_items, " values in ", buffers[1].length,
                   " bytes");
  }
  if (codecs.dictionary && buffers[2].length == 0) {
    return Corrupt("mini-block page with an empty dictionary");
  }
  return std::make_unique<MiniBlockPage>(layout, layers, num_rows, std::move(codecs), buffers);
}

}  // namespace tusk::lance
