#include "tusk/lance/encodings/packed_struct.h"

#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/buffer_builder.h>
#include <arrow/type.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/fixed_size_list.h"
#include "tusk/lance/encodings/flat.h"

namespace tusk::lance {
namespace {

using Kind = ValueEncoding::Kind;

class PackedStructDecoder final : public ValueDecoder {
 public:
  PackedStructDecoder(ValueEncoding encoding, std::unique_ptr<const ValueDecoder> rows)
      : encoding_(std::move(encoding)), rows_(std::move(rows)) {}

  size_t num_buffers() const override { return rows_->num_buffers(); }
  uint64_t MinBytes(uint64_t num_values) const override { return rows_->MinBytes(num_values); }
  Status CheckShape(const ValueShape& shape) const override {
    ARROW_RETURN_NOT_OK(CheckPackedFields(encoding_, shape));
    return rows_->CheckShape(shape);
  }
  Status DecodeInto(const EncodedChunk& chunk, RowRange rows, int64_t position,
                    ColumnOutput* out) const override {
    return rows_->DecodeInto(chunk, rows, position, out);
  }
  Status GatherInto(const EncodedChunk& chunk, std::span<const TakenRow> rows, int64_t first_row,
                    ColumnOutput* out) const override {
    return rows_->GatherInto(chunk, rows, first_row, out);
  }

 private:
  ValueEncoding encoding_;
  std::unique_ptr<const ValueDecoder> rows_;
};

/// Cuts pieces off the front of a row.
class RowCursor {
 public:
  explicit RowCursor(std::span<const uint8_t> bytes) : rest_(bytes), size_(bytes.size()) {}

  bool done() const { return rest_.empty(); }
  Result<std::span<const uint8_t>> Take(uint64_t length) {
    if (length > rest_.size()) {
      return Corrupt("packed row of ", size_, " bytes has a field of ", length, " at ",
                     size_ - rest_.size());
    }
    const auto piece = rest_.first(length);
    rest_ = rest_.subspan(length);
    return piece;
  }
  /// A length of so many bytes, and as much behind it.
  Result<std::span<const uint8_t>> TakeText(int64_t length_width) {
    ARROW_ASSIGN_OR_RAISE(const auto prefix, Take(length_width));
    uint64_t length = 0;
    std::memcpy(&length, prefix.data(), length_width);
    return Take(length);
  }

 private:
  std::span<const uint8_t> rest_;
  size_t size_;
};

class PackedRowDecoder final : public SingleValueDecoder {
 public:
  PackedRowDecoder(ValueEncoding encoding,
                   std::vector<std::unique_ptr<const SingleValueDecoder>> texts)
      : encoding_(std::move(encoding)), texts_(std::move(texts)) {}

  Status CheckShape(const ValueShape& shape) const override {
    return CheckPackedFields(encoding_, shape);
  }

  Result<std::shared_ptr<arrow::Buffer>> Decode(std::span<const uint8_t> bytes,
                                                arrow::MemoryPool* pool) const override {
    RowCursor row(bytes);
    arrow::BufferBuilder out(pool);
    for (size_t i = 0; i < encoding_.packed_fields.size(); ++i) {
      const auto& [is_variable, bits] = encoding_.packed_fields[i];
      const auto width = static_cast<int64_t>(bits) / 8;
      if (!is_variable) {
        ARROW_ASSIGN_OR_RAISE(const auto value, row.Take(width));
        ARROW_RETURN_NOT_OK(out.Append(value.data(), width));
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(auto text, row.TakeText(width));
      std::shared_ptr<arrow::Buffer> decoded;
      if (texts_[i] != nullptr) {
        ARROW_ASSIGN_OR_RAISE(decoded, texts_[i]->Decode(text, pool));
        text = {decoded->data(), static_cast<size_t>(decoded->size())};
      }
      const uint64_t length = text.size();
      ARROW_RETURN_NOT_OK(out.Append(&length, sizeof(length)));
      if (text.empty()) continue;
      ARROW_RETURN_NOT_OK(out.Append(text.data(), static_cast<int64_t>(text.size())));
    }
    if (!row.done()) return Corrupt("packed row of ", bytes.size(), " bytes is too long");
    return out.Finish();
  }

 private:
  ValueEncoding encoding_;
  /// By field; null for fixed fields and for texts that stand as they are.
  std::vector<std::unique_ptr<const SingleValueDecoder>> texts_;
};

/// Writes a field of fixed width to its place in the field's own array.
Status PutFixed(std::span<const uint8_t> value, int64_t row, ColumnOutput* out) {
  ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
  CopyBits(value.data(), 0, out->shape().row_bits(), values, row * out->shape().row_bits());
  return Status::OK();
}

Status PutText(std::span<const uint8_t> text, int64_t row, ColumnOutput* out) {
  ARROW_ASSIGN_OR_RAISE(uint8_t* lengths, out->MutableLengths());
  const uint64_t length = text.size();
  const int64_t width = out->shape().bits / 8;
  if (width == 4 && length > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
    return Corrupt("packed field of ", length, " bytes");
  }
  std::memcpy(lengths + (row + 1) * width, &length, width);
  out->AddRun(row, 1, text.data());
  return Status::OK();
}

/// The bytes of a packed row; none for a null one.
std::span<const uint8_t> RowBytes(const arrow::ArrayData& rows, const ValueShape& shape,
                                  int64_t row) {
  const bool is_null = rows.buffers[0] != nullptr && !GetBit(rows.buffers[0]->data(), row);
  if (is_null) return {};
  if (!shape.is_variable) {
    const int64_t width = shape.row_bits() / 8;
    return {rows.buffers[1]->data() + row * width, static_cast<size_t>(width)};
  }
  const auto* offsets = rows.GetValues<int64_t>(1);
  return {rows.buffers[2]->data() + offsets[row],
          static_cast<size_t>(offsets[row + 1] - offsets[row])};
}

}  // namespace

Status CheckPackedFields(const ValueEncoding& encoding, const ValueShape& shape) {
  bool is_same = encoding.packed_fields.size() == shape.packed_fields.size();
  for (size_t i = 0; is_same && i < shape.packed_fields.size(); ++i) {
    const auto& stored = encoding.packed_fields[i];
    const auto& wanted = shape.packed_fields[i];
    is_same = stored.is_variable == wanted.is_variable &&
              (stored.is_variable || stored.bits == static_cast<uint64_t>(wanted.bits));
  }
  if (is_same) return Status::OK();
  return Corrupt("packed struct of ", encoding.packed_fields.size(),
                 " fields that are not those of the column's type");
}

Result<std::unique_ptr<const ValueDecoder>> MakePackedStructDecoder(const ValueEncoding& encoding) {
  if (encoding.children.size() != 1 || encoding.children[0].kind != Kind::kFlat) {
    return Corrupt("packed struct of values that are not flat");
  }
  uint64_t bits = 0;
  for (const auto& field : encoding.packed_fields) {
    if (field.bits == 0 || field.bits % 8 != 0 || field.bits > encoding.children[0].bits) {
      return Corrupt("packed struct with a field of ", field.bits, " bits");
    }
    bits += field.bits;
  }
  if (bits != encoding.children[0].bits) {
    return Corrupt("packed struct of ", bits, " bits in rows of ", encoding.children[0].bits);
  }
  ARROW_ASSIGN_OR_RAISE(ListLayers rows, ListLayers::Of(encoding.children[0]));
  ARROW_ASSIGN_OR_RAISE(auto decoder, MakeFlatDecoder(std::move(rows)));
  return std::make_unique<PackedStructDecoder>(encoding, std::move(decoder));
}

Result<std::unique_ptr<const SingleValueDecoder>> MakePackedRowDecoder(
    const ValueEncoding& encoding) {
  std::vector<std::unique_ptr<const SingleValueDecoder>> texts(encoding.children.size());
  for (size_t i = 0; i < encoding.children.size(); ++i) {
    const auto& [is_variable, bits] = encoding.packed_fields[i];
    const ValueEncoding& child = encoding.children[i];
    if (is_variable) {
      if (bits != 32 && bits != 64) return Corrupt("packed field with lengths of ", bits, " bits");
      if (child.kind == Kind::kVariablePackedStruct) {
        return Unsupported("packed structs within packed structs are not supported");
      }
      ARROW_ASSIGN_OR_RAISE(texts[i], MakeSingleValueDecoder(child));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const ListLayers lists, ListLayers::Of(child));
    if (lists.num_bitmaps() > 0) {
      return Unsupported("packed fixed-size lists with null items are not supported");
    }
    if (lists.items.kind != Kind::kFlat || bits == 0 || bits % 8 != 0 || lists.items.bits > bits ||
        lists.items.bits * static_cast<uint64_t>(lists.items_per_row) != bits) {
      return Corrupt("packed field of ", bits, " bits in encoding ",
                     EncodingName(lists.items.kind));
    }
  }
  return std::make_unique<PackedRowDecoder>(encoding, std::move(texts));
}

Result<std::shared_ptr<arrow::ArrayData>> UnpackStruct(const arrow::ArrayData& rows,
                                                       const ValueShape& shape,
                                                       const std::shared_ptr<arrow::DataType>& type,
                                                       arrow::MemoryPool* pool) {
  std::vector<ColumnOutput> fields;
  for (const auto& field : type->fields()) {
    ARROW_ASSIGN_OR_RAISE(ValueShape field_shape, ValueShape::Of(*field->type()));
    fields.emplace_back(std::move(field_shape), rows.length, pool);
  }
  for (int64_t r = 0; r < rows.length; ++r) {
    const std::span<const uint8_t> bytes = RowBytes(rows, shape, r);
    RowCursor row(bytes);
    for (size_t i = 0; i < fields.size(); ++i) {
      const bool is_variable = shape.packed_fields[i].is_variable;
      if (bytes.empty()) {
        if (is_variable) continue;
        ARROW_ASSIGN_OR_RAISE(uint8_t* values, fields[i].MutableValues());
        const int64_t bits = fields[i].shape().row_bits();
        ClearBits(values, r * bits, bits);
        continue;
      }
      if (is_variable) {
        ARROW_ASSIGN_OR_RAISE(const auto text, row.TakeText(sizeof(uint64_t)));
        ARROW_RETURN_NOT_OK(PutText(text, r, &fields[i]));
      } else {
        ARROW_ASSIGN_OR_RAISE(const auto value, row.Take(shape.packed_fields[i].bits / 8));
        ARROW_RETURN_NOT_OK(PutFixed(value, r, &fields[i]));
      }
    }
    if (!row.done()) return Corrupt("packed row ", r, " of ", bytes.size(), " bytes is too long");
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (size_t i = 0; i < fields.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto child, fields[i].Finish(type->field(static_cast<int>(i))->type()));
    children.push_back(std::move(child));
  }
  return arrow::ArrayData::Make(type, rows.length, {rows.buffers[0]}, std::move(children),
                                rows.null_count.load());
}

}  // namespace tusk::lance
