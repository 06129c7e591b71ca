#include <algorithm>
#include <bit>

#include <arrow/buffer.h>
#include <arrow/buffer_builder.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/flat.h"
#include "tusk/lance/encodings/levels.h"
#include "tusk/lance/encodings/variable.h"
#include "tusk/lance/file/page_encoder.h"

namespace tusk::lance {
namespace {

constexpr int64_t kAlignment = 8;
constexpr uint8_t kPadding = 0xFE;
/// Limits of the reference writer, so that a chunk is about two disk sectors.
constexpr int64_t kMaxChunkValues = 4096;
constexpr int64_t kMaxFixedBytes = 8186;
constexpr int64_t kMaxVariableBytes = 4096;

/// Rows of the next chunk of fixed values: a power of two, and a whole number of bytes.
int64_t FixedChunkRows(const ValueShape& shape) {
  int64_t rows = shape.row_bits() % 8 == 0 ? 2 : 8;
  while (2 * rows <= kMaxChunkValues && 2 * rows * shape.row_bits() / 8 < kMaxFixedBytes) {
    rows *= 2;
  }
  return rows;
}

/// Rows of the next chunk of variable values: all that are left, or a power of two above one.
int64_t VariableChunkRows(const RowsView& rest) {
  const auto fits = [&](int64_t count) {
    const int64_t bytes = rest.Offset(count) - rest.Offset(0);
    return bytes + (count + 1) * rest.shape->bits / 8 <= kMaxVariableBytes;
  };
  if (rest.num_rows <= kMaxChunkValues && fits(rest.num_rows)) return rest.num_rows;
  int64_t rows = 2;
  while (2 * rows <= std::min(kMaxChunkValues, rest.num_rows) && fits(2 * rows)) rows *= 2;
  return std::min(rows, rest.num_rows);
}

/// Appends `size` bytes to be written by the caller and the padding behind them.
Result<uint8_t*> AppendAligned(int64_t size, arrow::BufferBuilder* out) {
  const auto padded = static_cast<int64_t>(RoundUp(size, kAlignment));
  ARROW_RETURN_NOT_OK(out->Reserve(padded));
  uint8_t* to = out->mutable_data() + out->length();
  std::memset(to + size, kPadding, padded - size);
  out->UnsafeAdvance(padded);
  return to;
}

/// Appends one chunk: header, levels if the page has any, values.
Status AppendChunk(const RowsView& rows, bool has_levels, arrow::BufferBuilder* out) {
  const int64_t levels_size = has_levels ? EncodedLevelsSize(rows.num_rows) : 0;
  const int64_t values_size = rows.shape->is_variable
                                  ? EncodedVariableSize(rows)
                                  : BytesForBits(rows.num_rows * rows.shape->row_bits());
  std::string header;
  AppendLittle(static_cast<uint16_t>(has_levels ? rows.num_rows : 0), &header);
  if (has_levels) AppendLittle(static_cast<uint16_t>(levels_size), &header);
  AppendLittle(static_cast<uint32_t>(values_size), &header);
  ARROW_ASSIGN_OR_RAISE(uint8_t* to, AppendAligned(header.size(), out));
  std::ranges::copy(header, to);
  if (has_levels) {
    ARROW_ASSIGN_OR_RAISE(to, AppendAligned(levels_size, out));
    EncodeLevels(rows, to);
  }
  ARROW_ASSIGN_OR_RAISE(to, AppendAligned(values_size, out));
  if (rows.shape->is_variable) {
    EncodeVariable(rows, to);
  } else {
    EncodeFlat(rows, to);
  }
  return Status::OK();
}

}  // namespace

Result<EncodedPage> EncodeMiniBlockPage(const RowsView& page_rows, int64_t num_nulls,
                                        const OperationContext& context) {
  RowsView rows = page_rows;
  if (num_nulls == 0) rows.validity = nullptr;
  const bool has_levels = num_nulls > 0;
  arrow::BufferBuilder table(context.pool);
  arrow::BufferBuilder chunks(context.pool);
  const int64_t fixed_rows = rows.shape->is_variable ? 0 : FixedChunkRows(*rows.shape);
  // A little more than the values, so that growing is rare.
  ARROW_RETURN_NOT_OK(chunks.Reserve(rows.ArrowBytes(rows.num_rows) * 17 / 16 + 64));
  for (int64_t row = 0; row < rows.num_rows;) {
    const RowsView rest = rows.Slice({.begin = row, .end = rows.num_rows});
    const int64_t count =
        rows.shape->is_variable ? VariableChunkRows(rest) : std::min(fixed_rows, rest.num_rows);
    const int64_t before = chunks.length();
    ARROW_RETURN_NOT_OK(AppendChunk(rest.Slice({.begin = 0, .end = count}), has_levels, &chunks));
    const int64_t size = chunks.length() - before;
    const bool is_last = row + count == rows.num_rows;
    const uint32_t log_values = is_last ? 0 : std::countr_zero(static_cast<uint64_t>(count));
    const auto word = static_cast<uint32_t>(((size / kAlignment - 1) << 4) | log_values);
    ARROW_RETURN_NOT_OK(table.Append(&word, sizeof(word)));
    row += count;
  }
  MiniBlockLayout layout;
  if (has_levels) layout.definition = LevelsEncoding();
  layout.values =
      rows.shape->is_variable ? VariableEncoding(rows.shape->bits) : FlatEncoding(*rows.shape);
  layout.num_buffers = 1;
  layout.num_items = static_cast<uint64_t>(rows.num_rows);
  EncodedPage page{.layout = {.layout = std::move(layout), .layers = FlatLayers(has_levels)},
                   .buffers = {},
                   .owned = {}};
  for (arrow::BufferBuilder* builder : {&table, &chunks}) {
    ARROW_ASSIGN_OR_RAISE(auto buffer, builder->Finish(/*shrink_to_fit=*/false));
    page.buffers.emplace_back(buffer->data(), buffer->size());
    page.owned.push_back(std::move(buffer));
  }
  return page;
}

}  // namespace tusk::lance
