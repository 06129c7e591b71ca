#include "tusk/lance/file/mini_block_table.h"

#include "tusk/base/little_endian.h"

namespace tusk::lance {

Result<std::unique_ptr<ChunkTable>> ChunkTable::Parse(std::span<const uint8_t> words, int64_t width,
                                                      const ChunkTotals& totals) {
  const int64_t count = std::ssize(words) / width;
  auto table = std::make_unique<ChunkTable>();
  table->slots.reserve(count + 1);
  table->bytes.reserve(count + 1);
  int64_t slot = 0;
  int64_t byte = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t* at = words.data() + i * width;
    const uint32_t word = width == 4 ? LoadLittle<uint32_t>(at) : LoadLittle<uint16_t>(at);
    const bool is_last = i + 1 == count;
    const auto log_values = static_cast<int>(word & 0xF);
    if (log_values == 0 && !is_last) {
      return Corrupt("chunk ", i, " of ", count, " has no number of values");
    }
    table->slots.push_back(slot);
    table->bytes.push_back(byte);
    const int64_t values = log_values == 0 ? totals.num_slots - slot : int64_t{1} << log_values;
    const int64_t size =
        (static_cast<int64_t>(word >> 4) + 1) * static_cast<int64_t>(kChunkAlignment);
    // The entries behind the last value may have a chunk of their own.
    if (values < (totals.has_lists ? 0 : 1) || values > kMaxChunkValues ||
        values > totals.num_slots - slot || size > totals.num_bytes - byte) {
      return Corrupt("chunk ", i, " of ", count, " claims ", values, " values in ", size,
                     " bytes, after ", slot, " of ", totals.num_slots, " values and ", byte, " of ",
                     totals.num_bytes, " bytes");
    }
    slot += values;
    byte += size;
  }
  if (slot != totals.num_slots) {
    return Corrupt("the ", count, " chunks of a page of ", totals.num_slots, " values hold ", slot);
  }
  table->slots.push_back(slot);
  table->bytes.push_back(byte);
  return table;
}

Status ChunkTable::ParseRows(std::span<const uint8_t> index, int64_t stride, int64_t num_rows) {
  // For each chunk the rows that end in it, and the items behind the last of these; deeper levels
  // of nesting would follow.
  const int64_t count = num_chunks();
  const int64_t entry = stride * int64_t{sizeof(uint64_t)};
  if (std::ssize(index) != count * entry) {
    return Corrupt("repetition index of ", index.size(), " bytes for ", count, " chunks");
  }
  row_starts.reserve(count + 1);
  row_starts.push_back(0);
  begins_within.reserve(count);
  bool is_within = false;
  for (int64_t i = 0; i < count; ++i) {
    const auto ends = LoadLittle<uint64_t>(index.data() + i * entry);
    const auto left_over = LoadLittle<uint64_t>(index.data() + i * entry + sizeof(uint64_t));
    const bool goes_on = left_over > 0;
    if (ends > static_cast<uint64_t>(kMaxChunkLevels)) {
      return Corrupt("repetition index lets ", ends, " rows end in chunk ", i);
    }
    const int64_t starts = static_cast<int64_t>(ends) + (goes_on ? 1 : 0) - (is_within ? 1 : 0);
    if (starts < 0) return Corrupt("repetition index lets no row end in chunk ", i);
    begins_within.push_back(is_within);
    row_starts.push_back(row_starts.back() + starts);
    is_within = goes_on;
  }
  if (row_starts.back() == num_rows && !is_within) return Status::OK();
  return Corrupt("repetition index of a page of ", num_rows, " rows has ", row_starts.back());
}

int64_t ChunkTable::FindEnd(int64_t row) const {
  int64_t end = Find(row) + 1;
  while (end < num_chunks() && rows()[end] == row + 1 && BeginsWithin(end)) {
    ++end;
    if (rows()[end] > row + 1) break;
  }
  return end;
}

}  // namespace tusk::lance
