#include "tusk/expr/integer_set.h"

#include <limits>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/type_traits.h>
#include <gtest/gtest.h>

#include "tusk/expr/bound_expression.h"
#include "tusk/testing/matchers.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;

template <typename T>
class IntegerSetTest : public testing::Test {};
using Integers =
    testing::Types<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
TYPED_TEST_SUITE(IntegerSetTest, Integers);

/// The sum, which wraps around at the ends of the type.
template <typename T>
T Sum(T number, int distance) {
  using Bits = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<Bits>(static_cast<Bits>(number) + static_cast<Bits>(distance)));
}

/// Numbers near `middle`; every fifth null if `has_nulls`.
template <typename T>
std::shared_ptr<arrow::Array> Numbers(int64_t count, T middle, int spread, bool has_nulls,
                                      std::mt19937* random) {
  typename arrow::CTypeTraits<T>::BuilderType builder;
  for (int64_t i = 0; i < count; ++i) {
    const T number = Sum(middle, static_cast<int>((*random)() % spread));
    EXPECT_OK(has_nulls && i % 5 == 0 ? builder.AppendNull() : builder.Append(number));
  }
  return *builder.Finish();
}

/// What Arrow's own function says, which looks numbers up in a hash table.
std::shared_ptr<arrow::Array> Expected(const std::shared_ptr<arrow::Array>& column,
                                       const std::shared_ptr<arrow::Array>& values) {
  EXPECT_OK(InitializeCompute());
  const cp::SetLookupOptions options(values,
                                     cp::SetLookupOptions::NullMatchingBehavior::INCONCLUSIVE);
  return cp::CallFunction("is_in", {column}, &options)->make_array();
}

TYPED_TEST(IntegerSetTest, SaysOfEveryNumberWhatAHashTableSays) {
  using T = TypeParam;
  std::mt19937 random(3);
  cp::ExecContext compute;
  const Evaluation evaluation{.compute = &compute};
  for (const T middle :
       {std::numeric_limits<T>::min(), static_cast<T>(std::is_signed_v<T> ? -60 : 20),
        static_cast<T>(std::numeric_limits<T>::max() - 110)}) {
    const auto values = Numbers<T>(20, middle, 100, /*has_nulls=*/false, &random);
    ASSERT_OK_AND_ASSIGN(const auto kernel, MakeIntegerSet(*values, arrow::default_memory_pool()));
    ASSERT_TRUE(kernel);
    for (const bool has_nulls : {false, true}) {
      // Some are beyond the ends of the set, also those at which the type wraps around.
      const auto column = Numbers<T>(300, Sum(middle, -20), 140, has_nulls, &random);
      for (const int64_t begin : {0, 1, 7, 8, 13}) {
        for (const int64_t length : {0, 1, 7, 8, 9, 250}) {
          const auto slice = column->Slice(begin, length);
          ASSERT_OK_AND_ASSIGN(const auto judged, (*kernel)({slice}, evaluation));
          const auto array = judged.make_array();
          ASSERT_OK(array->ValidateFull());
          EXPECT_TRUE(array->Equals(Expected(slice, values))) << begin << " " << length;
        }
      }
      const auto expected = Expected(column, values);
      for (int64_t row = 0; row < 40; ++row) {
        ASSERT_OK_AND_ASSIGN(const auto scalar, column->GetScalar(row));
        ASSERT_OK_AND_ASSIGN(const auto judged, (*kernel)({scalar}, evaluation));
        EXPECT_TRUE(judged.scalar()->Equals(**expected->GetScalar(row))) << row;
      }
    }
  }
}

TEST(IntegerSetTest, LeavesNumbersFarApartAndOtherTypesToOthers) {
  const auto is_made = [](const std::shared_ptr<arrow::Array>& values) {
    return MakeIntegerSet(*values, arrow::default_memory_pool())->has_value();
  };
  arrow::Int64Builder builder;
  ASSERT_OK(builder.AppendValues({std::numeric_limits<int64_t>::min(), 0}));
  EXPECT_FALSE(is_made(*builder.Finish()));
  ASSERT_OK(builder.AppendValues({std::numeric_limits<int64_t>::max(), -1}));
  EXPECT_FALSE(is_made(*builder.Finish()));
  ASSERT_OK(builder.AppendValues({0, 65'536}));
  EXPECT_TRUE(is_made(*builder.Finish()));
  ASSERT_OK(builder.AppendValues({0, 65'537}));
  EXPECT_FALSE(is_made(*builder.Finish()));
  ASSERT_OK(builder.AppendNull());
  EXPECT_FALSE(is_made(*builder.Finish()));
  EXPECT_FALSE(is_made(*builder.Finish()));  // empty
  arrow::DoubleBuilder doubles;
  ASSERT_OK(doubles.Append(1));
  EXPECT_FALSE(is_made(*doubles.Finish()));
}

}  // namespace
}  // namespace tusk::expr
