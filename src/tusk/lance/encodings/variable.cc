#include "tusk/lance/encodings/variable.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>

#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/lance/encodings/value_encoder.h"

namespace tusk::lance {
namespace {

constexpr size_t kCacheLine = 64;
/// Of one text. By then the processor knows how it goes on.
constexpr size_t kMostPrefetched = 4 * kCacheLine;

/// Writes the length of a row of the output.
Status PutLength(uint64_t length, int64_t position, const ValueShape& shape, uint8_t* lengths) {
  const int64_t width = shape.bits / 8;
  if (width == 4 && length > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
    return Corrupt("value of a variable chunk has ", length, " bytes, too many for 32-bit offsets");
  }
  std::memcpy(lengths + (position + 1) * width, &length, width);
  return Status::OK();
}

class VariableDecoder final : public ValueDecoder {
 public:
  explicit VariableDecoder(int64_t offset_bits) : offset_bits_(offset_bits) {}

  size_t num_buffers() const override { return 1; }
  uint64_t MinBytes(uint64_t num_values) const override {
    const uint64_t width = offset_bits_ / 8;
    return num_values > std::numeric_limits<uint64_t>::max() / width ? ~uint64_t{0}
                                                                     : num_values * width;
  }
  Status CheckShape(const ValueShape& shape) const override {
    if (shape.is_variable) return Status::OK();
    return Corrupt("encoding variable holds values of any length, the column's type does not");
  }

  Status DecodeInto(const EncodedChunk& chunk, RowRange rows, int64_t position,
                    ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(const auto texts, VariableChunk::Bind(chunk, offset_bits_));
    return AppendTexts(texts, rows, position, out);
  }

  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(const auto texts, VariableChunk::Bind(chunk, offset_bits_));
    ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
    for (const TakenRow& taken : rows) {
      ARROW_ASSIGN_OR_RAISE(const auto text, texts.Row(taken.row - first_row));
      ARROW_RETURN_NOT_OK(PutLength(text.size(), taken.position, out->shape(), lengths));
      out->AddRun(taken.position, 1, text.data());
    }
    return Status::OK();
  }

  void Prefetch(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                int step) const override {
    const auto texts = VariableChunk::Bind(chunk, offset_bits_);
    if (texts.ok()) texts->Prefetch(rows, first_row, step);
  }

 private:
  int64_t offset_bits_;
};

/// Fills the chunk's last word, as the reference writer does.
constexpr uint8_t kPadding = 0x48;

template <typename Stored>
void EncodeAs(const RowsView& rows, uint8_t* to) {
  const int64_t table = (rows.num_rows + 1) * static_cast<int64_t>(sizeof(Stored));
  const int64_t begin = rows.Offset(0);
  const int64_t size = rows.Offset(rows.num_rows) - begin;
  const auto add = sizeof(Stored) == 4 ? Kernels().add32to32 : Kernels().add64to64;
  add(rows.offsets, rows.num_rows + 1, static_cast<uint64_t>(table - begin), to);
  if (size > 0) std::memcpy(to + table, rows.values + begin, size);
  for (int64_t at = table + size; at % static_cast<int64_t>(sizeof(Stored)) != 0; ++at) {
    to[at] = kPadding;
  }
}

class VariableEncoder final : public ValueEncoder {
 public:
  VariableEncoder(int64_t offset_bits, int64_t chunk_bytes)
      : encoding_(VariableEncoding(offset_bits)),
        offset_width_(offset_bits / 8),
        chunk_bytes_(chunk_bytes) {}

  const ValueEncoding& encoding() const override { return encoding_; }
  size_t num_buffers() const override { return 1; }

  int64_t ChunkRows(const RowsView& rest) const override {
    const auto fits = [&](int64_t count) {
      return rest.Offset(count) - rest.Offset(0) + (count + 1) * offset_width_ <= chunk_bytes_;
    };
    if (rest.num_rows <= kMaxChunkValues && fits(rest.num_rows)) return rest.num_rows;
    int64_t rows = 2;
    while (2 * rows <= std::min(kMaxChunkValues, rest.num_rows) && fits(2 * rows)) rows *= 2;
    return std::min(rows, rest.num_rows);
  }

  Status EncodeChunk(const RowsView& rows, std::span<arrow::BufferBuilder> out) override {
    const int64_t size = EncodedVariableSize(rows);
    ARROW_RETURN_NOT_OK(out[0].Reserve(size));
    EncodeVariable(rows, out[0].mutable_data() + out[0].length());
    out[0].UnsafeAdvance(size);
    return Status::OK();
  }

 private:
  ValueEncoding encoding_;
  int64_t offset_width_;
  int64_t chunk_bytes_;
};

}  // namespace

Result<VariableChunk> VariableChunk::Bind(const EncodedChunk& chunk, int64_t offset_bits) {
  const std::span<const uint8_t> bytes = chunk.buffers[0];
  const int64_t width = offset_bits / 8;
  const uint64_t table = static_cast<uint64_t>(chunk.num_values + 1) * static_cast<uint64_t>(width);
  if (bytes.size() < table) {
    return Corrupt("variable chunk of ", chunk.num_values, " values has ", bytes.size(),
                   " bytes, less than its ", table, " bytes of offsets");
  }
  return VariableChunk(bytes, table, width);
}

Result<std::span<const uint8_t>> VariableChunk::Row(int64_t row) const {
  const uint64_t begin = Offset(row);
  const uint64_t end = Offset(row + 1);
  if (begin < table_ || end < begin || end > bytes_.size()) [[unlikely]] {
    return Corrupt("variable chunk of ", bytes_.size(), " bytes puts value ", row, " at [", begin,
                   ", ", end, ")");
  }
  return bytes_.subspan(begin, end - begin);
}

Result<std::span<const uint8_t>> VariableChunk::Rows(RowRange rows) const {
  const auto ascends = offset_width_ == 4 ? Kernels().ascends32 : Kernels().ascends64;
  const uint64_t begin = Offset(rows.begin);
  const uint64_t end = Offset(rows.end);
  if (begin >= table_ && end <= bytes_.size() &&
      ascends(OffsetBytes(rows.begin), rows.length() + 1)) [[likely]] {
    return bytes_.subspan(begin, end - begin);
  }
  for (int64_t row = rows.begin; row < rows.end; ++row) ARROW_RETURN_NOT_OK(Row(row).status());
  return Corrupt("variable chunk of ", bytes_.size(), " bytes begins values at ", begin);
}

void VariableChunk::Prefetch(std::span<const TakenRow> rows, int64_t first_row, int step) const {
  for (const TakenRow& taken : rows) {
    const int64_t row = taken.row - first_row;
    if (step == 0) {
      __builtin_prefetch(OffsetBytes(row));
    } else if (const auto text = Row(row); text.ok()) {
      for (size_t at = 0; at < std::min(text->size(), kMostPrefetched); at += kCacheLine) {
        __builtin_prefetch(text->data() + at);
      }
    }
  }
}

Status AppendTexts(const VariableChunk& chunk, RowRange rows, int64_t position, ColumnOutput* out) {
  ARROW_ASSIGN_OR_RAISE(const auto bytes, chunk.Rows(rows));
  if (!out->is_in_order(position)) {
    ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      ARROW_RETURN_NOT_OK(PutLength(chunk.Offset(row + 1) - chunk.Offset(row),
                                    position + row - rows.begin, out->shape(), lengths));
    }
    out->AddRun(position, rows.length(), bytes.data());
    return Status::OK();
  }
  const auto size = static_cast<int64_t>(bytes.size());
  ARROW_ASSIGN_OR_RAISE(const ColumnOutput::Room room, out->MakeRoom(position, size));
  if (size > 0) std::memcpy(room.bytes, bytes.data(), bytes.size());
  const DecodeKernels& kernels = Kernels();
  const bool is_narrow = out->shape().bits == 32;
  const auto add = chunk.offset_width() == 4 ? (is_narrow ? kernels.add32to32 : kernels.add32to64)
                                             : (is_narrow ? kernels.add64to32 : kernels.add64to64);
  add(chunk.OffsetBytes(rows.begin + 1), rows.length(),
      static_cast<uint64_t>(room.begin) - chunk.Offset(rows.begin), room.ends);
  return out->Append(rows.length(), size);
}

Result<std::unique_ptr<const ValueDecoder>> MakeVariableDecoder(const ValueEncoding& encoding) {
  if (encoding.children.size() != 1) return Corrupt("encoding variable without offsets");
  const ValueEncoding& offsets = encoding.children[0];
  if (offsets.kind != ValueEncoding::Kind::kFlat) {
    return Unsupported("encoding variable with offsets in encoding ", EncodingName(offsets.kind),
                       " is not supported yet");
  }
  if (offsets.bits != 32 && offsets.bits != 64) {
    return Corrupt("encoding variable with offsets of ", offsets.bits, " bits");
  }
  return std::make_unique<VariableDecoder>(static_cast<int64_t>(offsets.bits));
}

ValueEncoding VariableEncoding(int64_t offset_bits) {
  ValueEncoding encoding;
  encoding.kind = ValueEncoding::Kind::kVariable;
  encoding.children.push_back(ValueEncoding::Flat(static_cast<uint64_t>(offset_bits)));
  return encoding;
}

int64_t EncodedVariableSize(const RowsView& rows) {
  const int64_t width = rows.shape->bits / 8;
  const int64_t size = (rows.num_rows + 1) * width + rows.Offset(rows.num_rows) - rows.Offset(0);
  return static_cast<int64_t>(RoundUp(size, width));
}

void EncodeVariable(const RowsView& rows, uint8_t* to) {
  rows.shape->bits == 32 ? EncodeAs<uint32_t>(rows, to) : EncodeAs<uint64_t>(rows, to);
}

std::unique_ptr<ValueEncoder> MakeVariableEncoder(const ValueShape& shape, int64_t chunk_bytes) {
  assert(shape.is_variable);
  return std::make_unique<VariableEncoder>(shape.bits, chunk_bytes);
}

}  // namespace tusk::lance
