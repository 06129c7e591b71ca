#include "tusk/lance/encodings/flat.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <ranges>
#include <utility>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/value_encoder.h"

namespace tusk::lance {
namespace {

class FlatDecoder final : public ValueDecoder {
 public:
  explicit FlatDecoder(ListLayers lists)
      : lists_(std::move(lists)),
        num_bitmaps_(lists_.num_bitmaps()),
        bits_(static_cast<int64_t>(lists_.items.bits)),
        row_bits_(bits_ * lists_.items_per_row) {}

  size_t num_buffers() const override { return num_bitmaps_ + 1; }

  uint64_t MinBytes(uint64_t num_values) const override {
    const auto row_bits = static_cast<uint64_t>(row_bits_);
    if (num_values > std::numeric_limits<uint64_t>::max() / row_bits) return ~uint64_t{0};
    return num_values * row_bits / 8;
  }

  Status CheckShape(const ValueShape& shape) const override {
    return lists_.CheckShape(shape, bits_);
  }

  Status DecodeInto(const EncodedChunk& chunk, RowRange rows, int64_t position,
                    ColumnOutput* out) const override {
    ARROW_RETURN_NOT_OK(CheckChunk(chunk));
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    CopyBits(chunk.buffers.back().data(), rows.begin * row_bits_, rows.length() * row_bits_, values,
             position * row_bits_);
    return lists_.DecodeBitmaps(chunk.buffers, rows, position, out);
  }

  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    ARROW_RETURN_NOT_OK(CheckChunk(chunk));
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    for (size_t i = 0; num_bitmaps_ > 0 && i < rows.size(); ++i) {
      const int64_t row = rows[i].row - first_row;
      ARROW_RETURN_NOT_OK(lists_.DecodeBitmaps(chunk.buffers, {.begin = row, .end = row + 1},
                                               rows[i].position, out));
    }
    const uint8_t* from = chunk.buffers.back().data();
    if (row_bits_ % 8 != 0) {
      for (const TakenRow& taken : rows) {
        CopyBits(from, (taken.row - first_row) * row_bits_, row_bits_, values,
                 taken.position * row_bits_);
      }
      return Status::OK();
    }
    const int64_t width = row_bits_ / 8;
    for (const TakenRow& taken : rows) {
      std::memcpy(values + taken.position * width, from + (taken.row - first_row) * width, width);
    }
    return Status::OK();
  }

  void Prefetch(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                int step) const override {
    if (step > 0 || !CheckChunk(chunk).ok()) return;
    for (const TakenRow& taken : rows) {
      __builtin_prefetch(chunk.buffers.back().data() + (taken.row - first_row) * row_bits_ / 8);
    }
  }

 private:
  Status CheckChunk(const EncodedChunk& chunk) const {
    const auto needed = static_cast<size_t>(BytesForBits(chunk.num_values * row_bits_));
    if (chunk.buffers.back().size() < needed) {
      return Corrupt("flat chunk of ", chunk.num_values, " values has ",
                     chunk.buffers.back().size(), " bytes, not ", needed);
    }
    return Status::OK();
  }

  ListLayers lists_;
  size_t num_bitmaps_;
  int64_t bits_;
  int64_t row_bits_;
};

/// Rows of a chunk: a power of two above one, in whole bytes.
int64_t FixedChunkRows(int64_t row_bits) {
  int64_t rows = row_bits % 8 == 0 ? 2 : 8;
  while (2 * rows <= kMaxChunkValues && 2 * rows * row_bits / 8 < kMaxChunkBytes) rows *= 2;
  return rows;
}

class FlatEncoder final : public ValueEncoder {
 public:
  explicit FlatEncoder(const ValueShape& shape)
      : encoding_(FlatEncoding(shape)),
        row_bits_(shape.row_bits()),
        chunk_rows_(FixedChunkRows(row_bits_)) {}

  const ValueEncoding& encoding() const override { return encoding_; }
  size_t num_buffers() const override { return 1; }
  int64_t ChunkRows(const RowsView& rest) const override {
    return std::min(chunk_rows_, rest.num_rows);
  }
  Status EncodeChunk(const RowsView& rows, std::span<arrow::BufferBuilder> out) override {
    const int64_t size = BytesForBits(rows.num_rows * row_bits_);
    ARROW_RETURN_NOT_OK(out[0].Reserve(size));
    EncodeFlat(rows, out[0].mutable_data() + out[0].length());
    out[0].UnsafeAdvance(size);
    return Status::OK();
  }

 private:
  ValueEncoding encoding_;
  int64_t row_bits_;
  int64_t chunk_rows_;
};

}  // namespace

Result<std::unique_ptr<const ValueDecoder>> MakeFlatDecoder(ListLayers lists) {
  const uint64_t bits = lists.items.bits;
  // Rows stay below 2^31 bytes, so that chunks of up to 2^15 of them can be counted in 64 bits.
  if (bits == 0 || bits > (uint64_t{1} << 34) / static_cast<uint64_t>(lists.items_per_row)) {
    return Corrupt("encoding flat of ", lists.items_per_row, " x ", bits, " bits a value");
  }
  if (bits != 1 && bits % 8 != 0) {
    return Unsupported("encoding flat of ", bits, " bits is not supported yet");
  }
  return std::make_unique<FlatDecoder>(std::move(lists));
}

ValueEncoding FlatEncoding(const ValueShape& shape) {
  ValueEncoding encoding = ValueEncoding::Flat(static_cast<uint64_t>(shape.bits));
  for (const int32_t size : std::views::reverse(shape.list_sizes)) {
    ValueEncoding list;
    list.kind = ValueEncoding::Kind::kFixedSizeList;
    list.items = static_cast<uint64_t>(size);
    list.children.push_back(std::move(encoding));
    encoding = std::move(list);
  }
  if (shape.packed_fields.empty()) return encoding;
  ValueEncoding packed;
  packed.kind = ValueEncoding::Kind::kPackedStruct;
  for (const ValueShape::PackedField& field : shape.packed_fields) {
    packed.packed_fields.push_back({.bits = static_cast<uint64_t>(field.bits)});
  }
  packed.children.push_back(std::move(encoding));
  return packed;
}

std::unique_ptr<ValueEncoder> MakeFlatEncoder(const ValueShape& shape) {
  assert(!shape.is_variable && shape.row_bits() > 0);
  return std::make_unique<FlatEncoder>(shape);
}

void EncodeFlat(const RowsView& rows, uint8_t* to) {
  const int64_t row_bits = rows.shape->row_bits();
  const int64_t bits = rows.num_rows * row_bits;
  if (bits == 0) return;
  to[BytesForBits(bits) - 1] = 0;
  CopyBits(rows.values, rows.values_bit, bits, to, 0);
}

}  // namespace tusk::lance
