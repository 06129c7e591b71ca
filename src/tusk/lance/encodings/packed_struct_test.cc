#include "tusk/lance/encodings/packed_struct.h"

#include <random>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/buffer_builder.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/random_arrays.h"

namespace tusk::lance {
namespace {

/// `num_rows` structs of these fields, which have no nulls; every third is null if `has_nulls`.
std::shared_ptr<arrow::Array> RandomStructs(const arrow::DataTypeVector& types, int64_t num_rows,
                                            bool has_nulls) {
  std::mt19937_64 random(num_rows);
  arrow::FieldVector fields;
  arrow::ArrayVector children;
  for (const auto& type : types) {
    fields.push_back(arrow::field("f" + std::to_string(fields.size()), type));
    children.push_back(RandomArray(type, num_rows, {}, &random));
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (has_nulls) {
    validity = arrow::AllocateEmptyBitmap(num_rows).ValueOrDie();
    for (int64_t row = 0; row < num_rows; ++row) {
      if (row % 3 != 0) SetBit(validity->mutable_data(), row);
    }
  }
  return arrow::StructArray::Make(children, fields, validity).ValueOrDie();
}

/// The rows that the decoders make of packed ones.
Result<std::shared_ptr<arrow::ArrayData>> Decode(const arrow::ArrayData& packed,
                                                 const ValueEncoding& encoding,
                                                 const ValueShape& shape) {
  arrow::MemoryPool* const pool = arrow::default_memory_pool();
  if (!shape.is_variable) {
    ARROW_ASSIGN_OR_RAISE(const auto decoder, MakePackedStructDecoder(encoding));
    ARROW_RETURN_NOT_OK(decoder->CheckShape(shape));
    const std::span<const uint8_t> buffer(packed.buffers[1]->data(), packed.buffers[1]->size());
    ColumnOutput out(shape, packed.length, pool);
    ARROW_RETURN_NOT_OK(decoder->DecodeInto({.buffers = {&buffer, 1}, .num_values = packed.length},
                                            {.begin = 0, .end = packed.length}, 0, &out));
    ARROW_ASSIGN_OR_RAISE(auto rows, out.Finish(packed.type));
    rows->buffers[0] = packed.buffers[0];
    rows->null_count = arrow::kUnknownNullCount;
    return rows;
  }
  ARROW_ASSIGN_OR_RAISE(const auto decoder, MakePackedRowDecoder(encoding));
  ARROW_RETURN_NOT_OK(decoder->CheckShape(shape));
  const arrow::LargeBinaryArray stored(packed.Copy());
  arrow::BufferBuilder bytes(pool);
  std::vector<int64_t> offsets = {0};
  for (int64_t row = 0; row < packed.length; ++row) {
    if (stored.IsValid(row)) {
      const std::string_view view = stored.GetView(row);
      ARROW_ASSIGN_OR_RAISE(
          const auto decoded,
          decoder->Decode({reinterpret_cast<const uint8_t*>(view.data()), view.size()}, pool));
      ARROW_RETURN_NOT_OK(bytes.Append(decoded->data(), decoded->size()));
    } else {
      EXPECT_EQ(stored.value_length(row), 0);
    }
    offsets.push_back(bytes.length());
  }
  ARROW_ASSIGN_OR_RAISE(auto values, bytes.Finish());
  return arrow::ArrayData::Make(
      arrow::large_binary(), packed.length,
      {packed.buffers[0], arrow::Buffer::FromVector(std::move(offsets)), std::move(values)});
}

void ExpectUnpacks(const std::shared_ptr<arrow::Array>& structs) {
  const ValueShape shape = *ValueShape::OfPacked(*structs->type());
  ASSERT_OK_AND_ASSIGN(const auto packed,
                       PackStruct(*structs->data(), shape, arrow::default_memory_pool()));
  ASSERT_OK(arrow::MakeArray(packed)->ValidateFull());
  ASSERT_EQ(packed->length, structs->length());
  ASSERT_OK_AND_ASSIGN(const ValueEncoding encoding, PackedStructEncoding(*structs->type()));
  // Rows of one width that are described field by field, for their lists, are as they stand.
  const bool is_plain =
      !shape.is_variable && encoding.kind == ValueEncoding::Kind::kVariablePackedStruct;
  ASSERT_OK_AND_ASSIGN(const auto rows, is_plain ? Result<std::shared_ptr<arrow::ArrayData>>(packed)
                                                 : Decode(*packed, encoding, shape));
  ASSERT_OK_AND_ASSIGN(const auto unpacked,
                       UnpackStruct(*rows, shape, structs->type(), arrow::default_memory_pool()));
  EXPECT_TRUE(arrow::MakeArray(unpacked)->Equals(structs,
                                                 arrow::EqualOptions::Defaults().nans_equal(true)));
}

const std::vector<arrow::DataTypeVector>& FieldTypes() {
  static const std::vector<arrow::DataTypeVector> all = {
      {arrow::int32()},
      {arrow::uint8(), arrow::float64(), arrow::int16(), arrow::fixed_size_binary(5)},
      {arrow::fixed_size_list(arrow::float32(), 3), arrow::decimal128(20, 3)},
      {arrow::fixed_size_list(arrow::boolean(), 8), arrow::int8()},
      {arrow::utf8()},
      {arrow::uint64(), arrow::utf8(), arrow::fixed_size_list(arrow::int8(), 3),
       arrow::large_binary()},
  };
  return all;
}

TEST(PackStructTest, IsUndoneByUnpackStruct) {
  for (const auto& types : FieldTypes()) {
    for (const bool has_nulls : {false, true}) {
      for (const int64_t num_rows : {0, 1, 7, 500}) {
        ExpectUnpacks(RandomStructs(types, num_rows, has_nulls));
      }
    }
  }
}

TEST(PackStructTest, PacksSlices) {
  for (const auto& types : FieldTypes()) {
    const auto structs = RandomStructs(types, 300, true);
    ExpectUnpacks(structs->Slice(5));
    ExpectUnpacks(structs->Slice(13, 200)->Slice(3, 100));
  }
}

// pylance's bytes: docs/format/lance_encodings.md, "Packed structs".
TEST(PackStructTest, PutsTextsBehindTheirLengths) {
  arrow::Int32Builder numbers;
  ASSERT_OK(numbers.AppendValues({1, 5, 3}));
  arrow::StringBuilder texts;
  for (const char* text : {"xy", "", "z"}) ASSERT_OK(texts.Append(text));
  ASSERT_OK_AND_ASSIGN(
      const auto structs,
      arrow::StructArray::Make({numbers.Finish().ValueOrDie(), texts.Finish().ValueOrDie()},
                               std::vector<std::string>{"n", "t"}));
  const ValueShape shape = *ValueShape::OfPacked(*structs->type());
  ASSERT_OK_AND_ASSIGN(const auto packed,
                       PackStruct(*structs->data(), shape, arrow::default_memory_pool()));
  const arrow::LargeBinaryArray rows(packed);
  EXPECT_EQ(rows.GetView(0), std::string_view("\1\0\0\0\2\0\0\0xy", 10));
  EXPECT_EQ(rows.GetView(1), std::string_view("\5\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(rows.GetView(2), std::string_view("\3\0\0\0\1\0\0\0z", 9));
}

TEST(PackStructTest, MakesZerosOfNullStructs) {
  const auto structs = RandomStructs({arrow::int32(), arrow::int16()}, 9, true);
  const ValueShape shape = *ValueShape::OfPacked(*structs->type());
  ASSERT_OK_AND_ASSIGN(const auto packed,
                       PackStruct(*structs->data(), shape, arrow::default_memory_pool()));
  const arrow::FixedSizeBinaryArray rows(packed);
  EXPECT_EQ(rows.byte_width(), 6);
  for (const int64_t row : {0, 3, 6}) {
    EXPECT_TRUE(rows.IsNull(row));
    EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(rows.GetValue(row)), 6),
              std::string_view("\0\0\0\0\0\0", 6));
  }
}

TEST(PackStructTest, RefusesNullFieldsOfValidStructs) {
  arrow::Int32Builder numbers;
  ASSERT_OK(numbers.Append(1));
  ASSERT_OK(numbers.AppendNulls(2));
  ASSERT_OK_AND_ASSIGN(const auto child, numbers.Finish());
  const auto make = [&](uint8_t validity) {
    return arrow::StructArray::Make({child}, std::vector<std::string>{"width"},
                                    arrow::Buffer::FromVector(std::vector<uint8_t>{validity}))
        .ValueOrDie();
  };
  ExpectUnpacks(make(0b001));
  const ValueShape shape = *ValueShape::OfPacked(*make(1)->type());
  const auto packed = PackStruct(*make(0b101)->data(), shape, arrow::default_memory_pool());
  ASSERT_THAT(packed, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(packed.status().message(), testing::HasSubstr("field width of row 2"));
}

TEST(PackStructTest, DescribesNoFieldsThatCannotBePacked) {
  for (const auto& type : {arrow::boolean(), arrow::list(arrow::int8())}) {
    EXPECT_THAT(PackedStructEncoding(*arrow::struct_({arrow::field("x", type)})),
                FailsWith(ErrorCode::kUnsupported));
  }
}

}  // namespace
}  // namespace tusk::lance
