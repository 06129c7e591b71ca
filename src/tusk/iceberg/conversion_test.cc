#include "tusk/iceberg/conversion.h"

#include <arrow/api.h>
#include <arrow/array/concatenate.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/iceberg/schema.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

using arrow::TimeUnit;

std::shared_ptr<arrow::Array> Array(const std::shared_ptr<arrow::DataType>& type,
                                    std::string_view json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

Result<std::shared_ptr<arrow::Array>> Convert(const std::shared_ptr<arrow::Array>& array,
                                              const std::shared_ptr<arrow::DataType>& type,
                                              bool nullable = true) {
  return ConvertArray(array, *arrow::field("f", type, nullable), /*by_id=*/false,
                      OperationContext());
}

void ExpectConverts(const std::shared_ptr<arrow::DataType>& from, std::string_view json,
                    const std::shared_ptr<arrow::DataType>& to, std::string_view expected) {
  const auto array = Array(from, json);
  ASSERT_OK_AND_ASSIGN(const auto converted, Convert(array, to));
  ASSERT_OK(converted->ValidateFull());
  EXPECT_TRUE(converted->Equals(Array(to, expected))) << converted->ToString();
  // A slice gives the slice, whatever stands around it.
  for (int64_t begin = 0; begin <= array->length(); ++begin) {
    ASSERT_OK_AND_ASSIGN(const auto slice, Convert(array->Slice(begin), to));
    ASSERT_OK(slice->ValidateFull());
    EXPECT_TRUE(slice->Equals(Array(to, expected)->Slice(begin))) << slice->ToString();
  }
}

TEST(ConvertArrayTest, KeepsEveryValue) {
  ExpectConverts(arrow::uint8(), "[0, null, 255]", arrow::int32(), "[0, null, 255]");
  ExpectConverts(arrow::int16(), "[-32768, 32767]", arrow::int32(), "[-32768, 32767]");
  ExpectConverts(arrow::uint32(), "[4294967295, null]", arrow::int64(), "[4294967295, null]");
  ExpectConverts(arrow::uint64(), "[18446744073709551615, 0, null]", arrow::decimal128(20, 0),
                 R"(["18446744073709551615", "0", null])");
  ExpectConverts(arrow::float16(), "[1.5, null]", arrow::float32(), "[1.5, null]");
  ExpectConverts(arrow::date64(), "[86400000, -86400000]", arrow::date32(), "[1, -1]");
  ExpectConverts(arrow::time32(TimeUnit::SECOND), "[86399]", arrow::time64(TimeUnit::MICRO),
                 "[86399000000]");
  ExpectConverts(arrow::timestamp(TimeUnit::MILLI, "Europe/Berlin"), "[-1, null]",
                 arrow::timestamp(TimeUnit::MICRO, "UTC"), "[-1000, null]");
  ExpectConverts(arrow::large_utf8(), R"(["ü", null, ""])", arrow::utf8(), R"(["ü", null, ""])");
  ExpectConverts(arrow::utf8_view(), R"(["a text that is not inlined", null])", arrow::utf8(),
                 R"(["a text that is not inlined", null])");
  ExpectConverts(arrow::smallest_decimal(5, 2), R"(["-1.25", null])", arrow::decimal128(5, 2),
                 R"(["-1.25", null])");
  ExpectConverts(arrow::fixed_size_list(arrow::float32(), 2), "[[1, null], null, [3, 4]]",
                 arrow::list(arrow::float32()), "[[1, null], null, [3, 4]]");
  ExpectConverts(arrow::large_list(arrow::uint8()), "[[1], null, [], [2, null]]",
                 arrow::list(arrow::int32()), "[[1], null, [], [2, null]]");
  ExpectConverts(arrow::struct_({arrow::field("x", arrow::uint8())}), R"([{"x": 1}, null])",
                 arrow::struct_({arrow::field("x", arrow::int32())}), R"([{"x": 1}, null])");
  ExpectConverts(arrow::map(arrow::utf8(), arrow::uint8()), R"([[["a", 1]], null, []])",
                 arrow::map(arrow::utf8(), arrow::int32()), R"([[["a", 1]], null, []])");
}

TEST(ConvertArrayTest, DecodesDictionaries) {
  const auto indices = Array(arrow::int8(), "[1, null, 0]");
  const auto values = Array(arrow::large_utf8(), R"(["a", "b"])");
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<arrow::Array> dictionary,
                       arrow::DictionaryArray::FromArrays(indices, values));
  ASSERT_OK_AND_ASSIGN(const auto converted, Convert(dictionary, arrow::utf8()));
  EXPECT_TRUE(converted->Equals(Array(arrow::utf8(), R"(["b", null, "a"])")));
}

TEST(ConvertArrayTest, RefusesValuesThatDoNotFit) {
  const auto micros = arrow::timestamp(TimeUnit::MICRO);
  const auto result = Convert(Array(arrow::timestamp(TimeUnit::SECOND), "[9223372036855]"), micros);
  EXPECT_THAT(result, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(result.status().message(), testing::HasSubstr("'f'"));
  EXPECT_THAT(Convert(Array(arrow::date64(), "[1]"), arrow::date32()),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(ConvertArrayTest, RefusesTextThatIsNotUtf8) {
  arrow::BinaryBuilder builder;
  ASSERT_OK(builder.Append("\xC3\x28"));
  ASSERT_OK_AND_ASSIGN(const auto bytes, builder.Finish());
  ASSERT_OK_AND_ASSIGN(const auto text, bytes->View(arrow::utf8()));
  EXPECT_THAT(Convert(text, arrow::utf8()), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_OK(Convert(bytes, arrow::binary()));
}

TEST(ConvertArrayTest, RefusesNullsWhereAValueIsRequired) {
  const auto array = Array(arrow::int32(), "[1, null]");
  EXPECT_THAT(Convert(array, arrow::int32(), /*nullable=*/false),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_OK(Convert(array->Slice(0, 1), arrow::int32(), /*nullable=*/false));
  const auto required = arrow::struct_({arrow::field("x", arrow::int32(), /*nullable=*/false)});
  const auto optional = arrow::struct_({arrow::field("x", arrow::int32())});
  EXPECT_THAT(Convert(Array(optional, R"([{"x": null}])"), required),
              FailsWith(ErrorCode::kInvalidArgument));
  // Below a null there is no value to require.
  EXPECT_OK(Convert(Array(optional, R"([{"x": 1}, null])"), required));
}

TEST(ConvertArrayTest, DoesNotLookAtItemsOfNullRows) {
  // Row 1 is null but its two items are there, one of them beyond what microseconds hold.
  const auto items = Array(arrow::timestamp(TimeUnit::SECOND), "[1, 9223372036855, 3, 4]");
  const auto offsets = Array(arrow::int32(), "[0, 1, 3, 4]");
  auto data =
      arrow::ArrayData::Make(arrow::list(items->type()), 3,
                             {Array(arrow::boolean(), "[true, false, true]")->data()->buffers[1],
                              offsets->data()->buffers[1]},
                             {items->data()});
  const auto micros = arrow::timestamp(TimeUnit::MICRO);
  ASSERT_OK_AND_ASSIGN(const auto converted, Convert(arrow::MakeArray(data), arrow::list(micros)));
  ASSERT_OK(converted->ValidateFull());
  EXPECT_TRUE(converted->Equals(Array(arrow::list(micros), "[[1000000], null, [4000000]]")));
}

TEST(ConvertArrayTest, MatchesStructFieldsById) {
  const auto field = [](std::string name, int32_t id, std::shared_ptr<arrow::DataType> type) {
    return WithFieldId(arrow::field(std::move(name), std::move(type)), id);
  };
  const auto file =
      Array(arrow::struct_({field("old", 7, arrow::int32()), field("dropped", 8, arrow::utf8())}),
            R"([{"old": 1, "dropped": "x"}, null])");
  const auto type =
      arrow::struct_({field("added", 9, arrow::float64()), field("renamed", 7, arrow::int64())});
  ASSERT_OK_AND_ASSIGN(const auto converted, ConvertArray(file, *arrow::field("s", type),
                                                          /*by_id=*/true, OperationContext()));
  EXPECT_TRUE(converted->Equals(Array(type, R"([{"added": null, "renamed": 1}, null])")))
      << converted->ToString();
}

}  // namespace
}  // namespace tusk::iceberg
