#include "tusk/lance/file/batch_shaper.h"

#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;

std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type,
                                   const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> OneColumn(const std::shared_ptr<arrow::Array>& array) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("c", array->type())}),
                                  array->length(), {array});
}

/// What a file of `stored` columns gets for `batch`, in one piece.
Result<std::shared_ptr<arrow::RecordBatch>> Shape(const arrow::RecordBatch& batch,
                                                  const arrow::Schema& stored) {
  ARROW_ASSIGN_OR_RAISE(const Schema schema, Schema::FromArrow(stored));
  ARROW_ASSIGN_OR_RAISE(const BatchShaper shaper, BatchShaper::Make(*batch.schema(), schema));
  std::shared_ptr<arrow::RecordBatch> shaped;
  ARROW_RETURN_NOT_OK(shaper.Shape(batch, {}, [&](const arrow::RecordBatch& piece) {
    shaped = piece.Slice(0);
    return Status::OK();
  }));
  return shaped;
}

struct ViewCase {
  std::shared_ptr<arrow::DataType> view;
  std::shared_ptr<arrow::DataType> stored;
  std::string rows;
};

TEST(BatchShaperTest, StoresViewsAsTypesWithOffsetsAtAnyDepth) {
  const std::string texts = R"(["a text longer than twelve bytes", null, "", "short"])";
  const auto text_field = [](const auto& type) {
    return arrow::struct_({arrow::field("x", arrow::int8()), arrow::field("y", type)});
  };
  for (const ViewCase& view_case : {
           ViewCase{arrow::utf8_view(), arrow::utf8(), texts},
           ViewCase{arrow::binary_view(), arrow::binary(), texts},
           ViewCase{arrow::list_view(arrow::int64()), arrow::list(arrow::int64()),
                    "[[1, 2], null, [], [null, 3]]"},
           ViewCase{arrow::large_list_view(arrow::int64()), arrow::large_list(arrow::int64()),
                    "[[1, 2], null, [], [null, 3]]"},
           ViewCase{arrow::list_view(arrow::utf8_view()), arrow::list(arrow::utf8()),
                    R"([["a"], null, [], [null, "b"]])"},
           ViewCase{arrow::struct_({arrow::field("x", arrow::large_list_view(arrow::int8()))}),
                    arrow::struct_({arrow::field("x", arrow::large_list(arrow::int8()))}),
                    R"([{"x": [1]}, null, {"x": null}, {"x": [2, 3]}])"},
           ViewCase{arrow::list(arrow::utf8_view()), arrow::list(arrow::utf8()),
                    R"([["a"], null, [], [null, "b"]])"},
           ViewCase{text_field(arrow::binary_view()), text_field(arrow::binary()),
                    R"([{"x": 1, "y": "a"}, null, {"x": null, "y": null}])"},
           ViewCase{arrow::map(arrow::utf8(), arrow::utf8_view()),
                    arrow::map(arrow::utf8(), arrow::utf8()), R"([[["a", "b"]], null, []])"},
       }) {
    SCOPED_TRACE(view_case.view->ToString());
    const auto array = Json(view_case.view, view_case.rows);
    const auto expected = Json(view_case.stored, view_case.rows);
    EXPECT_FALSE(expected->type()->Equals(array->type()));
    const auto without = WithoutViews(OneColumn(array)->schema());
    ASSERT_TRUE(without->Equals(*OneColumn(expected)->schema())) << without->ToString();
    ASSERT_OK_AND_ASSIGN(const auto shaped, Shape(*OneColumn(array), *without));
    ASSERT_OK(shaped->column(0)->ValidateFull());
    EXPECT_TRUE(shaped->column(0)->Equals(expected)) << shaped->ToString();
    ASSERT_OK_AND_ASSIGN(const auto slice, Shape(*OneColumn(array->Slice(1)), *without));
    EXPECT_TRUE(slice->column(0)->Equals(expected->Slice(1))) << slice->ToString();
  }
}

TEST(BatchShaperTest, TakesColumnsByNameAndLeavesOthersOut) {
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("a", arrow::int8()), arrow::field("b", arrow::int16()),
                     arrow::field("c", arrow::int32())}),
      1, {Json(arrow::int8(), "[1]"), Json(arrow::int16(), "[2]"), Json(arrow::int32(), "[3]")});
  ASSERT_OK_AND_ASSIGN(const auto shaped,
                       Shape(*batch, *arrow::schema({arrow::field("c", arrow::int32()),
                                                     arrow::field("a", arrow::int8())})));
  EXPECT_EQ(shaped->schema()->field_names(), std::vector<std::string>({"c", "a"}));
  EXPECT_TRUE(shaped->column(0)->Equals(Json(arrow::int32(), "[3]")));
  EXPECT_TRUE(shaped->column(1)->Equals(Json(arrow::int8(), "[1]")));
}

TEST(BatchShaperTest, NamesTheColumnThatDoesNotFit) {
  const auto stored = [](std::shared_ptr<arrow::DataType> type, bool nullable = true) {
    return arrow::schema({arrow::field("c", std::move(type), nullable)});
  };
  const auto batch = OneColumn(Json(arrow::int32(), "[1, null, 3]"));
  for (const auto& [schema, text] :
       std::vector<std::pair<std::shared_ptr<arrow::Schema>, std::string>>{
           {arrow::schema({arrow::field("d", arrow::int32())}), "0 columns named 'd'"},
           {stored(arrow::int64()), "column 'c' has type int32, but is stored as int64"},
           {stored(arrow::int32(), /*nullable=*/false), "1 of 3 rows"}}) {
    const auto shaped = Shape(*batch, *schema);
    EXPECT_THAT(shaped, FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(shaped.status().message(), HasSubstr(text));
  }
  const auto twice = arrow::RecordBatch::Make(
      arrow::schema({batch->schema()->field(0), batch->schema()->field(0)}), 3,
      {batch->column(0), batch->column(0)});
  EXPECT_THAT(Shape(*twice, *stored(arrow::int32())).status().message(),
              HasSubstr("2 columns named 'c'"));
}

TEST(BatchShaperTest, TellsTypesApartThatAreStoredDifferently) {
  using arrow::field;
  const auto text = arrow::utf8();
  const auto number = arrow::int64();
  const auto pair = [&](const std::string& a, const std::string& b) {
    return arrow::struct_({field(a, text), field(b, text)});
  };
  EXPECT_TRUE(IsStoredAs(*arrow::list(field("item", text)), *arrow::list(field("x", text, false))));
  EXPECT_TRUE(IsStoredAs(*arrow::map(text, number), *arrow::map(text, field("v", number))));
  EXPECT_TRUE(IsStoredAs(*pair("a", "b"), *pair("a", "b")));
  EXPECT_FALSE(IsStoredAs(*pair("a", "b"), *pair("b", "a")));
  EXPECT_FALSE(IsStoredAs(*pair("a", "b"), *arrow::struct_({field("a", text)})));
  EXPECT_FALSE(IsStoredAs(*arrow::list(text), *arrow::list(number)));
  EXPECT_FALSE(IsStoredAs(*arrow::list(text), *arrow::large_list(text)));
  EXPECT_FALSE(IsStoredAs(*arrow::fixed_size_list(number, 2), *arrow::fixed_size_list(number, 3)));
  EXPECT_FALSE(IsStoredAs(*arrow::timestamp(arrow::TimeUnit::MICRO),
                          *arrow::timestamp(arrow::TimeUnit::NANO)));
  EXPECT_FALSE(IsStoredAs(*arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                          *arrow::timestamp(arrow::TimeUnit::MICRO)));
  EXPECT_FALSE(IsStoredAs(*arrow::dictionary(arrow::int8(), text),
                          *arrow::dictionary(arrow::int16(), text)));
}

}  // namespace
}  // namespace tusk::lance
