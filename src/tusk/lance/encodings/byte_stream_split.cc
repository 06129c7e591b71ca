#include "tusk/lance/encodings/byte_stream_split.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/encode_kernels.h"
#include "tusk/lance/encodings/value_encoder.h"

namespace tusk::lance {
namespace {

class ByteStreamSplitDecoder final : public ValueDecoder {
 public:
  explicit ByteStreamSplitDecoder(int64_t width) : width_(width) {}

  size_t num_buffers() const override { return 1; }
  uint64_t MinBytes(uint64_t num_values) const override {
    const auto width = static_cast<uint64_t>(width_);
    return num_values > std::numeric_limits<uint64_t>::max() / width ? ~uint64_t{0}
                                                                     : num_values * width;
  }
  Status CheckShape(const ValueShape& shape) const override {
    if (!shape.is_variable && shape.bits == width_ * 8 && shape.items_per_row == 1) {
      return Status::OK();
    }
    return Corrupt("encoding byte_stream_split holds ", width_ * 8,
                   " bits a value, which the column's type does not");
  }

  Status DecodeInto(const EncodedChunk& chunk, RowRange rows, int64_t position,
                    ColumnOutput* out) const override {
    ARROW_RETURN_NOT_OK(CheckChunk(chunk));
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    const auto join = width_ == 4 ? Kernels().join4 : Kernels().join8;
    join(chunk.buffers[0].data() + rows.begin, chunk.num_values, rows.length(),
         values + position * width_);
    return Status::OK();
  }

  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    ARROW_RETURN_NOT_OK(CheckChunk(chunk));
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    for (const TakenRow& taken : rows) {
      const uint8_t* from = chunk.buffers[0].data() + taken.row - first_row;
      uint8_t* to = values + taken.position * width_;
      for (int64_t byte = 0; byte < width_; ++byte) to[byte] = from[byte * chunk.num_values];
    }
    return Status::OK();
  }

 private:
  Status CheckChunk(const EncodedChunk& chunk) const {
    if (chunk.buffers[0].size() == static_cast<size_t>(chunk.num_values * width_)) {
      return Status::OK();
    }
    return Corrupt("byte_stream_split chunk of ", chunk.num_values, " values has ",
                   chunk.buffers[0].size(), " bytes, not ", chunk.num_values * width_);
  }

  int64_t width_;
};

class ByteStreamSplitEncoder final : public ValueEncoder {
 public:
  explicit ByteStreamSplitEncoder(int64_t bits) : width_(bits / 8) {
    encoding_.kind = ValueEncoding::Kind::kByteStreamSplit;
    encoding_.children.push_back(ValueEncoding::Flat(static_cast<uint64_t>(bits)));
  }

  const ValueEncoding& encoding() const override { return encoding_; }
  size_t num_buffers() const override { return 1; }
  int64_t ChunkRows(const RowsView& rest) const override {
    return std::min(kChunkBytes / width_, rest.num_rows);
  }
  Status EncodeChunk(const RowsView& rows, std::span<arrow::BufferBuilder> out) override {
    const int64_t size = rows.num_rows * width_;
    ARROW_RETURN_NOT_OK(out[0].Reserve(size));
    const auto split = width_ == 4 ? EncoderKernels().split4 : EncoderKernels().split8;
    split(rows.values + rows.values_bit / 8, rows.num_rows, rows.num_rows,
          out[0].mutable_data() + out[0].length());
    out[0].UnsafeAdvance(size);
    return Status::OK();
  }

 private:
  static constexpr int64_t kChunkBytes = 4096;

  ValueEncoding encoding_;
  int64_t width_;
};

}  // namespace

Result<std::unique_ptr<const ValueDecoder>> MakeByteStreamSplitDecoder(
    const ValueEncoding& encoding) {
  if (encoding.children.size() != 1) return Corrupt("encoding byte_stream_split without values");
  const ValueEncoding& values = encoding.children[0];
  if (values.kind != ValueEncoding::Kind::kFlat || (values.bits != 32 && values.bits != 64)) {
    return Corrupt("encoding byte_stream_split around encoding ", EncodingName(values.kind), " of ",
                   values.bits, " bits");
  }
  return std::make_unique<ByteStreamSplitDecoder>(static_cast<int64_t>(values.bits) / 8);
}

std::unique_ptr<ValueEncoder> MakeByteStreamSplitEncoder(int64_t bits) {
  assert(bits == 32 || bits == 64);
  return std::make_unique<ByteStreamSplitEncoder>(bits);
}

}  // namespace tusk::lance
