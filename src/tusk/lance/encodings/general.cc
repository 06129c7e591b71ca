#include "tusk/lance/encodings/general.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/buffer.h>

#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/compression.h"

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

}  // namespace

Result<std::unique_ptr<const ValueDecoder>> MakeGeneralDecoder(
    const ValueEncoding& encoding, std::unique_ptr<const ValueDecoder> values) {
  if (encoding.compression == ValueEncoding::Compression::kUnknown) {
    return Unsupported("values in a compression other than LZ4 and ZSTD are not supported yet");
  }
  return std::make_unique<GeneralDecoder>(encoding.compression, std::move(values));
}

}  // namespace tusk::lance
