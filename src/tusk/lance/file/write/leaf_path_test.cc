#include "tusk/lance/file/write/leaf_path.h"

#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/schema.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Rows of one field, and the paths to its columns.
class Subject {
 public:
  Subject(std::shared_ptr<arrow::Field> field, const std::string& json)
      : array_(arrow::json::ArrayFromJSONString(field->type(), json).ValueOrDie()),
        schema_(Schema::FromArrow(*arrow::schema({std::move(field)})).ValueOrDie()),
        paths_(LeafPath::Of(schema_.fields[0], 2).ValueOrDie()) {}
  Subject(std::shared_ptr<arrow::DataType> type, const std::string& json)
      : Subject(arrow::field("f", std::move(type)), json) {}

  const arrow::Array& array() const { return *array_; }
  const std::vector<LeafPath>& paths() const { return paths_; }
  Result<LeafRows> Take(size_t column, int64_t begin, int64_t end) const {
    return paths_[column].Take(*array_->data(), {.begin = begin, .end = end},
                               arrow::default_memory_pool());
  }
  LeafRows TakeAll(size_t column = 0) const {
    return Take(column, 0, array_->length()).ValueOrDie();
  }

 private:
  std::shared_ptr<arrow::Array> array_;
  Schema schema_;
  std::vector<LeafPath> paths_;
};

std::string Values(const LeafRows& rows) {
  const auto array = arrow::MakeArray(rows.values);
  std::string text;
  for (int64_t i = 0; i < array->length(); ++i) {
    text += (i == 0 ? "" : " ") + array->GetScalar(i).ValueOrDie()->ToString();
  }
  return text;
}

// Levels by docs/format/lance_levels.md, every layer with all its numbers: of an item one for null,
// of a list one for null and the next for empty, from the inside.

TEST(LeafPathTest, TakesFlatRowsAsTheyStand) {
  const Subject subject(arrow::int32(), "[1, null, 3]");
  const LeafRows rows = subject.TakeAll();
  EXPECT_EQ(Values(rows), "1 null 3");
  EXPECT_THAT(rows.definition, IsEmpty());
  EXPECT_THAT(rows.repetition, IsEmpty());
  EXPECT_THAT(subject.paths()[0].layers(), ElementsAre(LevelLayer::kNullableItem));
}

TEST(LeafPathTest, EndsNullAndEmptyListsWithoutASlot) {
  const Subject subject(arrow::list(arrow::int32()), "[[1, null], [], null, [3]]");
  const LeafRows rows = subject.TakeAll();
  EXPECT_EQ(Values(rows), "1 null 3");
  EXPECT_THAT(rows.repetition, ElementsAre(1, 0, 1, 1, 1));
  EXPECT_THAT(rows.definition, ElementsAre(0, 1, 3, 2, 0));
  EXPECT_EQ(rows.num_rows, 4);
}

TEST(LeafPathTest, CountsRepetitionFromTheInside) {
  const Subject subject(arrow::list(arrow::large_list(arrow::int32())),
                        "[[[1, 2], [3]], [[], null], [], null, [[4]]]");
  const LeafRows rows = subject.TakeAll();
  EXPECT_EQ(Values(rows), "1 2 3 4");
  // Inner lists: null 2, empty 3; outer lists: null 4, empty 5.
  EXPECT_THAT(rows.repetition, ElementsAre(2, 0, 1, 2, 1, 2, 2, 2));
  EXPECT_THAT(rows.definition, ElementsAre(0, 0, 0, 3, 2, 5, 4, 0));
}

TEST(LeafPathTest, KeepsTheSlotsUnderNullStructs) {
  const Subject subject(arrow::struct_({arrow::field("x", arrow::int32())}),
                        "[{\"x\": 1}, null, {\"x\": null}]");
  const LeafRows rows = subject.TakeAll();
  EXPECT_EQ(rows.values->length, 3);
  EXPECT_THAT(rows.definition, ElementsAre(0, 2, 1));
  EXPECT_THAT(rows.repetition, IsEmpty());
}

TEST(LeafPathTest, EndsAListUnderANullStructAtTheStruct) {
  const Subject subject(arrow::struct_({arrow::field("x", arrow::list(arrow::int32()))}),
                        "[{\"x\": [1]}, null, {\"x\": null}, {\"x\": []}, {\"x\": [2, 3]}]");
  const LeafRows rows = subject.TakeAll();
  EXPECT_EQ(Values(rows), "1 2 3");
  EXPECT_THAT(rows.repetition, ElementsAre(1, 1, 1, 1, 1, 0));
  EXPECT_THAT(rows.definition, ElementsAre(0, 4, 2, 3, 0, 0));
}

TEST(LeafPathTest, LeavesOutWhatStandsInNullLists) {
  Subject subject(arrow::list(arrow::int32()), "[[1, 2], [3, 4], [5]]");
  // The second list becomes null, with its items still there.
  auto data = subject.array().data()->Copy();
  data->buffers[0] = arrow::Buffer::FromString("\x05");
  data->null_count = 1;
  ASSERT_OK_AND_ASSIGN(const LeafRows rows, subject.paths()[0].Take(*data, {.begin = 0, .end = 3},
                                                                    arrow::default_memory_pool()));
  EXPECT_EQ(Values(rows), "1 2 5");
  EXPECT_THAT(rows.definition, ElementsAre(0, 0, 2, 0));
}

TEST(LeafPathTest, RepeatsANullFixedSizeListForEachOfItsItems) {
  const Subject subject(
      arrow::fixed_size_list(arrow::struct_({arrow::field("x", arrow::int32())}), 2),
      "[[{\"x\": 1}, {\"x\": null}], null, [null, {\"x\": 4}]]");
  const LeafRows rows = subject.TakeAll();
  EXPECT_EQ(rows.values->length, 6);
  // The value 1, the struct 2, the list 3.
  EXPECT_THAT(rows.definition, ElementsAre(0, 1, 3, 3, 2, 0));
  EXPECT_EQ(subject.paths()[0].entries_per_row(), 2);
}

TEST(LeafPathTest, GivesMapsAsListsOfTheirEntries) {
  const Subject subject(arrow::map(arrow::utf8(), arrow::int32()),
                        R"([[["a", 1], ["b", null]], null, []])");
  ASSERT_EQ(subject.paths().size(), 2);
  EXPECT_EQ(Values(subject.TakeAll(0)), "a b");
  const LeafRows values = subject.TakeAll(1);
  EXPECT_EQ(Values(values), "1 null");
  EXPECT_THAT(values.definition, ElementsAre(0, 1, 3, 4));
}

TEST(LeafPathTest, TakesPartsOfSlices) {
  const auto type = arrow::list(arrow::struct_({arrow::field("x", arrow::utf8())}));
  const Subject subject(
      type, R"([[{"x": "a"}], [{"x": "b"}, {"x": "c"}], [], [{"x": "d"}, null], [{"x": "e"}]])");
  const auto slice = subject.array().Slice(1);
  ASSERT_OK_AND_ASSIGN(const LeafRows rows,
                       subject.paths()[0].Take(*slice->data(), {.begin = 1, .end = 4},
                                               arrow::default_memory_pool()));
  EXPECT_EQ(rows.values->length, 3);
  EXPECT_THAT(rows.definition, ElementsAre(4, 0, 2, 0));
  EXPECT_EQ(subject.paths()[0].ArrowBytes(*slice->data(), {.begin = 0, .end = 4}),
            5 * 4 + 4 + 5 * 4)
      << "offsets, bytes but that of the null, levels";
}

TEST(LeafPathTest, CountsTheLevelsOfListsWithoutItems) {
  const Subject subject(arrow::list(arrow::list(arrow::int32())), "[[], null, [[], null], [], []]");
  EXPECT_EQ(subject.paths()[0].ArrowBytes(*subject.array().data(), {.begin = 0, .end = 5}), 5 * 4);
}

TEST(LeafPathTest, NormalisesDictionariesWithNulls) {
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto indices = arrow::json::ArrayFromJSONString(arrow::int8(), "[0, 1, null, 2, 1]");
  const auto items = arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["a", null, "c"])");
  ASSERT_OK_AND_ASSIGN(const auto array,
                       arrow::DictionaryArray::FromArrays(type, *indices, *items));
  ASSERT_OK_AND_ASSIGN(const Schema schema,
                       Schema::FromArrow(*arrow::schema({arrow::field("d", type)})));
  ASSERT_OK_AND_ASSIGN(const auto paths, LeafPath::Of(schema.fields[0], 2));
  ASSERT_OK_AND_ASSIGN(const LeafRows rows, paths[0].Take(*array->data(), {.begin = 0, .end = 5},
                                                          arrow::default_memory_pool()));
  EXPECT_EQ(rows.values->GetNullCount(), 3);
  EXPECT_EQ(rows.values->dictionary->GetNullCount(), 0);
  EXPECT_TRUE(rows.values->type->Equals(*type));
}

TEST(LeafPathTest, RefusesNullsOfFieldsThatMayHaveNone) {
  const auto inner = arrow::field("x", arrow::int32(), /*nullable=*/false);
  for (const auto& field :
       {arrow::field("f", arrow::int32(), false), arrow::field("f", arrow::list(inner)),
        arrow::field("f", arrow::list(arrow::int32()), false)}) {
    const bool is_list = field->type()->id() == arrow::Type::LIST;
    const bool is_inner = field->nullable();
    const Subject subject(field,
                          is_list ? (is_inner ? "[[1, null]]" : "[[1], null]") : "[1, null]");
    EXPECT_THAT(subject.Take(0, 0, subject.array().length()),
                FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_OK(subject.Take(0, 0, 0));
  }
}

TEST(LeafPathTest, KnowsTheNullsOfWhichThereAreNotAsManyAsItems) {
  const auto inner = arrow::struct_({arrow::field("l", arrow::list(arrow::int8()))});
  // int8 1, list 2 and 3, struct 4, list 5 and 6, struct 7.
  const Subject lists(arrow::struct_({arrow::field("outer", arrow::list(inner))}), "[]");
  EXPECT_THAT(lists.paths()[0].NullLevelsAboveItems(), ElementsAre(4, 7));
  const auto point = arrow::struct_({arrow::field("x", arrow::int8())});
  // int8 1, struct 2, fixed-size list 3, struct 4.
  const Subject fixed(arrow::struct_({arrow::field("f", arrow::fixed_size_list(point, 2))}), "[]");
  EXPECT_THAT(fixed.paths()[0].NullLevelsAboveItems(), ElementsAre(3, 4));
  const Subject never(
      arrow::field("f", arrow::struct_({arrow::field("l", arrow::list(arrow::int8()))}), false),
      "[]");
  EXPECT_THAT(never.paths()[0].NullLevelsAboveItems(), IsEmpty());
  EXPECT_THAT(Subject(point, "[]").paths()[0].NullLevelsAboveItems(), IsEmpty());
}

TEST(LeafPathTest, RefusesListsAroundFixedSizeListsOfStructs) {
  const auto points =
      arrow::fixed_size_list(arrow::struct_({arrow::field("x", arrow::int32())}), 2);
  const auto lists =
      arrow::fixed_size_list(arrow::struct_({arrow::field("x", arrow::list(arrow::int32()))}), 2);
  for (const auto& type : {arrow::list(points), lists}) {
    ASSERT_OK_AND_ASSIGN(const Schema schema,
                         Schema::FromArrow(*arrow::schema({arrow::field("f", type)})));
    EXPECT_THAT(LeafPath::Of(schema.fields[0], 2), FailsWith(ErrorCode::kUnsupported));
  }
}

}  // namespace
}  // namespace tusk::lance
