#include "tusk/lance/file/json_text.h"

#include <string>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;

std::shared_ptr<arrow::Field> JsonField(const std::string& name) {
  return arrow::field(name, arrow::large_binary(), true,
                      arrow::key_value_metadata({{"ARROW:extension:name", "lance.json"}}));
}

/// [], null, "s" and 300, as pylance stores them.
std::shared_ptr<arrow::Array> Stored() {
  arrow::LargeBinaryBuilder builder;
  EXPECT_OK(builder.Append(std::string("\x80\x00\x00\x00", 4)));
  EXPECT_OK(builder.AppendNull());
  EXPECT_OK(builder.Append(std::string("\x20\x00\x00\x00\x10\x00\x00\x01s", 9)));
  EXPECT_OK(builder.Append(std::string("\x20\x00\x00\x00\x20\x00\x00\x03\x50\x01\x2c", 11)));
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Texts() {
  arrow::StringBuilder builder;
  EXPECT_OK(builder.Append("[]"));
  EXPECT_OK(builder.AppendNull());
  EXPECT_OK(builder.Append("\"s\""));
  EXPECT_OK(builder.Append("300"));
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Numbers() {
  arrow::Int8Builder builder;
  EXPECT_OK(builder.AppendValues({1, 2, 3, 4}));
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Offsets() {
  arrow::Int32Builder builder;
  EXPECT_OK(builder.AppendValues({0, 1, 1, 4}));
  return builder.Finish().ValueOrDie();
}

TEST(JsonTextTest, ConvertsJsonAtEveryDepthAndSharesTheRest) {
  const auto numbers = Numbers();
  const auto inner = [&](const std::shared_ptr<arrow::Array>& json) {
    return arrow::StructArray::Make({json, numbers}, {json->type_id() == arrow::Type::STRING
                                                          ? arrow::field("j", arrow::utf8())
                                                          : JsonField("j"),
                                                      arrow::field("n", arrow::int8())})
        .ValueOrDie();
  };
  const auto lists = [&](const std::shared_ptr<arrow::Array>& json) {
    const auto items = inner(json);
    return arrow::ListArray::FromArrays(arrow::list(arrow::field("item", items->type())),
                                        *Offsets(), *items)
        .ValueOrDie();
  };
  const auto stored = lists(Stored());
  ASSERT_OK_AND_ASSIGN(const Schema schema,
                       Schema::FromArrow(arrow::Schema({arrow::field("l", stored->type())})));
  for (const auto& [rows, expected] :
       {std::pair<std::shared_ptr<arrow::Array>, std::shared_ptr<arrow::Array>>(stored,
                                                                                lists(Texts())),
        {stored->Slice(1, 2), lists(Texts())->Slice(1, 2)}}) {
    ASSERT_OK_AND_ASSIGN(const auto converted, WithJsonText(schema.fields[0], rows->data(),
                                                            arrow::default_memory_pool()));
    const auto array = arrow::MakeArray(converted);
    ASSERT_OK(array->ValidateFull());
    EXPECT_TRUE(array->Equals(*expected)) << array->ToString();
    ASSERT_OK_AND_ASSIGN(const auto field, ToArrowField(schema.fields[0], JsonForm::kText));
    EXPECT_TRUE(array->type()->Equals(*field->type(), /*check_metadata=*/true));
    EXPECT_EQ(converted->child_data[0]->child_data[1]->buffers[1], numbers->data()->buffers[1]);
  }
}

TEST(JsonTextTest, LeavesColumnsWithoutJsonAlone) {
  ASSERT_OK_AND_ASSIGN(const Schema schema,
                       Schema::FromArrow(arrow::Schema({arrow::field("n", arrow::int8())})));
  const auto rows = Numbers()->data();
  ASSERT_OK_AND_ASSIGN(const auto same,
                       WithJsonText(schema.fields[0], rows, arrow::default_memory_pool()));
  EXPECT_EQ(same, rows);
}

TEST(JsonTextTest, NamesTheFieldOfBrokenBytes) {
  arrow::LargeBinaryBuilder builder;
  ASSERT_OK(builder.Append("text"));
  ASSERT_OK_AND_ASSIGN(const auto json, builder.Finish());
  ASSERT_OK_AND_ASSIGN(const auto rows, arrow::StructArray::Make({json}, {JsonField("j")}));
  ASSERT_OK_AND_ASSIGN(const Schema schema,
                       Schema::FromArrow(arrow::Schema({arrow::field("s", rows->type())})));
  const auto converted = WithJsonText(schema.fields[0], rows->data(), arrow::default_memory_pool());
  ASSERT_THAT(converted, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(converted.status().message(), HasSubstr("field 's': field 'j': row 0: JSONB"));
}

}  // namespace
}  // namespace tusk::lance
