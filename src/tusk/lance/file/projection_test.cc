#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/field_path.h"
#include "tusk/lance/file/packed_projection.h"
#include "tusk/lance/file/schema.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FieldPathTest, SplitsAtDotsOutsideOfBackticks) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> paths = {
      {"a", {"a"}},
      {"a.b.c", {"a", "b", "c"}},
      {"a.`b.c`.d", {"a", "b.c", "d"}},
      {"`we``ird`", {"we`ird"}},
      {"`a`.`b`", {"a", "b"}},
      {"a b.\xc3\xa9", {"a b", "\xc3\xa9"}},
      {"``", {""}},
      {"a.``", {"a", ""}},
  };
  for (const auto& [path, names] : paths) {
    ASSERT_OK_AND_ASSIGN(const auto parsed, ParseFieldPath(path));
    EXPECT_EQ(parsed, names) << path;
    ASSERT_OK_AND_ASSIGN(const auto again, ParseFieldPath(FormatFieldPath(names)));
    EXPECT_EQ(again, names) << FormatFieldPath(names);
  }
  EXPECT_EQ(FormatFieldPath({"a", "b.c", "d`e"}), "a.`b.c`.`d``e`");
}

TEST(FieldPathTest, RefusesWhatIsNoPath) {
  for (const char* path : {"", ".", "a.", ".a", "a..b", "`a", "a.`b", "a`b", "`a`b", "`a`.", "`"}) {
    EXPECT_THAT(ParseFieldPath(path), FailsWith(ErrorCode::kInvalidArgument)) << path;
  }
}

TEST(PackedProjectionTest, FindsFieldsByTheirIdsInTheOrderOfTheFile) {
  const auto with_children = [](const std::vector<std::pair<int32_t, std::string>>& children) {
    Field field;
    field.name = "s";
    field.id = 1;
    field.logical_type = "struct";
    field.metadata = {{"lance-encoding:packed", "true"}};
    for (const auto& [id, name] : children) {
      Field child;
      child.id = id;
      child.name = name;
      child.logical_type = "int32";
      field.children.push_back(std::move(child));
    }
    return field;
  };
  Schema file;
  file.fields = {with_children({{2, "a"}, {3, "b"}})};
  EXPECT_EQ(WithWholePackedStructs(file.fields[0], file), nullptr);
  EXPECT_EQ(WithWholePackedStructs(with_children({{2, "new"}, {3, "b"}}), file), nullptr);

  const auto array = arrow::json::ArrayFromJSONString((*ToArrowField(file.fields[0]))->type(),
                                                      R"([{"a": 1, "b": 10}, {"a": 2, "b": 20}])");
  const auto pick = [&](const Field& part) {
    const auto whole = WithWholePackedStructs(part, file);
    EXPECT_NE(whole, nullptr);
    EXPECT_EQ(whole->children[0].name, "a");
    const auto picked = PickPackedFields(array.ValueOrDie()->data(), *whole, part);
    return arrow::MakeArray(picked.ValueOrDie())->GetScalar(1).ValueOrDie()->ToString();
  };
  EXPECT_EQ(pick(with_children({{3, "b"}, {2, "a"}})), "{b:int32 = 20, a:int32 = 2}");
  EXPECT_EQ(pick(with_children({{3, "new"}})), "{new:int32 = 20}");
}

/// The columns of the file by which the expectations were seen in pylance 14.0.2.
Schema Nested() {
  const auto point =
      arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("y", arrow::utf8())});
  const auto metadata = arrow::key_value_metadata({{"k", "v"}});
  const auto blob = arrow::key_value_metadata({{"ARROW:extension:name", "lance.blob.v2"}});
  return Schema::FromArrow(
             arrow::Schema(
                 {arrow::field(
                      "s",
                      arrow::struct_(
                          {arrow::field("a", arrow::int32()),
                           arrow::field("b",
                                        arrow::struct_({arrow::field("c", arrow::int8()),
                                                        arrow::field("d", arrow::utf8(), false)}),
                                        true, metadata),
                           arrow::field("E.f", arrow::int8())})),
                  arrow::field("l", arrow::list(point)),
                  arrow::field("ll", arrow::list(arrow::list(point))),
                  arrow::field("m", arrow::map(arrow::utf8(), point)),
                  arrow::field("f", arrow::fixed_size_list(point, 2)),
                  arrow::field("Up", arrow::int64()),
                  arrow::field("blob",
                               arrow::struct_({arrow::field("data", arrow::large_binary())}), true,
                               blob)},
                 metadata))
      .ValueOrDie();
}

Result<std::string> Projected(std::vector<std::string> paths) {
  ARROW_ASSIGN_OR_RAISE(const Schema schema, Nested().ProjectPaths(paths));
  ARROW_ASSIGN_OR_RAISE(const auto arrow_schema, schema.ToArrow());
  return arrow_schema->ToString(/*show_metadata=*/false);
}

TEST(ProjectPathsTest, KeepsParentsAndLeavesSiblingsOut) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"Up"}, "Up: int64"},
      {{"s.a"}, "s: struct<a: int32>"},
      {{"s.b.d"}, "s: struct<b: struct<d: string not null>>"},
      {{"s.b.d", "s.a"}, "s: struct<b: struct<d: string not null>, a: int32>"},
      {{"s.b", "s.b.d"}, "s: struct<b: struct<c: int8, d: string not null>>"},
      {{"s.b.d", "s.b"}, "s: struct<b: struct<d: string not null, c: int8>>"},
      {{"s", "s.a"}, "s: struct<a: int32, b: struct<c: int8, d: string not null>, E.f: int8>"},
      {{"s.a", "Up", "s.b.c"}, "s: struct<a: int32, b: struct<c: int8>>\nUp: int64"},
      {{"s.`E.f`"}, "s: struct<E.f: int8>"},
      {{"l.item.x"}, "l: list<item: struct<x: int32>>"},
      {{"ll.item.item.y"}, "ll: list<item: list<item: struct<y: string>>>"},
      {{"f.item.x"}, "f: fixed_size_list<item: struct<x: int32>>[2]"},
      {{"m.entries"}, "m: map<string, struct<x: int32, y: string>>"},
      {{"m.entries.key", "m.entries.value.x"}, "m: map<string, struct<x: int32>>"},
      {{}, ""},
  };
  for (const auto& [paths, expected] : cases) {
    ASSERT_OK_AND_ASSIGN(const std::string projected, Projected(paths));
    EXPECT_EQ(projected, expected);
  }
}

TEST(ProjectPathsTest, KeepsIdsAndMetadata) {
  ASSERT_OK_AND_ASSIGN(const Schema schema,
                       Nested().ProjectPaths(std::vector<std::string>{"s.b.d"}));
  EXPECT_EQ(schema.metadata.at("k"), "v");
  ASSERT_EQ(schema.fields.size(), 1);
  const Field& b = schema.fields[0].children[0];
  EXPECT_EQ(b.id, 2);
  EXPECT_EQ(b.metadata.at("k"), "v");
  EXPECT_EQ(b.children[0].id, 4);
  EXPECT_EQ(b.children[0].parent_id, 2);
}

TEST(ProjectPathsTest, SaysWhatIsMissingAndWhatThereIs) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"up", "no column 'up'; there are: s, l, ll, m, f, Up, blob"},
      {"S.a", "no column 'S'; there are: s,"},
      {"s.z", "no field 'z' in 's'; there are: a, b, `E.f`"},
      {"s.b.z", "no field 'z' in 's.b'; there are: c, d"},
      {"s.a.z", "no field 'z' in 's.a'; there are none"},
      {"l.x", "no field 'x' in 'l'; there are: item"},
      {"s.E.f", "no field 'E' in 's'"},
  };
  for (const auto& [path, message] : cases) {
    const auto projected = Projected({path});
    ASSERT_THAT(projected, FailsWith(ErrorCode::kNotFound)) << path;
    EXPECT_THAT(projected.status().message(), HasSubstr(message));
  }
}

TEST(ProjectPathsTest, RefusesWhatCannotBeRead) {
  EXPECT_THAT(Projected({"Up", "Up"}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Projected({"s.a", "Up", "`s`.a"}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Projected({"s."}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Projected({"blob.data"}), FailsWith(ErrorCode::kInvalidArgument));
  for (const std::vector<std::string>& paths :
       std::vector<std::vector<std::string>>{{"m.entries.key"},
                                             {"m.entries.value"},
                                             {"m.entries.value.x"},
                                             {"m.entries.value", "m.entries.key"}}) {
    const auto projected = Projected(paths);
    ASSERT_THAT(projected, FailsWith(ErrorCode::kInvalidArgument)) << paths[0];
    EXPECT_THAT(projected.status().message(), HasSubstr("map 'm'"));
  }
}

TEST(ProjectPathsTest, ListsOnlySomeOfManyNames) {
  arrow::FieldVector fields;
  for (int i = 0; i < 1000; ++i) {
    fields.push_back(arrow::field("c" + std::to_string(i), arrow::int8()));
  }
  ASSERT_OK_AND_ASSIGN(const Schema schema, Schema::FromArrow(arrow::Schema(fields)));
  const auto projected = schema.ProjectPaths(std::vector<std::string>{"d"});
  ASSERT_THAT(projected, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(projected.status().message(), HasSubstr("c18, c19 and 980 more"));
}

TEST(ResolveTest, GivesTheFieldsFromTheTopDown) {
  const Schema schema = Nested();
  ASSERT_OK_AND_ASSIGN(const auto path, schema.Resolve("s.b.d"));
  std::vector<int32_t> ids;
  for (const Field* field : path) ids.push_back(field->id);
  EXPECT_THAT(ids, ElementsAre(0, 2, 4));
}

}  // namespace
}  // namespace tusk::lance
