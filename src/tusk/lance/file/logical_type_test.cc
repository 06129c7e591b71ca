#include "tusk/lance/file/logical_type.h"

#include <string>
#include <utility>
#include <vector>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using arrow::TimeUnit;

TEST(LogicalTypeTest, NamesTypesAsTheFormatDoes) {
  const auto bfloat16 =
      arrow::field("item", arrow::fixed_size_binary(2), true,
                   arrow::key_value_metadata({{"ARROW:extension:name", "lance.bfloat16"},
                                              {"ARROW:extension:metadata", ""}}));
  const std::vector<std::pair<std::shared_ptr<arrow::DataType>, std::string>> types = {
      {arrow::null(), "null"},
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
      {arrow::fixed_size_list(arrow::timestamp(TimeUnit::MICRO, "+08:00"), 2),
       "fixed_size_list:timestamp:us:+08:00:2"},
      {arrow::fixed_size_list(arrow::null(), 2), "fixed_size_list:null:2"},
      {arrow::fixed_size_list(bfloat16, 2), "fixed_size_list:lance.bfloat16:2"},
      {arrow::fixed_size_list(arrow::fixed_size_list(bfloat16, 2), 3),
       "fixed_size_list:fixed_size_list:lance.bfloat16:2:3"},
      {arrow::dictionary(arrow::int32(), arrow::utf8()), "dict:string:int32:false"},
      {arrow::dictionary(arrow::uint8(), arrow::int64()), "dict:int64:uint8:false"},
  };
  for (const auto& [type, name] : types) {
    ASSERT_OK_AND_ASSIGN(const std::string written, ToLogicalType(*type));
    EXPECT_EQ(written, name);
    ASSERT_OK_AND_ASSIGN(const auto parsed, FromLogicalType(name));
    EXPECT_TRUE(parsed->Equals(*type, /*check_metadata=*/true))
        << name << " became " << parsed->ToString();
  }
}

TEST(LogicalTypeTest, RefusesMalformedLogicalTypes) {
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
                           "fixed_size_list:dict:string:int8:false:2",
                           "fixed_size_list:struct:2",
                           "fixed_size_binary:-1",
                           "dict:string:int8",
                           "dict:string:int8:true",
                           "dict:string:float:false",
                           "dict:decimal:128:10:2:int8:false",
                           "dict:dict:string:int8:false:int8:false",
                           "struct",
                           "list",
                           "large_list.struct",
                           "map"}) {
    EXPECT_THAT(FromLogicalType(name), FailsWith(ErrorCode::kUnsupported)) << name;
  }
  std::string deep = "float";
  for (int i = 0; i < 10'000; ++i) deep = "fixed_size_list:" + deep + ":1";
  EXPECT_THAT(FromLogicalType(deep), FailsWith(ErrorCode::kUnsupported));
}

TEST(LogicalTypeTest, NamesTheOuterWordOfNestedTypes) {
  const auto point = arrow::struct_({arrow::field("x", arrow::int32())});
  const std::vector<std::pair<std::shared_ptr<arrow::DataType>, std::string>> types = {
      {point, "struct"},
      {arrow::list(arrow::int8()), "list"},
      {arrow::list(point), "list.struct"},
      {arrow::large_list(arrow::utf8()), "large_list"},
      {arrow::large_list(point), "large_list.struct"},
      {arrow::list(arrow::map(arrow::utf8(), arrow::int8())), "list"},
      {arrow::map(arrow::utf8(), arrow::int8()), "map"},
      {arrow::fixed_size_list(point, 4), "fixed_size_list:struct:4"},
  };
  for (const auto& [type, name] : types) {
    ASSERT_OK_AND_ASSIGN(const std::string written, ToLogicalType(*type));
    EXPECT_EQ(written, name);
  }
  EXPECT_EQ(StructListSize("fixed_size_list:struct:4"), 4);
  for (const char* name : {"fixed_size_list:struct:", "fixed_size_list:struct:-4", "struct:4",
                           "fixed_size_list:struct:4:4", "fixed_size_list:float:4"}) {
    EXPECT_EQ(StructListSize(name), 0) << name;
  }
}

TEST(LogicalTypeTest, HasNoNameForWhatLanceRefuses) {
  const auto point = arrow::struct_({arrow::field("x", arrow::int32())});
  for (const auto& type :
       {arrow::utf8_view(), arrow::list_view(arrow::int8()),
        arrow::run_end_encoded(arrow::int32(), arrow::utf8()), arrow::month_day_nano_interval(),
        arrow::map(arrow::utf8(), arrow::int8(), /*keys_sorted=*/true),
        arrow::fixed_size_list(arrow::utf8(), 2),
        arrow::fixed_size_list(arrow::list(arrow::int8()), 2),
        arrow::fixed_size_list(arrow::fixed_size_list(point, 2), 2),
        arrow::dictionary(arrow::int8(), arrow::date32()),
        arrow::dictionary(arrow::int8(), arrow::fixed_size_binary(2))}) {
    EXPECT_THAT(ToLogicalType(*type), FailsWith(ErrorCode::kUnsupported)) << type->ToString();
  }
}

}  // namespace
}  // namespace tusk::lance
