// Packed structs, of fixed width and of any length, of any bytes.

#include <array>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/buffer_builder.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/encodings/decoder_laws.h"
#include "tusk/lance/encodings/packed_struct.h"
#include "tusk/testing/bounded_pool.h"

namespace tusk::lance {
namespace {

std::shared_ptr<arrow::DataType> StructOf(arrow::DataTypeVector types) {
  arrow::FieldVector fields;
  for (auto& type : types) fields.push_back(arrow::field("x", std::move(type)));
  return arrow::struct_(std::move(fields));
}

Status CheckFixed(const ValueEncoding& encoding, const ValueShape& shape,
                  const std::shared_ptr<arrow::DataType>& type, FuzzInput* input) {
  ARROW_ASSIGN_OR_RAISE(const auto decoder, MakePackedStructDecoder(encoding));
  ARROW_RETURN_NOT_OK(decoder->CheckShape(shape));
  const int64_t num_rows = input->ReadBetween(1, 4096);
  const auto bytes = ExactCopy(input->Rest());
  if (decoder->MinBytes(num_rows) > static_cast<uint64_t>(bytes->size())) return Status::OK();
  const std::span<const uint8_t> buffer(bytes->data(), bytes->size());
  BoundedPool pool(kFuzzedMemory);
  ColumnOutput out(shape, num_rows, &pool);
  ARROW_RETURN_NOT_OK(decoder->DecodeInto({.buffers = {&buffer, 1}, .num_values = num_rows},
                                          {.begin = 0, .end = num_rows}, 0, &out));
  const auto width = static_cast<int32_t>(shape.row_bits() / 8);
  ARROW_ASSIGN_OR_RAISE(const auto rows, out.Finish(arrow::fixed_size_binary(width)));
  const auto structs = UnpackStruct(*rows, shape, type, &pool);
  Require(structs.status(), "rows of fixed width become structs");
  RequireValid(*structs, num_rows);
  return Status::OK();
}

Status CheckVariable(const ValueEncoding& encoding, const ValueShape& shape,
                     const std::shared_ptr<arrow::DataType>& type, FuzzInput* input) {
  ARROW_ASSIGN_OR_RAISE(const auto decoder, MakePackedRowDecoder(encoding));
  ARROW_RETURN_NOT_OK(decoder->CheckShape(shape));
  if (!shape.is_variable) return Status::OK();
  BoundedPool pool(kFuzzedMemory);
  std::vector<int64_t> offsets = {0};
  arrow::BufferBuilder texts(&pool);
  while (input->left() > 0) {
    const auto bytes = ExactCopy(input->Take(input->Read<uint8_t>()));
    ARROW_ASSIGN_OR_RAISE(
        const auto row,
        decoder->Decode({bytes->data(), static_cast<size_t>(bytes->size())}, &pool));
    ARROW_RETURN_NOT_OK(texts.Append(row->data(), row->size()));
    offsets.push_back(texts.length());
  }
  const auto num_rows = static_cast<int64_t>(offsets.size()) - 1;
  ARROW_ASSIGN_OR_RAISE(const auto values, texts.Finish());
  const auto rows = arrow::ArrayData::Make(
      arrow::large_binary(), num_rows, {nullptr, arrow::Buffer::FromVector(offsets), values}, 0);
  const auto structs = UnpackStruct(*rows, shape, type, &pool);
  if (!structs.ok()) return structs.status();
  RequireValid(*structs, num_rows);
  return Status::OK();
}

}  // namespace
}  // namespace tusk::lance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  static const std::array types = {
      StructOf({arrow::int32(), arrow::int16()}),
      StructOf({arrow::int32(), arrow::utf8()}),
      StructOf({arrow::large_binary(), arrow::fixed_size_list(arrow::int8(), 3), arrow::binary()}),
      StructOf({arrow::fixed_size_list(arrow::boolean(), 8), arrow::int64()}),
  };
  tusk::FuzzInput input(data, size);
  const auto& type = types[input.Read<uint8_t>() % types.size()];
  const ValueShape shape = *ValueShape::OfPacked(*type);
  const ValueEncoding encoding = ReadEncoding(&input);
  tusk::Status status;
  if (encoding.kind == ValueEncoding::Kind::kPackedStruct) {
    status = CheckFixed(encoding, shape, type, &input);
  } else if (encoding.kind == ValueEncoding::Kind::kVariablePackedStruct) {
    status = CheckVariable(encoding, shape, type, &input);
  } else {
    return -1;
  }
  if (!status.ok()) tusk::RequireRefusal(status);
  return 0;
}
