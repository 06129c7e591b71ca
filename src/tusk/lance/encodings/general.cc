#include "tusk/lance/encodings/general.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/buffer.h>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/compression.h"
#include "tusk/lance/encodings/value_encoder.h"

namespace tusk::lance {
namespace {

class GeneralDecoder final : public ValueDecoder {
 public:
  GeneralDecoder(ValueEncoding::Compression compression, std::unique_ptr<const ValueDecoder> values)
      : compression_(compression), values_(std::move(values)) {}

  size_t num_buffers() const override { return values_->num_buffers(); }
  uint64_t MinBytes(uint64_t num_values) const override {
    return values_->MinBytes(num_values) / MaxExpansion(compression_);
  }
  Status CheckShape(const ValueShape& shape) const override { return values_->CheckShape(shape); }

  Status DecodeInto(const EncodedChunk& chunk, RowRange rows, int64_t position,
                    ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(const Plain plain, Decompressed(chunk, out));
    ARROW_RETURN_NOT_OK(values_->DecodeInto(
        {.buffers = plain.buffers, .num_values = chunk.num_values}, rows, position, out));
    if (out->has_runs()) out->Keep(plain.first);
    return Status::OK();
  }

  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(const Plain plain, Decompressed(chunk, out));
    ARROW_RETURN_NOT_OK(values_->GatherInto(
        {.buffers = plain.buffers, .num_values = chunk.num_values}, rows, first_row, out));
    if (out->has_runs()) out->Keep(plain.first);
    return Status::OK();
  }

 private:
  struct Plain {
    std::shared_ptr<arrow::Buffer> first;
    std::vector<std::span<const uint8_t>> buffers;
  };

  Result<Plain> Decompressed(const EncodedChunk& chunk, ColumnOutput* out) const {
    // Texts may be of any length; the first buffer of fixed values holds them, or less of
    // something: a bitmap, the values of runs, a block with its width.
    uint64_t max_size = std::numeric_limits<int32_t>::max();
    if (!out->shape().is_variable) {
      const auto values = static_cast<uint64_t>(std::max(chunk.num_values, kPackedBlock));
      max_size = (values + 1) * (static_cast<uint64_t>(out->shape().row_bits()) / 8 + 1);
    }
    Plain plain;
    ARROW_ASSIGN_OR_RAISE(plain.first,
                          Decompress(compression_, chunk.buffers[0], max_size, out->pool()));
    plain.buffers.assign(chunk.buffers.begin(), chunk.buffers.end());
    plain.buffers[0] = {plain.first->data(), static_cast<size_t>(plain.first->size())};
    return plain;
  }

  ValueEncoding::Compression compression_;
  std::unique_ptr<const ValueDecoder> values_;
};

class GeneralEncoder final : public ValueEncoder {
 public:
  GeneralEncoder(ValueEncoding::Compression compression, std::optional<int> level,
                 std::unique_ptr<ValueEncoder> values)
      : level_(level), values_(std::move(values)) {
    encoding_.kind = ValueEncoding::Kind::kGeneral;
    encoding_.compression = compression;
    encoding_.children.push_back(values_->encoding());
  }

  const ValueEncoding& encoding() const override { return encoding_; }
  size_t num_buffers() const override { return values_->num_buffers(); }
  int64_t ChunkRows(const RowsView& rest) const override { return values_->ChunkRows(rest); }
  Status EncodeChunk(const RowsView& rows, std::span<arrow::BufferBuilder> out) override {
    ARROW_RETURN_NOT_OK(values_->EncodeChunk(rows, out));
    plain_.assign(out[0].data(), out[0].data() + out[0].length());
    out[0].Rewind(0);
    return AppendCompressed(encoding_.compression, level_, plain_, out.data());
  }

 private:
  ValueEncoding encoding_;
  std::optional<int> level_;
  std::unique_ptr<ValueEncoder> values_;
  std::vector<uint8_t> plain_;  ///< of one chunk
};

}  // namespace

Result<std::unique_ptr<const ValueDecoder>> MakeGeneralDecoder(
    const ValueEncoding& encoding, std::unique_ptr<const ValueDecoder> values) {
  if (encoding.compression == ValueEncoding::Compression::kUnknown) {
    return Unsupported("values in a compression other than LZ4 and ZSTD are not supported yet");
  }
  return std::make_unique<GeneralDecoder>(encoding.compression, std::move(values));
}

std::unique_ptr<ValueEncoder> MakeGeneralEncoder(ValueEncoding::Compression compression,
                                                 std::optional<int> level,
                                                 std::unique_ptr<ValueEncoder> values) {
  return std::make_unique<GeneralEncoder>(compression, level, std::move(values));
}

Result<CompressionSample> SampleCompression(ValueEncoding::Compression compression,
                                            std::optional<int> level, const RowsView& page,
                                            ValueEncoder* values, arrow::MemoryPool* pool) {
  constexpr int64_t kChunks = 16;
  std::vector<arrow::BufferBuilder> plain;
  plain.reserve(values->num_buffers());
  for (size_t i = 0; i < values->num_buffers(); ++i) plain.emplace_back(pool);
  arrow::BufferBuilder stored(pool);
  CompressionSample sample;
  for (int64_t row = 0; row < page.num_rows;) {
    const RowsView rest = page.Slice({.begin = row, .end = page.num_rows});
    const int64_t rows = values->ChunkRows(rest);
    for (arrow::BufferBuilder& buffer : plain) buffer.Rewind(0);
    ARROW_RETURN_NOT_OK(values->EncodeChunk(rest.Slice({.begin = 0, .end = rows}), plain));
    stored.Rewind(0);
    ARROW_RETURN_NOT_OK(AppendCompressed(
        compression, level, {plain[0].data(), static_cast<size_t>(plain[0].length())}, &stored));
    sample.plain_bytes += plain[0].length();
    sample.stored_bytes += stored.length();
    row += std::max(rows, (page.num_rows + kChunks - 1) / kChunks);
  }
  return sample;
}

}  // namespace tusk::lance
