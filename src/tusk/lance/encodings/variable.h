#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tusk/base/little_endian.h"
#include "tusk/base/result.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"

namespace tusk::lance {

class ValueEncoder;

/// The texts of a chunk of MakeVariableDecoder's encoding, or what stands for them.
class VariableChunk {
 public:
  /// `offset_bits` are 32 or 64. Corrupt if the offset table does not fit.
  static Result<VariableChunk> Bind(const EncodedChunk& chunk, int64_t offset_bits);

  /// The bytes of a row. Corrupt if its offsets are out of order or out of the buffer.
  Result<std::span<const uint8_t>> Row(int64_t row) const;
  /// The bytes of `rows`, one after the other; Corrupt as before.
  Result<std::span<const uint8_t>> Rows(RowRange rows) const;
  /// The stored offset of `row`, counted from the start of the chunk.
  uint64_t Offset(int64_t row) const {
    const uint8_t* at = OffsetBytes(row);
    return offset_width_ == 4 ? LoadLittle<uint32_t>(at) : LoadLittle<uint64_t>(at);
  }
  /// The stored offsets from that of `row` on.
  const uint8_t* OffsetBytes(int64_t row) const { return bytes_.data() + row * offset_width_; }
  int64_t offset_width() const { return offset_width_; }
  /// As ValueDecoder::Prefetch: the offsets, then the bytes.
  void Prefetch(std::span<const TakenRow> rows, int64_t first_row, int step) const;

 private:
  VariableChunk(std::span<const uint8_t> bytes, uint64_t table, int64_t offset_width)
      : bytes_(bytes), table_(table), offset_width_(offset_width) {}

  std::span<const uint8_t> bytes_;
  uint64_t table_;  ///< bytes of offsets
  int64_t offset_width_;
};

/// Decodes `rows` of `chunk` as they stand into the output from `position` on.
Status AppendTexts(const VariableChunk& chunk, RowRange rows, int64_t position, ColumnOutput* out);

/// Variable: for n values n + 1 offsets of 32 or 64 bits, counted from the start of the buffer (so
/// the first is (n + 1) * width), then the bytes. One buffer.
/// Unsupported if the offsets are encoded in another way.
Result<std::unique_ptr<const ValueDecoder>> MakeVariableDecoder(const ValueEncoding& encoding);

/// Bytes of a chunk of values of any length, its offsets included, that the reference writer aims
/// at.
inline constexpr int64_t kVariableChunkBytes = 4096;

/// Stores values of a variable shape as that decoder reads them, with offsets of its bits. A chunk
/// has as many values as fit `chunk_bytes` and kMaxChunkValues, but at least two. One buffer.
std::unique_ptr<ValueEncoder> MakeVariableEncoder(const ValueShape& shape,
                                                  int64_t chunk_bytes = kVariableChunkBytes);

/// How values of any length are described when they are stored with offsets of `offset_bits`.
ValueEncoding VariableEncoding(int64_t offset_bits);

/// Bytes of a chunk of all `rows`; a multiple of the offsets' width.
int64_t EncodedVariableSize(const RowsView& rows);

/// Writes such a chunk to `to`, which has EncodedVariableSize bytes.
void EncodeVariable(const RowsView& rows, uint8_t* to);

}  // namespace tusk::lance
