#include "tusk/expr/arrow_type_text.h"

#include <string>
#include <vector>

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::expr {
namespace {

TEST(ArrowTypeTextTest, TypesComeBack) {
  for (const std::string text : {"Int64",
                                 "UInt8",
                                 "Utf8",
                                 "LargeUtf8",
                                 "Boolean",
                                 "Null",
                                 "Date32",
                                 "Timestamp(ns)",
                                 "Timestamp(µs, \"Europe/Berlin\")",
                                 "Time32(s)",
                                 "Time64(µs)",
                                 "Duration(ms)",
                                 "Decimal128(8, 3)",
                                 "Decimal256(40, 2)",
                                 "FixedSizeBinary(3)",
                                 "List(Int64)",
                                 "LargeList(non-null Utf8)",
                                 "FixedSizeList(2 x Float32)",
                                 "Dictionary(Int32, Utf8)",
                                 "Struct(\"a b\": Int64, \"in\": Struct(\"z\": non-null Float64))",
                                 "List(List(Struct(\"q\": Int64)))",
                                 "List(Int64, field: 'element')",
                                 "Interval(MonthDayNano)"}) {
    ASSERT_OK_AND_ASSIGN(const auto type, ParseArrowTypeText(text));
    EXPECT_EQ(ToArrowTypeText(*type), text);
    for (size_t size = 0; size < text.size(); ++size) {
      const auto part = ParseArrowTypeText(text.substr(0, size));
      if (part.ok()) continue;
      EXPECT_THAT(part, FailsWith(ErrorCode::kInvalidArgument));
    }
  }
}

TEST(ArrowTypeTextTest, ReadsOlderWaysOfWriting) {
  ASSERT_OK_AND_ASSIGN(const auto moment, ParseArrowTypeText("Timestamp(Second, Some(\"UTC\"))"));
  EXPECT_TRUE(moment->Equals(*arrow::timestamp(arrow::TimeUnit::SECOND, "UTC")));
  ASSERT_OK_AND_ASSIGN(const auto naive, ParseArrowTypeText("Timestamp(Nanosecond, None)"));
  EXPECT_TRUE(naive->Equals(*arrow::timestamp(arrow::TimeUnit::NANO)));
}

TEST(ArrowTypeTextTest, RefusesWhatIsNoType) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "List(";
  for (const std::string& text :
       std::vector<std::string>{"Foo", "int64x", "Time32(ns)", "Time64(s)", "Decimal128(39, 0)",
                                "Decimal128(8, 9)", "FixedSizeBinary(-1)", "Struct(a: Int64)",
                                "Dictionary(Utf8, Utf8)", "List(Int64))", deep}) {
    EXPECT_THAT(ParseArrowTypeText(text), FailsWith(ErrorCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace tusk::expr
