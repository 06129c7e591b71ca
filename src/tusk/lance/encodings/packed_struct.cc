#include "tusk/lance/encodings/packed_struct.h"

#include <algorithm>
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
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/variable.h"

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

/// The structs that are to be packed. Borrows them.
struct StructRows {
  /// The shapes of the fields, which `fields` points to.
  std::vector<ValueShape> shapes;
  std::vector<std::shared_ptr<arrow::ArrayData>> slices;
  std::vector<RowsView> fields;
  int64_t num_rows = 0;
  const uint8_t* validity = nullptr;
  int64_t validity_bit = 0;

  static Result<StructRows> Of(const arrow::ArrayData& structs);
  bool IsNull(int64_t row) const {
    return validity != nullptr && !GetBit(validity, validity_bit + row);
  }
};

Result<StructRows> StructRows::Of(const arrow::ArrayData& structs) {
  StructRows rows;
  rows.num_rows = structs.length;
  if (structs.MayHaveNulls()) rows.validity = structs.buffers[0]->data();
  rows.validity_bit = structs.offset;
  rows.shapes.reserve(structs.child_data.size());
  for (const auto& child : structs.child_data) {
    ARROW_ASSIGN_OR_RAISE(ValueShape shape, ValueShape::Of(*child->type));
    rows.shapes.push_back(std::move(shape));
    rows.slices.push_back(child->Slice(structs.offset, structs.length));
    ARROW_ASSIGN_OR_RAISE(const RowsView field,
                          RowsView::Of(*rows.slices.back(), rows.shapes.back()));
    for (int64_t row = 0; field.validity != nullptr && row < field.num_rows; ++row) {
      if (!field.IsNull(row) || rows.IsNull(row)) continue;
      const auto i = static_cast<int>(rows.fields.size());
      return InvalidArgument("field ", structs.type->field(i)->name(), " of row ", row,
                             " is null: packed structs have no null fields");
    }
    rows.fields.push_back(field);
  }
  return rows;
}

/// The bitmap of `rows` from its first bit on; null if all are valid.
Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const StructRows& rows, arrow::MemoryPool* pool) {
  if (rows.validity == nullptr) return nullptr;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bitmap,
                        arrow::AllocateBuffer(BytesForBits(rows.num_rows), pool));
  CopyBits(rows.validity, rows.validity_bit, rows.num_rows, bitmap->mutable_data(), 0);
  return bitmap;
}

/// Copies a value of a field of fixed width.
void CopyFixed(const RowsView& field, int64_t row, uint8_t* to) {
  const int64_t bits = field.shape->row_bits();
  const int64_t from = field.values_bit + row * bits;
  if (from % 8 == 0) {
    std::memcpy(to, field.values + from / 8, bits / 8);
  } else {
    CopyBits(field.values, from, bits, to, 0);
  }
}

/// Copies the values of a field into rows of `stride` bytes.
template <int64_t kWidth>
void CopyColumn(const RowsView& field, int64_t stride, uint8_t* to) {
  const uint8_t* from = field.values + field.values_bit / 8;
  for (int64_t row = 0; row < field.num_rows; ++row, from += kWidth, to += stride) {
    std::memcpy(to, from, kWidth);
  }
}

void PackField(const RowsView& field, int64_t stride, uint8_t* to) {
  if (field.values_bit % 8 == 0) {
    switch (field.shape->row_bits()) {
      case 8:
        return CopyColumn<1>(field, stride, to);
      case 16:
        return CopyColumn<2>(field, stride, to);
      case 32:
        return CopyColumn<4>(field, stride, to);
      case 64:
        return CopyColumn<8>(field, stride, to);
      default:
        break;
    }
  }
  for (int64_t row = 0; row < field.num_rows; ++row) CopyFixed(field, row, to + row * stride);
}

Result<std::shared_ptr<arrow::Buffer>> PackFixedRows(const StructRows& rows, int64_t width,
                                                     arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> packed,
                        arrow::AllocateBuffer(rows.num_rows * width, pool));
  uint8_t* to = packed->mutable_data();
  for (const RowsView& field : rows.fields) {
    PackField(field, width, to);
    to += field.shape->row_bits() / 8;
  }
  for (int64_t row = 0; rows.validity != nullptr && row < rows.num_rows; ++row) {
    if (rows.IsNull(row)) std::memset(packed->mutable_data() + row * width, 0, width);
  }
  return packed;
}

/// Offsets of 64 bits, and what they count in.
struct PackedTexts {
  std::shared_ptr<arrow::Buffer> offsets;
  std::shared_ptr<arrow::Buffer> bytes;
};

Result<PackedTexts> PackVariableRows(const StructRows& rows, arrow::MemoryPool* pool) {
  PackedTexts packed;
  ARROW_ASSIGN_OR_RAISE(packed.offsets,
                        arrow::AllocateBuffer((rows.num_rows + 1) * sizeof(int64_t), pool));
  auto* offsets = reinterpret_cast<int64_t*>(packed.offsets->mutable_data());
  offsets[0] = 0;
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    int64_t size = 0;
    for (const RowsView& field : rows.fields) {
      size += field.shape->is_variable ? field.shape->bits / 8 + field.Length(row)
                                       : field.shape->row_bits() / 8;
    }
    offsets[row + 1] = offsets[row] + (rows.IsNull(row) ? 0 : size);
  }
  ARROW_ASSIGN_OR_RAISE(packed.bytes, arrow::AllocateBuffer(offsets[rows.num_rows], pool));
  for (int64_t row = 0; row < rows.num_rows; ++row) {
    if (rows.IsNull(row)) continue;
    uint8_t* to = packed.bytes->mutable_data() + offsets[row];
    for (const RowsView& field : rows.fields) {
      if (!field.shape->is_variable) {
        CopyFixed(field, row, to);
        to += field.shape->row_bits() / 8;
        continue;
      }
      const int64_t width = field.shape->bits / 8;
      const int64_t length = field.Length(row);
      std::memcpy(to, &length, width);
      if (length > 0) std::memcpy(to + width, field.values + field.Offset(row), length);
      to += width + length;
    }
  }
  return packed;
}

}  // namespace

Result<ValueEncoding> PackedStructEncoding(const arrow::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(const ValueShape packed, ValueShape::OfPacked(type));
  ValueEncoding encoding;
  const bool has_lists = std::ranges::any_of(type.fields(), [](const auto& field) {
    return field->type()->id() == arrow::Type::FIXED_SIZE_LIST;
  });
  const bool is_plain = !packed.is_variable && !has_lists;
  encoding.kind = is_plain ? Kind::kPackedStruct : Kind::kVariablePackedStruct;
  for (const auto& [is_variable, bits] : packed.packed_fields) {
    encoding.packed_fields.push_back(
        {.is_variable = is_variable, .bits = static_cast<uint64_t>(bits)});
  }
  if (is_plain) {
    encoding.children.push_back(ValueEncoding::Flat(static_cast<uint64_t>(packed.bits)));
    return encoding;
  }
  for (const auto& field : type.fields()) {
    ARROW_ASSIGN_OR_RAISE(const ValueShape shape, ValueShape::Of(*field->type()));
    encoding.children.push_back(shape.is_variable ? VariableEncoding(shape.bits)
                                                  : FlatEncoding(shape));
  }
  return encoding;
}

Result<std::shared_ptr<arrow::ArrayData>> PackStruct(const arrow::ArrayData& structs,
                                                     const ValueShape& shape,
                                                     arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const StructRows rows, StructRows::Of(structs));
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(rows, pool));
  if (shape.is_variable) {
    ARROW_ASSIGN_OR_RAISE(auto packed, PackVariableRows(rows, pool));
    return arrow::ArrayData::Make(
        arrow::large_binary(), rows.num_rows,
        {std::move(validity), std::move(packed.offsets), std::move(packed.bytes)});
  }
  const int64_t width = shape.row_bits() / 8;
  ARROW_ASSIGN_OR_RAISE(auto packed, PackFixedRows(rows, width, pool));
  return arrow::ArrayData::Make(arrow::fixed_size_binary(static_cast<int32_t>(width)),
                                rows.num_rows, {std::move(validity), std::move(packed)});
}

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
