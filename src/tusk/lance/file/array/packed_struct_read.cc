#include <cstring>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/value_shape.h"
#include "tusk/lance/file/array/array_read.h"

namespace tusk::lance {
namespace {

using Kind = ArrayEncoding::Kind;

/// The longest row: its bits can be counted, and many of them.
constexpr int64_t kMaxRowBytes = 256 << 20;

/// Bytes of a field in each row of a packed struct.
Result<int64_t> WidthOf(const ArrayEncoding& field) {
  switch (field.kind) {
    case Kind::kFlat:
      if (field.bits % 8 != 0) break;
      return field.bits / 8;
    case Kind::kNoNulls:
      return WidthOf(field.children[0]);
    case Kind::kFixedSizeList: {
      ARROW_ASSIGN_OR_RAISE(const int64_t width, WidthOf(field.children[0]));
      if (width > kMaxRowBytes / field.count) break;
      return width * field.count;
    }
    case Kind::kPackedStruct: {
      int64_t width = 0;
      for (const ArrayEncoding& child : field.children) {
        ARROW_ASSIGN_OR_RAISE(const int64_t more, WidthOf(child));
        width += more;
        if (width > kMaxRowBytes) return Corrupt("packed struct of ", width, " bytes a row");
      }
      return width;
    }
    default:
      break;
  }
  return Unsupported("packed structs with a field in encoding ", field.name(),
                     " are not supported");
}

/// Rows in memory, `stride` bytes each.
struct Rows {
  const uint8_t* bytes;
  int64_t stride;
  int64_t count;
};

/// The field that begins at the first byte of each row.
Result<std::shared_ptr<arrow::ArrayData>> Unpack(const ArrayEncoding& field, const Rows& rows,
                                                 const std::shared_ptr<arrow::DataType>& type,
                                                 arrow::MemoryPool* pool);

Result<std::shared_ptr<arrow::ArrayData>> UnpackFields(const ArrayEncoding& packed,
                                                       const Rows& rows,
                                                       const std::shared_ptr<arrow::DataType>& type,
                                                       arrow::MemoryPool* pool) {
  const auto& fields = type->fields();
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  Rows rest = rows;
  for (size_t i = 0; i < packed.children.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto child, Unpack(packed.children[i], rest, fields[i]->type(), pool));
    children.push_back(std::move(child));
    ARROW_ASSIGN_OR_RAISE(const int64_t width, WidthOf(packed.children[i]));
    rest.bytes += width;
  }
  return arrow::ArrayData::Make(type, rows.count, {nullptr}, std::move(children), 0);
}

Result<std::shared_ptr<arrow::ArrayData>> Unpack(const ArrayEncoding& field, const Rows& rows,
                                                 const std::shared_ptr<arrow::DataType>& type,
                                                 arrow::MemoryPool* pool) {
  if (field.kind == Kind::kNoNulls) return Unpack(field.children[0], rows, type, pool);
  if (field.kind == Kind::kPackedStruct) return UnpackFields(field, rows, type, pool);
  ARROW_ASSIGN_OR_RAISE(const int64_t width, WidthOf(field));
  ARROW_ASSIGN_OR_RAISE(const ValueShape shape, ValueShape::Of(*type));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(rows.count * width, pool));
  uint8_t* to = values->mutable_data();
  for (int64_t row = 0; row < rows.count; ++row) {
    std::memcpy(to + row * width, rows.bytes + row * rows.stride, static_cast<size_t>(width));
  }
  ColumnOutput output(shape, rows.count, pool);
  output.AdoptValues(std::move(values));
  return output.Finish(type);
}

/// Corrupt if a field cannot become its type.
Status CheckType(const ArrayEncoding& field, const arrow::DataType& type) {
  if (field.kind == Kind::kNoNulls) return CheckType(field.children[0], type);
  if (field.kind == Kind::kPackedStruct) {
    if (type.id() != arrow::Type::STRUCT) {
      return Corrupt("encoding packed_struct holds no ", type.ToString());
    }
    if (static_cast<size_t>(type.num_fields()) != field.children.size()) {
      return Unsupported("reading ", type.num_fields(), " of the ", field.children.size(),
                         " fields of a packed struct is not supported: read them all");
    }
    for (int i = 0; i < type.num_fields(); ++i) {
      ARROW_RETURN_NOT_OK(CheckType(field.children[i], *type.field(i)->type()));
    }
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t width, WidthOf(field));
  ARROW_ASSIGN_OR_RAISE(const ValueShape shape, ValueShape::Of(type));
  if (!shape.is_variable && shape.row_bits() == width * 8) return Status::OK();
  return Corrupt("field of ", width, " bytes in packed structs holds no ", type.ToString());
}

class PackedStructRead final : public FieldRead {
 public:
  PackedStructRead(const ArrayEncoding& encoding, int64_t row_bytes, ArrayRequest request,
                   std::unique_ptr<FieldRead> rows)
      : encoding_(encoding),
        row_bytes_(row_bytes),
        request_(std::move(request)),
        rows_(std::move(rows)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override { return rows_->Plan(ranges); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return rows_->Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(const auto packed, rows_->Finish());
    const Rows rows = {
        .bytes = packed->buffers[1]->data(), .stride = row_bytes_, .count = request_.num_values()};
    return UnpackFields(encoding_, rows, request_.type, request_.pool);
  }

 private:
  const ArrayEncoding& encoding_;
  int64_t row_bytes_;
  ArrayRequest request_;
  std::unique_ptr<FieldRead> rows_;
};

}  // namespace

Result<std::unique_ptr<FieldRead>> MakePackedStructRead(const ArrayEncoding& encoding,
                                                        ArrayRequest request) {
  ARROW_RETURN_NOT_OK(CheckType(encoding, *request.type));
  ARROW_ASSIGN_OR_RAISE(const int64_t row_bytes, WidthOf(encoding));
  if (row_bytes == 0) return Corrupt("packed struct of no bytes");
  // The rows are flat values of their whole width.
  ArrayEncoding flat;
  flat.buffer = encoding.buffer;
  flat.bits = row_bytes * 8;
  ArrayRequest rows = request;
  rows.type = arrow::fixed_size_binary(static_cast<int32_t>(row_bytes));
  ARROW_ASSIGN_OR_RAISE(auto read, MakeFlatRead(flat, std::move(rows)));
  return std::make_unique<PackedStructRead>(encoding, row_bytes, std::move(request),
                                            std::move(read));
}

}  // namespace tusk::lance
