#include <utility>

#include <arrow/array/data.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/packed_struct.h"
#include "tusk/lance/encodings/value_shape.h"
#include "tusk/lance/file/array/array_read.h"

namespace tusk::lance {
namespace {

using Kind = ArrayEncoding::Kind;

/// Rows are flat, so bits of a field are those of its one leaf, times the sizes of lists around it.
Result<int64_t> BitsOf(const ArrayEncoding& field) {
  switch (field.kind) {
    case Kind::kFlat:
      return field.bits;
    case Kind::kNoNulls:
      return BitsOf(field.children[0]);
    case Kind::kFixedSizeList: {
      ARROW_ASSIGN_OR_RAISE(const int64_t bits, BitsOf(field.children[0]));
      constexpr int64_t kMaxBits = int64_t{8} * (256 << 20);
      if (bits > kMaxBits / field.count) {
        return Corrupt("packed field of ", field.count, " x ", bits, " bits");
      }
      return bits * field.count;
    }
    default:
      return Unsupported("packed structs with a field in encoding ", field.name(),
                         " are not supported");
  }
}

/// Corrupt if the fields are not those of `shape`.
Status CheckFields(const ArrayEncoding& encoding, const ValueShape& shape) {
  const size_t count = encoding.children.size();
  if (shape.packed_fields.size() != count) {
    return Unsupported("reading ", shape.packed_fields.size(), " of the ", count,
                       " fields of a packed struct is not supported: read them all");
  }
  for (size_t i = 0; i < count; ++i) {
    const ValueShape::PackedField& field = shape.packed_fields[i];
    ARROW_ASSIGN_OR_RAISE(const int64_t bits, BitsOf(encoding.children[i]));
    if (field.is_variable || field.bits != bits) {
      return Corrupt("field ", i, " of a packed struct has ", bits, " bits, which is not its type");
    }
  }
  return Status::OK();
}

class PackedStructRead final : public FieldRead {
 public:
  PackedStructRead(ValueShape shape, ArrayRequest request, std::unique_ptr<FieldRead> rows)
      : shape_(std::move(shape)), request_(std::move(request)), rows_(std::move(rows)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override { return rows_->Plan(ranges); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return rows_->Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(const auto rows, rows_->Finish());
    return UnpackStruct(*rows, shape_, request_.type, request_.pool);
  }

 private:
  ValueShape shape_;
  ArrayRequest request_;
  std::unique_ptr<FieldRead> rows_;
};

}  // namespace

Result<std::unique_ptr<FieldRead>> MakePackedStructRead(const ArrayEncoding& encoding,
                                                        ArrayRequest request) {
  if (request.type->id() != arrow::Type::STRUCT) {
    return Corrupt("encoding packed_struct holds no ", request.type->ToString());
  }
  ARROW_ASSIGN_OR_RAISE(ValueShape shape, ValueShape::OfPacked(*request.type));
  ARROW_RETURN_NOT_OK(CheckFields(encoding, shape));
  const int64_t row_bits = shape.row_bits();
  if (row_bits == 0 || row_bits % 8 != 0) {
    return Unsupported("packed structs of ", row_bits, " bits are not supported");
  }
  // The rows are flat values of their whole width.
  ArrayEncoding flat;
  flat.buffer = encoding.buffer;
  flat.bits = row_bits;
  ArrayRequest rows = request;
  rows.type = arrow::fixed_size_binary(static_cast<int32_t>(row_bits / 8));
  ARROW_ASSIGN_OR_RAISE(auto read, MakeFlatRead(flat, std::move(rows)));
  return std::make_unique<PackedStructRead>(std::move(shape), std::move(request), std::move(read));
}

}  // namespace tusk::lance
