#include "tusk/expr/value_order.h"

#include <memory>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/compute/exec.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::expr {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

std::shared_ptr<arrow::Array> Make(const TypePtr& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

/// Expects each value of `array` to be below those behind it.
void ExpectAscending(const arrow::Array& array, NullOrder nulls) {
  arrow::compute::ExecContext compute;
  const ValueOrder order = ValueOrder::Make(array, array, nulls, &compute).ValueOrDie();
  for (int64_t i = 0; i < array.length(); ++i) {
    for (int64_t j = 0; j < array.length(); ++j) {
      const int compared = order.Compare(i, j);
      EXPECT_EQ(int{compared > 0} - int{compared < 0}, int{i > j} - int{i < j})
          << array.type()->ToString() << " " << i << " " << j;
    }
  }
}

TEST(ValueOrderTest, OrdersListsByTheFirstValueThatDiffers) {
  for (const TypePtr& type : {arrow::list(arrow::int32()), arrow::large_list(arrow::float64()),
                              arrow::list(arrow::float16()), arrow::list(arrow::uint64()),
                              arrow::list(arrow::decimal128(5, 2))}) {
    const bool is_decimal = type->field(0)->type()->id() == arrow::Type::DECIMAL128;
    const std::string one = is_decimal ? "\"1.00\"" : "1";
    const std::string two = is_decimal ? "\"10.00\"" : "2";
    ExpectAscending(*Make(type, "[null, [], [null], [" + one + "], [" + one + ", null], [" + one +
                                    ", " + one + "], [" + two + "]]"),
                    NullOrder::kBelow);
    ExpectAscending(*Make(type, "[[], [" + one + "], [" + one + ", " + one + "], [" + one +
                                    ", null], [" + two + "], [null], null]"),
                    NullOrder::kAbove);
  }
}

TEST(ValueOrderTest, OrdersStructsByTheFirstFieldThatDiffers) {
  const auto type = arrow::struct_(
      {arrow::field("a", arrow::utf8()), arrow::field("b", arrow::list(arrow::boolean()))});
  ExpectAscending(*Make(type, R"([null, {"a": null, "b": [true]}, {"a": "A", "b": [true]},
                                  {"a": "a", "b": null}, {"a": "a", "b": []},
                                  {"a": "a", "b": [false]}, {"a": "é", "b": null}])"),
                  NullOrder::kBelow);
}

TEST(ValueOrderTest, OrdersMapsByTheirEntries) {
  ExpectAscending(*Make(arrow::map(arrow::utf8(), arrow::int8()),
                        R"([null, [], [["a", null]], [["a", -1]], [["a", 1]],
                            [["a", 1], ["b", 0]], [["b", 0]]])"),
                  NullOrder::kBelow);
}

TEST(ValueOrderTest, HasNanAboveAllAndOneZero) {
  arrow::compute::ExecContext compute;
  const auto array = Make(arrow::list(arrow::float32()), "[[-Inf], [-0.0], [0.0], [Inf], [NaN]]");
  EXPECT_THAT(RankValues(*array, NullOrder::kBelow, &compute).ValueOrDie(),
              testing::ElementsAre(0, 1, 1, 2, 3));
}

TEST(ValueOrderTest, SeesThroughSlicesAndDictionariesAndKindsOfLists) {
  arrow::compute::ExecContext compute;
  const auto words = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto left = Make(arrow::list(words), R"([["x"], ["b", "a"], ["a"], null])")->Slice(1);
  const auto right =
      Make(arrow::fixed_size_list(arrow::utf8(), 1), R"([["q"], ["z"], ["a"], ["b"]])")->Slice(2);
  const ValueOrder order =
      ValueOrder::Make(*left, *right, NullOrder::kBelow, &compute).ValueOrDie();
  EXPECT_GT(order.Compare(0, 1), 0);
  EXPECT_EQ(order.Compare(1, 0), 0);
  EXPECT_LT(order.Compare(1, 1), 0);
  EXPECT_LT(order.Compare(2, 0), 0);
}

TEST(ValueOrderTest, RanksFlatValuesAsItDoesThoseInLists) {
  arrow::compute::ExecContext compute;
  for (const NullOrder nulls : {NullOrder::kBelow, NullOrder::kAbove}) {
    EXPECT_THAT(
        RankValues(*Make(arrow::int64(), "[5, null, 3, 5, 9]"), nulls, &compute).ValueOrDie(),
        testing::ElementsAre(1, -1, 0, 1, 2));
    EXPECT_THAT(RankValues(*Make(arrow::list(arrow::int64()), "[[5], null, [3], [5], [null]]"),
                           nulls, &compute)
                    .ValueOrDie(),
                nulls == NullOrder::kBelow ? testing::ElementsAre(2, -1, 1, 2, 0)
                                           : testing::ElementsAre(1, -1, 0, 1, 2));
  }
}

TEST(ValueOrderTest, RefusesWhatHasNoOrder) {
  arrow::compute::ExecContext compute;
  const auto unions = arrow::sparse_union({arrow::field("a", arrow::int8())}, {0});
  EXPECT_THAT(CheckOrder(arrow::list(unions), &compute), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(CheckOrder(arrow::list(arrow::struct_({})), &compute).ok());
}

}  // namespace
}  // namespace tusk::expr
