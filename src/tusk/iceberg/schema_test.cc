#include "tusk/iceberg/schema.h"

#include <string>
#include <utility>
#include <vector>

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/iceberg/append.h"
#include "tusk/iceberg/conversion.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

using arrow::TimeUnit;

std::shared_ptr<arrow::DataType> Stored(const std::shared_ptr<arrow::DataType>& type) {
  const auto schema = StoredSchema(*arrow::schema({arrow::field("f", type)}));
  EXPECT_OK(schema) << type->ToString();
  return schema.ok() ? (*schema)->field(0)->type() : arrow::null();
}

TEST(StoredSchemaTest, FollowsTheTypeTable) {
  // docs/decisions/003-types.md, first and last column.
  const std::vector<std::pair<std::shared_ptr<arrow::DataType>, std::shared_ptr<arrow::DataType>>>
      table = {
          {arrow::boolean(), arrow::boolean()},
          {arrow::int8(), arrow::int32()},
          {arrow::int16(), arrow::int32()},
          {arrow::int32(), arrow::int32()},
          {arrow::uint8(), arrow::int32()},
          {arrow::uint16(), arrow::int32()},
          {arrow::int64(), arrow::int64()},
          {arrow::uint32(), arrow::int64()},
          {arrow::uint64(), arrow::decimal128(20, 0)},
          {arrow::float16(), arrow::float32()},
          {arrow::float32(), arrow::float32()},
          {arrow::float64(), arrow::float64()},
          {arrow::smallest_decimal(7, 2), arrow::decimal128(7, 2)},
          {arrow::decimal128(38, 38), arrow::decimal128(38, 38)},
          {arrow::date32(), arrow::date32()},
          {arrow::date64(), arrow::date32()},
          {arrow::time32(TimeUnit::SECOND), arrow::time64(TimeUnit::MICRO)},
          {arrow::time32(TimeUnit::MILLI), arrow::time64(TimeUnit::MICRO)},
          {arrow::time64(TimeUnit::MICRO), arrow::time64(TimeUnit::MICRO)},
          {arrow::timestamp(TimeUnit::SECOND), arrow::timestamp(TimeUnit::MICRO)},
          {arrow::timestamp(TimeUnit::MILLI, "Asia/Tokyo"),
           arrow::timestamp(TimeUnit::MICRO, "UTC")},
          {arrow::utf8(), arrow::utf8()},
          {arrow::large_utf8(), arrow::utf8()},
          {arrow::utf8_view(), arrow::utf8()},
          {arrow::binary(), arrow::binary()},
          {arrow::large_binary(), arrow::binary()},
          {arrow::binary_view(), arrow::binary()},
          {arrow::fixed_size_binary(5), arrow::fixed_size_binary(5)},
          {arrow::dictionary(arrow::int8(), arrow::uint16()), arrow::int32()},
      };
  for (const auto& [given, kept] : table) {
    EXPECT_TRUE(Stored(given)->Equals(*kept))
        << given->ToString() << " became " << Stored(given)->ToString();
  }
  const auto elements = [](const std::shared_ptr<arrow::DataType>& type) {
    EXPECT_EQ(type->id(), arrow::Type::LIST);
    return type->field(0)->type();
  };
  EXPECT_TRUE(
      elements(Stored(arrow::fixed_size_list(arrow::float32(), 3)))->Equals(*arrow::float32()));
  EXPECT_TRUE(elements(Stored(arrow::large_list(arrow::uint8())))->Equals(*arrow::int32()));
  const auto map = Stored(arrow::map(arrow::large_utf8(), arrow::uint32()));
  ASSERT_EQ(map->id(), arrow::Type::MAP);
  EXPECT_TRUE(static_cast<const arrow::MapType&>(*map).key_type()->Equals(*arrow::utf8()));
  EXPECT_TRUE(static_cast<const arrow::MapType&>(*map).item_type()->Equals(*arrow::int64()));
}

TEST(StoredSchemaTest, NamesTheFieldAndTypeThatCannotBeKept) {
  for (const auto& type :
       {arrow::null(), arrow::timestamp(TimeUnit::NANO), arrow::time64(TimeUnit::NANO),
        arrow::duration(TimeUnit::SECOND), arrow::month_interval(), arrow::decimal256(50, 2),
        arrow::decimal128(3, -2), arrow::decimal128(3, 5), arrow::list_view(arrow::int32()),
        arrow::struct_({}), arrow::fixed_size_binary(0),
        arrow::sparse_union({arrow::field("u", arrow::int32())}),
        arrow::run_end_encoded(arrow::int32(), arrow::utf8())}) {
    const auto nested = arrow::struct_({arrow::field("inside", type)});
    const auto schema = StoredSchema(*arrow::schema({arrow::field("outside", nested)}));
    EXPECT_THAT(schema, FailsWith(ErrorCode::kUnsupported)) << type->ToString();
    EXPECT_THAT(schema.status().message(), testing::HasSubstr("'outside'"));
    EXPECT_THAT(schema.status().message(), testing::HasSubstr("'inside'"));
    EXPECT_THAT(schema.status().message(), testing::HasSubstr(type->ToString()));
  }
  EXPECT_THAT(StoredSchema(*arrow::schema({})), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(StoredSchema(*arrow::schema(
                  {arrow::field("a", arrow::int32()), arrow::field("a", arrow::int32())})),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(StoredSchemaTest, NumbersTheFieldsOfOneStructFirst) {
  const auto inner = arrow::struct_(
      {arrow::field("x", arrow::int32()), arrow::field("y", arrow::list(arrow::int32()))});
  const auto schema = arrow::schema({arrow::field("s", inner), arrow::field("t", arrow::utf8()),
                                     arrow::field("m", arrow::map(arrow::utf8(), arrow::int32()))});
  ASSERT_OK_AND_ASSIGN(const auto stored, StoredSchema(*schema));
  const auto& s = *stored->field(0);
  EXPECT_EQ(FieldId(s), 1);
  EXPECT_EQ(FieldId(*stored->field(1)), 2);
  EXPECT_EQ(FieldId(*stored->field(2)), 3);
  EXPECT_EQ(FieldId(*s.type()->field(0)), 4);
  EXPECT_EQ(FieldId(*s.type()->field(1)), 5);
  EXPECT_EQ(FieldId(*s.type()->field(1)->type()->field(0)), 6);
  const auto& map = static_cast<const arrow::MapType&>(*stored->field(2)->type());
  EXPECT_EQ(FieldId(*map.key_field()), 7);
  EXPECT_EQ(FieldId(*map.item_field()), 8);
  EXPECT_EQ(LargestFieldId(*stored), 8);
}

TEST(StoredSchemaTest, KeepsLengthsAndZonesAsProperties) {
  const auto berlin = arrow::timestamp(TimeUnit::MILLI, "Europe/Berlin");
  const auto schema = arrow::schema(
      {arrow::field("v", arrow::fixed_size_list(arrow::float32(), 768)), arrow::field("at", berlin),
       arrow::field("utc", arrow::timestamp(TimeUnit::MILLI, "UTC")),
       arrow::field("s", arrow::struct_({arrow::field("at", berlin)}))});
  ASSERT_OK_AND_ASSIGN(const auto stored, StoredSchema(*schema));
  EXPECT_THAT(TypeProperties(*schema, *stored),
              testing::UnorderedElementsAre(testing::Pair("tusk.fixed-size-list.1", "768"),
                                            testing::Pair("tusk.timezone.2", "Europe/Berlin"),
                                            testing::Pair("tusk.timezone.6", "Europe/Berlin")));
}

TEST(SchemaTest, ReadsBackEveryTypeThatItWrites) {
  const auto inner = arrow::struct_({arrow::field("x", arrow::int32(), /*nullable=*/false),
                                     arrow::field("y", arrow::list(arrow::fixed_size_binary(3)))});
  const auto given = arrow::schema(
      {arrow::field("b", arrow::boolean()), arrow::field("i", arrow::int32(), false),
       arrow::field("l", arrow::int64()), arrow::field("f", arrow::float32()),
       arrow::field("d", arrow::float64()), arrow::field("c", arrow::decimal128(20, 0)),
       arrow::field("day", arrow::date32()), arrow::field("t", arrow::time64(TimeUnit::MICRO)),
       arrow::field("ts", arrow::timestamp(TimeUnit::MICRO)),
       arrow::field("tz", arrow::timestamp(TimeUnit::MICRO, "UTC")),
       arrow::field("s \"quoted\" ü", arrow::utf8()), arrow::field("bin", arrow::binary()),
       arrow::field("st", inner), arrow::field("m", arrow::map(arrow::utf8(), inner))});
  ASSERT_OK_AND_ASSIGN(const auto stored, StoredSchema(*given));
  ASSERT_OK_AND_ASSIGN(const std::string json, FormatSchema({.schema_id = 4, .fields = stored}));
  ASSERT_OK_AND_ASSIGN(const TableSchema read, ParseSchema(json));
  EXPECT_EQ(read.schema_id, 4);
  EXPECT_TRUE(read.fields->Equals(*stored, /*check_metadata=*/true))
      << read.fields->ToString(true) << "\n"
      << stored->ToString(true);
}

TEST(SchemaTest, ReadsTheFormsOfOtherWriters) {
  ASSERT_OK_AND_ASSIGN(const TableSchema schema, ParseSchema(R"json({"type":"struct","fields":[
      {"id":5,"name":"a","required":false,"type":"decimal(9,2)"},
      {"id":9,"name":"b","required":false,"type":"uuid"}]})json"));
  EXPECT_EQ(schema.schema_id, 0);
  EXPECT_TRUE(schema.fields->field(0)->type()->Equals(*arrow::decimal128(9, 2)));
  EXPECT_TRUE(schema.fields->field(1)->type()->Equals(*arrow::fixed_size_binary(16)));
  // uuid and fixed[16] stay apart.
  ASSERT_OK_AND_ASSIGN(const std::string json, FormatSchema(schema));
  EXPECT_THAT(json, testing::HasSubstr("\"uuid\""));
}

TEST(SchemaTest, RefusesWhatItCannotRead) {
  const auto parse = [](const std::string& type) {
    return ParseSchema(R"({"type":"struct","fields":[{"id":1,"name":"a","required":true,"type":)" +
                       type + "}]}");
  };
  for (const std::string type :
       {"\"timestamp_ns\"", "\"variant\"", "\"geometry\"", "\"unknown\""}) {
    EXPECT_THAT(parse(type), FailsWith(ErrorCode::kUnsupported)) << type;
  }
  for (const std::string type :
       {"\"decimal(39,2)\"", "\"decimal(4)\"", "\"decimal(2,3)\"", "\"fixed[0]\"", "\"fixed[x]\"",
        "7", "{}", R"({"type":"set"})", R"({"type":"list","element":"int"})",
        R"({"type":"list","element-id":1,"element-required":true,"element":"int"})"}) {
    EXPECT_THAT(parse(type), FailsWith(ErrorCode::kCorrupt)) << type;
  }
  std::string deep = "\"int\"";
  for (int i = 2; i < 102; ++i) {
    deep = R"({"type":"list","element-required":true,"element-id":)" + std::to_string(i) +
           R"(,"element":)" + deep + "}";
  }
  EXPECT_THAT(parse(deep), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace tusk::iceberg
