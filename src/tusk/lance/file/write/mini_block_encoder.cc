#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/buffer_builder.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/file/write/page_encoder.h"

namespace tusk::lance {
namespace {

constexpr int64_t kAlignment = 8;
constexpr uint8_t kPadding = 0xFE;
/// The lengths of levels, and their number, have 16 bits.
constexpr int64_t kMax16 = 65535;
/// Bytes of a chunk whose word has 16 bits, 12 of them for its size.
constexpr int64_t kMaxSmallChunk = 32768;
constexpr int64_t kMaxLargeChunk = int64_t{1} << 31;

/// A part of a page that goes into one chunk.
struct ChunkPart {
  RowRange slots;
  RowRange entries;
};

class MiniBlockEncoder {
 public:
  /// `level_version`: levels are encoded as in data version 2.`level_version`.
  MiniBlockEncoder(const PageFormat& format, const PageSlots& slots, const RowsView& values,
                   ValueEncoder* encoder, int level_version, arrow::MemoryPool* pool)
      : slots_(slots),
        values_(values),
        encoder_(encoder),
        has_large_chunk_(format.minor_version >= 2),
        table_(pool),
        chunks_(pool),
        rows_(pool) {
    if (!slots.repetition.empty()) {
      repetition_ = LevelEncoder::Make(slots.repetition, level_version, ChunkLevels());
    }
    if (!slots.definition.empty()) {
      definition_ = LevelEncoder::Make(slots.definition, level_version, ChunkLevels());
    }
    const size_t num_levels = (repetition_ ? 1 : 0) + (definition_ ? 1 : 0);
    for (size_t i = 0; i < num_levels + encoder->num_buffers(); ++i) parts_.emplace_back(pool);
  }

  /// False if a chunk would be too large.
  Result<bool> Encode() {
    ChunkPart part;
    while (part.entries.end < slots_.num_entries) {
      part = {.slots = {.begin = part.slots.end}, .entries = {.begin = part.entries.end}};
      if (!Extend(&part)) return false;
      ARROW_ASSIGN_OR_RAISE(const bool fits, AppendChunk(part));
      if (!fits) return false;
      if (part.entries.begin == 0) ARROW_RETURN_NOT_OK(ReserveRest(part.entries.end));
    }
    return true;
  }

  Result<EncodedPage> Finish(const PageDictionary* dictionary) {
    MiniBlockLayout layout;
    if (repetition_) layout.repetition = repetition_->encoding();
    if (definition_) layout.definition = definition_->encoding();
    layout.values = encoder_->encoding();
    layout.num_buffers = encoder_->num_buffers();
    layout.num_items = static_cast<uint64_t>(values_.num_rows);
    layout.has_large_chunk = has_large_chunk_;
    layout.repetition_index_depth = repetition_ ? 1 : 0;
    EncodedPage page;
    for (arrow::BufferBuilder* builder : {&table_, &chunks_}) {
      ARROW_ASSIGN_OR_RAISE(auto buffer, builder->Finish(/*shrink_to_fit=*/false));
      page.Add(std::move(buffer));
    }
    if (dictionary != nullptr) {
      layout.dictionary = dictionary->encoding;
      layout.num_dictionary_items = static_cast<uint64_t>(dictionary->num_items);
      page.Add(dictionary->bytes);
    }
    if (repetition_) {
      ARROW_ASSIGN_OR_RAISE(auto buffer, rows_.Finish());
      page.Add(std::move(buffer));
    }
    page.layout = {.layout = std::move(layout), .layers = slots_.layers};
    return page;
  }

 private:
  /// Levels of a chunk, going by the first.
  int64_t ChunkLevels() const {
    const int64_t slots = values_.num_rows == 0 ? 1 : encoder_->ChunkRows(values_);
    return std::clamp<int64_t>(slots * slots_.num_entries / std::max<int64_t>(1, values_.num_rows),
                               1, kMax16);
  }

  /// Lets a part, which has its begins, take as many slots as the encoder says and the levels
  /// before them; the last part takes all levels that are left. False if these are too many.
  bool Extend(ChunkPart* part) const {
    int64_t count =
        encoder_->ChunkRows(values_.Slice({.begin = part->slots.begin, .end = values_.num_rows}));
    while (true) {
      part->slots.end = part->slots.begin + count;
      const bool is_last = part->slots.end == values_.num_rows;
      part->entries.end = is_last ? slots_.num_entries : EntriesEnd(part->entries.begin, count);
      if (parts_.size() == encoder_->num_buffers() || part->entries.length() <= kMax16) return true;
      if (count <= 2) return false;
      count = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(count - 1)));
    }
  }

  /// The end of the entry of the `count`-th slot from `entry` on.
  int64_t EntriesEnd(int64_t entry, int64_t count) const {
    if (slots_.has_all_slots()) return entry + count;
    while (count > 0) count -= slots_.definition[entry++] <= slots_.max_visible ? 1 : 0;
    return entry;
  }

  Result<bool> AppendChunk(const ChunkPart& part) {
    const int64_t num_levels = parts_.size() == encoder_->num_buffers() ? 0 : part.entries.length();
    for (arrow::BufferBuilder& builder : parts_) builder.Rewind(0);
    const std::span<arrow::BufferBuilder> all(parts_);
    size_t next = 0;
    const auto encode_levels = [&](std::optional<LevelEncoder>* encoder,
                                   const std::vector<uint16_t>& levels) {
      if (!*encoder) return Status::OK();
      return (*encoder)->EncodeChunk(
          std::span(levels).subspan(part.entries.begin, part.entries.length()), &all[next++]);
    };
    ARROW_RETURN_NOT_OK(encode_levels(&repetition_, slots_.repetition));
    ARROW_RETURN_NOT_OK(encode_levels(&definition_, slots_.definition));
    const size_t num_level_buffers = next;
    ARROW_RETURN_NOT_OK(
        encoder_->EncodeChunk(values_.Slice(part.slots), all.subspan(num_level_buffers)));

    const int64_t max_value_bytes = has_large_chunk_ ? kMaxLargeChunk : kMax16;
    const int64_t value_width = has_large_chunk_ ? 4 : 2;
    std::string header;
    AppendLittle(static_cast<uint16_t>(num_levels), &header);
    for (size_t i = 0; i < parts_.size(); ++i) {
      const int64_t size = parts_[i].length();
      if (i < num_level_buffers) {
        if (size > kMax16) return false;
        AppendLittle(static_cast<uint16_t>(size), &header);
      } else if (size > max_value_bytes) {
        return false;
      } else if (value_width == 4) {
        AppendLittle(static_cast<uint32_t>(size), &header);
      } else {
        AppendLittle(static_cast<uint16_t>(size), &header);
      }
    }
    const int64_t before = chunks_.length();
    ARROW_RETURN_NOT_OK(
        AppendAligned({reinterpret_cast<const uint8_t*>(header.data()), header.size()}));
    for (const arrow::BufferBuilder& builder : parts_) {
      ARROW_RETURN_NOT_OK(AppendAligned({builder.data(), static_cast<size_t>(builder.length())}));
    }
    const int64_t size = chunks_.length() - before;
    if (size > (has_large_chunk_ ? kMaxLargeChunk : kMaxSmallChunk)) return false;
    ARROW_RETURN_NOT_OK(AppendWord(size, part));
    if (repetition_) ARROW_RETURN_NOT_OK(AppendRows(part.entries));
    return true;
  }

  /// Reserves room for all chunks if they are like the first, of so many entries, and a bit more:
  /// when a large buffer grows it is copied.
  Status ReserveRest(int64_t first_entries) {
    const double num_chunks =
        static_cast<double>(slots_.num_entries) / static_cast<double>(first_entries);
    const double expected = 1.03 * num_chunks * static_cast<double>(chunks_.length());
    const auto most = static_cast<double>(values_.ArrowBytes(values_.num_rows) + 4096);
    const auto room = static_cast<int64_t>(std::min(expected, most));
    return chunks_.Reserve(std::max<int64_t>(0, room - chunks_.length()));
  }

  /// The size of the chunk and, unless it is the last, the logarithm of its number of values.
  Status AppendWord(int64_t size, const ChunkPart& part) {
    const bool is_last = part.slots.end == values_.num_rows;
    const auto log_values = static_cast<uint32_t>(
        is_last ? 0 : std::countr_zero(static_cast<uint64_t>(part.slots.length())));
    const auto word = static_cast<uint32_t>(((size / kAlignment - 1) << 4) | log_values);
    return table_.Append(&word, has_large_chunk_ ? 4 : 2);
  }

  /// The rows that end in the chunk, and the entries behind the last of these.
  Status AppendRows(RowRange entries) {
    uint64_t ends = 0;
    int64_t last_begin = entries.begin;
    for (int64_t entry = entries.begin; entry < entries.end; ++entry) {
      if (!slots_.BeginsRow(entry)) continue;
      if (entry > entries.begin) ++ends;
      last_begin = entry;
    }
    uint64_t left_over = 0;
    if (entries.end == slots_.num_entries || slots_.BeginsRow(entries.end)) {
      ++ends;
    } else {
      left_over = static_cast<uint64_t>(entries.end - last_begin);
    }
    ARROW_RETURN_NOT_OK(rows_.Append(&ends, sizeof(ends)));
    return rows_.Append(&left_over, sizeof(left_over));
  }

  /// Appends the bytes and padding behind them.
  Status AppendAligned(std::span<const uint8_t> bytes) {
    const auto size = static_cast<int64_t>(bytes.size());
    const auto padded = static_cast<int64_t>(RoundUp(size, kAlignment));
    ARROW_RETURN_NOT_OK(chunks_.Reserve(padded));
    if (size > 0) chunks_.UnsafeAppend(bytes.data(), size);
    chunks_.UnsafeAppend(padded - size, kPadding);
    return Status::OK();
  }

  const PageSlots& slots_;
  const RowsView& values_;
  ValueEncoder* encoder_;
  const bool has_large_chunk_;
  std::optional<LevelEncoder> repetition_;
  std::optional<LevelEncoder> definition_;
  std::vector<arrow::BufferBuilder> parts_;  ///< of one chunk: levels, then values
  arrow::BufferBuilder table_;
  arrow::BufferBuilder chunks_;
  arrow::BufferBuilder rows_;  ///< the repetition index
};

}  // namespace

Result<std::optional<EncodedPage>> EncodeMiniBlockPage(
    const PageFormat& format, const PageSlots& slots, const RowsView& values, ValueEncoder* encoder,
    const PageDictionary* dictionary, const OperationContext& context) {
  // Levels in runs may be longer in one chunk than its header can say; packed ones are not.
  for (int level_version = format.minor_version; level_version > 0; --level_version) {
    MiniBlockEncoder page(format, slots, values, encoder, level_version, context.pool);
    ARROW_ASSIGN_OR_RAISE(const bool fits, page.Encode());
    if (!fits) continue;
    ARROW_ASSIGN_OR_RAISE(EncodedPage encoded, page.Finish(dictionary));
    return encoded;
  }
  return std::nullopt;
}

}  // namespace tusk::lance
