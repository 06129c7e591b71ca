#include "tusk/iceberg/column_statistics.h"

#include <cmath>
#include <limits>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/iceberg/append.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// What is said of batches with the one column "f" (field id 1) of a stored type.
DataFile Describe(const std::vector<std::shared_ptr<arrow::Array>>& batches) {
  const auto schema = *StoredSchema(*arrow::schema({arrow::field("f", batches.front()->type())}));
  ColumnStatistics statistics(*schema);
  for (const auto& array : batches) {
    EXPECT_OK(statistics.Add(*arrow::RecordBatch::Make(schema, array->length(), {array}),
                             OperationContext()));
  }
  DataFile file;
  statistics.FillIn(&file);
  return file;
}

DataFile Describe(const std::shared_ptr<arrow::DataType>& type, std::string_view json) {
  return Describe({arrow::json::ArrayFromJSONString(type, json).ValueOrDie()});
}

void ExpectBounds(const DataFile& file, const std::string& lower, const std::string& upper) {
  EXPECT_THAT(file.lower_bounds, ElementsAre(Pair(1, lower)));
  EXPECT_THAT(file.upper_bounds, ElementsAre(Pair(1, upper)));
}

// The forms are those of "Binary single-value serialization" in the specification: little-endian
// numbers, one byte for a boolean, big-endian decimals, text and bytes as they are.
TEST(ColumnStatisticsTest, SerializesBoundsAsTheSpecificationSays) {
  ExpectBounds(Describe(arrow::boolean(), "[true, null]"), "\1", "\1");
  ExpectBounds(Describe(arrow::boolean(), "[true, false]"), "\0"s, "\1");
  ExpectBounds(Describe(arrow::int32(), "[1, null, -2]"), "\xFE\xFF\xFF\xFF", "\1\0\0\0"s);
  ExpectBounds(Describe(arrow::int64(), "[258]"), "\2\1\0\0\0\0\0\0"s, "\2\1\0\0\0\0\0\0"s);
  ExpectBounds(Describe(arrow::float32(), "[-4.5]"), "\0\0\x90\xC0"s, "\0\0\x90\xC0"s);
  ExpectBounds(Describe(arrow::float64(), "[6.0]"), "\0\0\0\0\0\0\x18\x40"s,
               "\0\0\0\0\0\0\x18\x40"s);
  ExpectBounds(Describe(arrow::date32(), "[-1, 365]"), "\xFF\xFF\xFF\xFF", "\x6D\1\0\0"s);
  ExpectBounds(Describe(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[1000000]"),
               "\x40\x42\x0F\0\0\0\0\0"s, "\x40\x42\x0F\0\0\0\0\0"s);
  ExpectBounds(Describe(arrow::decimal128(9, 2), R"(["14.20", "-14.20"])"), "\xFA\x74", "\5\x8C");
  ExpectBounds(Describe(arrow::utf8(), R"(["b", "", null])"), "", "b");
  ExpectBounds(Describe(arrow::fixed_size_binary(2), R"(["ab", "aa"])"), "aa", "ab");
}

TEST(ColumnStatisticsTest, CutsLongTextAndRaisesTheUpperBound) {
  ExpectBounds(Describe(arrow::utf8(), R"(["0123456789abcdef-more"])"), "0123456789abcdef",
               "0123456789abcdeg");
  // The longest that needs no cut.
  ExpectBounds(Describe(arrow::utf8(), R"(["0123456789abcdef"])"), "0123456789abcdef",
               "0123456789abcdef");
  // A longer value with the same beginning as a short one, in either order.
  ExpectBounds(Describe(arrow::utf8(), R"(["0123456789abcdef", "0123456789abcdef0"])"),
               "0123456789abcdef", "0123456789abcdeg");
  ExpectBounds(Describe(arrow::utf8(), R"(["0123456789abcdef0", "0123456789abcdef"])"),
               "0123456789abcdef", "0123456789abcdeg");
  const DataFile highest = Describe(arrow::binary(), "[null]");
  EXPECT_THAT(highest.upper_bounds, IsEmpty());
}

TEST(ColumnStatisticsTest, HasNoUpperBoundIfNoneIsShortEnough) {
  arrow::BinaryBuilder builder;
  ASSERT_OK(builder.Append(std::string(17, '\xFF')));
  ASSERT_OK_AND_ASSIGN(const auto array, builder.Finish());
  const DataFile file = Describe({array});
  EXPECT_THAT(file.lower_bounds, ElementsAre(Pair(1, std::string(16, '\xFF'))));
  EXPECT_THAT(file.upper_bounds, IsEmpty());
}

TEST(ColumnStatisticsTest, LeavesNanOutAndWidensZeros) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  arrow::DoubleBuilder builder;
  ASSERT_OK(builder.AppendValues({nan, 0.0, -nan}));
  ASSERT_OK_AND_ASSIGN(const auto zeros, builder.Finish());
  const DataFile file = Describe({zeros});
  ExpectBounds(file, "\0\0\0\0\0\0\0\x80"s, "\0\0\0\0\0\0\0\0"s);
  EXPECT_THAT(file.nan_value_counts, ElementsAre(Pair(1, 2)));
  ASSERT_OK(builder.AppendValues({nan, nan}));
  ASSERT_OK_AND_ASSIGN(const auto only_nan, builder.Finish());
  EXPECT_THAT(Describe({only_nan}).lower_bounds, IsEmpty());
  ASSERT_OK(builder.AppendValues({-0.0}));
  ASSERT_OK_AND_ASSIGN(const auto negative_zero, builder.Finish());
  ExpectBounds(Describe({negative_zero}), "\0\0\0\0\0\0\0\x80"s, "\0\0\0\0\0\0\0\0"s);
}

TEST(ColumnStatisticsTest, CountsOverBatchesAndSlices) {
  const auto array =
      arrow::json::ArrayFromJSONString(arrow::int32(), "[100, 1, null, 2, 3, -100]").ValueOrDie();
  const DataFile file = Describe({array->Slice(1, 2), array->Slice(3, 2), array->Slice(0, 0)});
  EXPECT_EQ(file.record_count, 4);
  EXPECT_THAT(file.value_counts, ElementsAre(Pair(1, 4)));
  EXPECT_THAT(file.null_value_counts, ElementsAre(Pair(1, 1)));
  EXPECT_THAT(file.nan_value_counts, IsEmpty());
  ExpectBounds(file, "\1\0\0\0"s, "\3\0\0\0"s);
}

TEST(ColumnStatisticsTest, CountsFieldsOfAbsentStructsAsNullAndSaysNothingOfLists) {
  const auto type = arrow::struct_(
      {arrow::field("x", arrow::int32()), arrow::field("l", arrow::list(arrow::int32()))});
  const DataFile file = Describe(type, R"([{"x": 5, "l": [1]}, null, {"x": null, "l": null}])");
  // Field ids: f 1, x 2, l 3, its element 4.
  EXPECT_THAT(file.value_counts, ElementsAre(Pair(2, 3)));
  EXPECT_THAT(file.null_value_counts, ElementsAre(Pair(2, 2)));
  EXPECT_THAT(file.lower_bounds, ElementsAre(Pair(2, "\5\0\0\0"s)));
}

}  // namespace
}  // namespace tusk::iceberg
