#include "tusk/iceberg/single_value.h"

#include <string>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <arrow/util/decimal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tusk::iceberg {
namespace {

using std::string_literals::operator""s;

TEST(SingleValueTest, ReadsPromotedWidths) {
  const auto same = [](const std::string& bytes, const std::shared_ptr<arrow::DataType>& type,
                       const arrow::Scalar& expected) {
    const auto scalar = ParseSingleValue(bytes, type);
    ASSERT_NE(scalar, nullptr);
    EXPECT_TRUE(scalar->Equals(expected)) << scalar->ToString();
  };
  same("\xFE\xFF\xFF\xFF", arrow::int32(), arrow::Int32Scalar(-2));
  same("\xFE\xFF\xFF\xFF", arrow::int64(), arrow::Int64Scalar(-2));
  same("\0\0\x90\xC0"s, arrow::float64(), arrow::DoubleScalar(-4.5));
  same("\xFA\x74", arrow::decimal128(38, 2),
       arrow::Decimal128Scalar(arrow::Decimal128(-1420), arrow::decimal128(38, 2)));
  same("abc", arrow::utf8(), arrow::StringScalar("abc"));
  const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  same("\1\0\0\0\0\0\0\0"s, utc, arrow::TimestampScalar(1, utc));
}

TEST(SingleValueTest, GivesNothingForBytesThatAreNoValue) {
  for (const auto& type : {arrow::boolean(), arrow::int32(), arrow::int64(), arrow::float32(),
                           arrow::float64(), arrow::date32(), arrow::decimal128(9, 2),
                           arrow::fixed_size_binary(4), arrow::list(arrow::int32())}) {
    EXPECT_EQ(ParseSingleValue("", type), nullptr) << type->ToString();
    EXPECT_EQ(ParseSingleValue(std::string(17, 'x'), type), nullptr) << type->ToString();
  }
}

// Values of the specification's Appendix D, "Binary single-value serialization".
TEST(SingleValueTest, HasTheFormOfTheSpecification) {
  const auto bytes = [](const std::shared_ptr<arrow::DataType>& type, std::string_view json) {
    const auto array = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
    return SingleValue(*array, 0);
  };
  EXPECT_EQ(bytes(arrow::boolean(), "[true]"), "\1");
  EXPECT_EQ(bytes(arrow::int32(), "[258]"), "\2\1\0\0"s);
  EXPECT_EQ(bytes(arrow::int64(), "[-1]"), std::string(8, '\xFF'));
  EXPECT_EQ(bytes(arrow::decimal128(9, 2), R"(["-14.20"])"), "\xFA\x74");
  EXPECT_EQ(bytes(arrow::decimal128(9, 2), R"(["0.00"])"), "\0"s);
  EXPECT_EQ(bytes(arrow::utf8(), R"(["iceberg"])"), "iceberg");
  EXPECT_EQ(bytes(arrow::utf8(), "[null]"), std::nullopt);
}

TEST(SingleValueTest, ComparesAcrossPromotedWidths) {
  const auto order = [](const std::shared_ptr<arrow::DataType>& type, const std::string& a,
                        const std::string& b) { return CompareSingleValues(*type, a, b); };
  EXPECT_EQ(order(arrow::int64(), "\xFE\xFF\xFF\xFF", std::string(8, '\xFF')), -1);
  EXPECT_EQ(order(arrow::float64(), "\0\0\x90\xC0"s, std::string(8, '\0')), -1);
  EXPECT_EQ(order(arrow::float32(), "\0\0\0\x80"s, std::string(4, '\0')), 0);  // the zeros
  EXPECT_EQ(order(arrow::float32(), "\0\0\xC0\x7F"s, std::string(4, '\0')), std::nullopt);
  EXPECT_EQ(order(arrow::decimal128(38, 2), "\xFA\x74", "\0\0\1"s), -1);
  EXPECT_EQ(order(arrow::utf8(), "a", "\xC3\xBC"), -1);
  EXPECT_EQ(order(arrow::fixed_size_binary(2), "\x80\1", "\x7F\2"), 1);
  EXPECT_EQ(order(arrow::fixed_size_binary(2), "\x80", "\x7F\2"), std::nullopt);
}

}  // namespace
}  // namespace tusk::iceberg
