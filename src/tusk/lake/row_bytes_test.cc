#include "tusk/lake/row_bytes.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lake {
namespace {

/// Every pair of values, one of them behind an offset, has equal bytes if and only if it is equal.
void ExpectBytesTellValuesApart(const std::shared_ptr<arrow::DataType>& type,
                                const std::string& json) {
  SCOPED_TRACE(type->ToString());
  ASSERT_OK_AND_ASSIGN(const auto values, arrow::json::ArrayFromJSONString(type, json));
  ASSERT_OK_AND_ASSIGN(const auto twice, arrow::Concatenate({values, values}));
  const auto sliced = twice->Slice(values->length());
  for (int64_t i = 0; i < values->length(); ++i) {
    for (int64_t j = 0; j < values->length(); ++j) {
      std::string left;
      std::string right;
      AppendValueBytes(*values, i, &left);
      AppendValueBytes(*sliced, j, &right);
      EXPECT_EQ(left == right, i == j) << i << " and " << j;
    }
  }
}

TEST(RowBytesTest, BytesAreEqualIfAndOnlyIfValuesAre) {
  ExpectBytesTellValuesApart(arrow::int32(), "[1, 2, null, 0]");
  ExpectBytesTellValuesApart(arrow::float64(), "[1.5, 2.5, null, 0]");
  ExpectBytesTellValuesApart(arrow::boolean(), "[true, false, null]");
  ExpectBytesTellValuesApart(arrow::utf8(), R"(["a", "", null, "ab"])");
  ExpectBytesTellValuesApart(arrow::large_utf8(), R"(["a", "", null, "ab"])");
  ExpectBytesTellValuesApart(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[1, 2, null]");
  ExpectBytesTellValuesApart(arrow::fixed_size_list(arrow::float32(), 2),
                             "[[1, 2], [2, 1], null, [1, null]]");
  ExpectBytesTellValuesApart(arrow::fixed_size_list(arrow::float32(), 2), "[[1, 2], [2, 1]]");
  ExpectBytesTellValuesApart(arrow::list(arrow::utf8()),
                             R"([["a", "b"], ["ab"], [], null, ["a", null]])");
  ExpectBytesTellValuesApart(
      arrow::struct_({arrow::field("x", arrow::utf8()), arrow::field("y", arrow::utf8())}),
      R"([{"x": "a", "y": "b"}, {"x": "ab", "y": ""}, null, {"x": null, "y": "b"}])");
}

}  // namespace
}  // namespace tusk::lake
