#include "tusk/lance/file/schema.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/schema_proto.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using arrow::TimeUnit;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(LanceSchemaTest, NamesTypesAsTheFormatDoes) {
  const std::vector<std::pair<std::shared_ptr<arrow::DataType>, std::string>> types = {
      {arrow::boolean(), "bool"},
      {arrow::int8(), "int8"},
      {arrow::uint64(), "uint64"},
      {arrow::float16(), "halffloat"},
      {arrow::float32(), "float"},
      {arrow::float64(), "double"},
      {arrow::utf8(), "string"},
      {arrow::large_utf8(), "large_string"},
      {arrow::binary(), "binary"},
      {arrow::large_binary(), "large_binary"},
      {arrow::fixed_size_binary(16), "fixed_size_binary:16"},
      {arrow::decimal128(10, 2), "decimal:128:10:2"},
      {arrow::decimal256(50, -3), "decimal:256:50:-3"},
      {arrow::date32(), "date32:day"},
      {arrow::date64(), "date64:ms"},
      {arrow::time32(TimeUnit::SECOND), "time32:s"},
      {arrow::time64(TimeUnit::NANO), "time64:ns"},
      {arrow::duration(TimeUnit::MILLI), "duration:ms"},
      {arrow::timestamp(TimeUnit::MICRO), "timestamp:us:-"},
      {arrow::timestamp(TimeUnit::NANO, "+08:00"), "timestamp:ns:+08:00"},
      {arrow::fixed_size_list(arrow::float32(), 128), "fixed_size_list:float:128"},
      {arrow::fixed_size_list(arrow::fixed_size_list(arrow::float32(), 2), 1),
       "fixed_size_list:fixed_size_list:float:2:1"},
  };
  for (const auto& [type, name] : types) {
    ASSERT_OK_AND_ASSIGN(const std::string written, ToLogicalType(*type));
    EXPECT_EQ(written, name);
    ASSERT_OK_AND_ASSIGN(const auto parsed, FromLogicalType(name));
    EXPECT_TRUE(parsed->Equals(type)) << name << " became " << parsed->ToString();
  }
}

TEST(LanceSchemaTest, RefusesMalformedLogicalTypes) {
  for (const char* name : {"",
                           ":",
                           "int128",
                           "decimal",
                           "decimal:128:10",
                           "decimal:64:3:1",
                           "decimal:128:99:1",
                           "fixed_size_list:float",
                           "fixed_size_list:float:",
                           "fixed_size_list:float:0",
                           "fixed_size_list:float:-1",
                           "fixed_size_list:string:3",
                           "fixed_size_list::3",
                           "fixed_size_list:float:99999999999",
                           "fixed_size_binary:x",
                           "timestamp:us",
                           "timestamp:h:-",
                           "time32:us",
                           "time64:s",
                           "duration:us:-",
                           "struct",
                           "list",
                           "json",
                           "null"}) {
    EXPECT_THAT(FromLogicalType(name), FailsWith(ErrorCode::kUnsupported)) << name;
  }
  std::string deep = "float";
  for (int i = 0; i < 10'000; ++i) deep = "fixed_size_list:" + deep + ":1";
  EXPECT_THAT(FromLogicalType(deep), FailsWith(ErrorCode::kUnsupported));
}

TEST(LanceSchemaTest, RefusesWhatIsNotCoveredByName) {
  for (const auto& type :
       {arrow::list(arrow::int32()), arrow::struct_({arrow::field("x", arrow::int32())}),
        arrow::dictionary(arrow::int32(), arrow::utf8()), arrow::utf8_view(), arrow::null(),
        arrow::fixed_size_list(arrow::utf8(), 3), arrow::fixed_size_binary(0)}) {
    const auto schema = Schema::FromArrow(arrow::Schema({arrow::field("odd", type)}));
    ASSERT_THAT(schema, FailsWith(ErrorCode::kUnsupported)) << type->ToString();
    EXPECT_THAT(schema.status().message(), HasSubstr("field 'odd'"));
  }
  const auto blob = arrow::field("b", arrow::large_binary(), true,
                                 arrow::key_value_metadata({{"lance-encoding:blob", "true"}}));
  EXPECT_THAT(Schema::FromArrow(arrow::Schema({blob})), FailsWith(ErrorCode::kUnsupported));
}

TEST(LanceSchemaTest, KeepsNamesNullabilityAndMetadata) {
  const auto arrow_schema = arrow::schema(
      {arrow::field("id", arrow::int64(), /*nullable=*/false),
       arrow::field("text", arrow::utf8(), true, arrow::key_value_metadata({{"k", "v"}}))},
      arrow::key_value_metadata({{"owner", "us"}}));
  ASSERT_OK_AND_ASSIGN(const Schema schema, Schema::FromArrow(*arrow_schema));
  EXPECT_EQ(schema.fields[0].id, 0);
  EXPECT_EQ(schema.fields[1].id, 1);
  EXPECT_EQ(schema.MaxFieldId(), 1);
  ASSERT_OK_AND_ASSIGN(const auto back, schema.ToArrow());
  EXPECT_TRUE(back->Equals(*arrow_schema, /*check_metadata=*/true)) << back->ToString(true);
}

TEST(LanceSchemaTest, ProjectsInTheOrderAsked) {
  ASSERT_OK_AND_ASSIGN(const Schema schema,
                       Schema::FromArrow(arrow::Schema({arrow::field("a", arrow::int8()),
                                                        arrow::field("b", arrow::int8()),
                                                        arrow::field("c", arrow::int8())})));
  ASSERT_OK_AND_ASSIGN(const Schema two, schema.Project(std::vector<std::string>{"c", "a"}));
  EXPECT_EQ(two.fields[0].id, 2);
  EXPECT_EQ(two.fields[1].id, 0);
  EXPECT_THAT(schema.Project(std::vector<std::string>{"a", "a"}),
              FailsWith(ErrorCode::kInvalidArgument));
  const auto missing = schema.Project(std::vector<std::string>{"d"});
  ASSERT_THAT(missing, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(missing.status().message(), HasSubstr("a, b, c"));
}

Field MakeField(std::string name, int32_t id, std::string type, std::vector<Field> children = {}) {
  Field field;
  field.name = std::move(name);
  field.id = id;
  field.logical_type = std::move(type);
  field.children = std::move(children);
  for (Field& child : field.children) child.parent_id = id;
  return field;
}

TEST(LanceSchemaProtoTest, FlattensDepthFirstAndRebuilds) {
  Schema schema;
  schema.metadata["m"] = "1";
  schema.fields = {MakeField("s", 0, "struct",
                             {MakeField("x", 1, "int32"),
                              MakeField("t", 2, "struct", {MakeField("y", 3, "string")})}),
                   MakeField("z", 4, "float")};
  schema.fields[1].unenforced_primary_key = true;
  schema.fields[1].unenforced_primary_key_position = 2;
  const proto::Schema flat = ToProto(schema);
  std::vector<std::pair<int32_t, int32_t>> ids;
  for (const auto& field : flat.fields()) ids.emplace_back(field.id(), field.parent_id());
  EXPECT_THAT(ids, ElementsAre(std::pair(0, -1), std::pair(1, 0), std::pair(2, 0), std::pair(3, 2),
                               std::pair(4, -1)));
  ASSERT_OK_AND_ASSIGN(const Schema back, FromProto(flat));
  EXPECT_EQ(back.metadata, schema.metadata);
  ASSERT_EQ(back.fields.size(), 2);
  EXPECT_EQ(back.fields[0].children[1].children[0].name, "y");
  EXPECT_EQ(back.fields[0].children[1].children[0].parent_id, 2);
  EXPECT_EQ(back.fields[1].unenforced_primary_key_position, 2);
  EXPECT_EQ(back.MaxFieldId(), 4);
}

TEST(LanceSchemaProtoTest, RefusesBrokenTrees) {
  proto::Schema orphan;
  orphan.add_fields()->set_parent_id(7);
  EXPECT_THAT(FromProto(orphan), FailsWith(ErrorCode::kCorrupt));

  proto::Schema twice;
  for (int i = 0; i < 2; ++i) {
    twice.add_fields()->set_id(3);
    twice.mutable_fields(i)->set_parent_id(-1);
  }
  EXPECT_THAT(FromProto(twice), FailsWith(ErrorCode::kCorrupt));

  proto::Schema deep;
  for (int i = 0; i < 100'000; ++i) {
    deep.add_fields()->set_id(i);
    deep.mutable_fields(i)->set_parent_id(i - 1);
  }
  EXPECT_THAT(FromProto(deep), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace tusk::lance
