#include "tusk/lance/table/field_parts.h"

#include <cstring>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/json/from_string.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

Field Leaf(std::string name, int32_t id, std::string logical_type = "int32") {
  Field field;
  field.name = std::move(name);
  field.id = id;
  field.logical_type = std::move(logical_type);
  return field;
}

Field Parent(std::string name, int32_t id, std::string logical_type, std::vector<Field> children) {
  Field field = Leaf(std::move(name), id, std::move(logical_type));
  for (Field& child : children) child.parent_id = id;
  field.children = std::move(children);
  return field;
}

/// s: struct<a, b: struct<c: string, d>, l: list<struct<e>>>
Field Whole() {
  return Parent("s", 0, "struct",
                {Leaf("a", 1), Parent("b", 2, "struct", {Leaf("c", 3, "string"), Leaf("d", 4)}),
                 Parent("l", 5, "list.struct", {Parent("item", 6, "struct", {Leaf("e", 7)})})});
}

DataFile File(std::vector<int32_t> ids, std::vector<int32_t> columns, uint32_t minor = 2) {
  DataFile file;
  file.path = "f.lance";
  file.field_ids = std::move(ids);
  file.column_indices = std::move(columns);
  file.minor_version = minor;
  return file;
}

/// The fields as "s{a, b{d}}".
std::string Outline(const Field& field) {
  std::string text = field.name;
  for (size_t i = 0; i < field.children.size(); ++i) {
    text += (i == 0 ? "{" : ", ") + Outline(field.children[i]);
  }
  return field.children.empty() ? text : text + "}";
}

/// The part of `field` in `file` as "outline: columns"; "nothing" if there is none.
std::string Part(const Field& field, const Field* whole, const DataFile& file) {
  const auto part = FindPart(field, whole, file);
  EXPECT_OK(part.status());
  if (!part.ok()) return part.status().ToString();
  if (!*part) return "nothing";
  std::string text = Outline((*part)->field) + ":";
  for (const int32_t column : (*part)->columns) text += " " + std::to_string(column);
  return text;
}

TEST(FindPartTest, KeepsWhatTheFileHasInTheOrderOfTheField) {
  const Field field = Whole();
  EXPECT_EQ(Part(field, nullptr, File({7, 4, 3, 1}, {0, 1, 2, 3})),
            "s{a, b{c, d}, l{item{e}}}: 3 2 1 0");
  EXPECT_EQ(Part(field, nullptr, File({4, 9}, {0, 1})), "s{b{d}}: 0");
  EXPECT_EQ(Part(field, nullptr, File({9, -2}, {0, 1})), "nothing");
  // Writers may list structs too, which have no column, and dropped fields.
  EXPECT_EQ(Part(field, nullptr, File({0, 1, 2, 4}, {-1, 0, -1, 1})), "s{a, b{d}}: 0 1");
  EXPECT_EQ(Part(field, nullptr, File({1}, {-1})), "nothing");
}

TEST(FindPartTest, InDataVersion20StructsAndListsHaveColumns) {
  const Field field = Whole();
  EXPECT_EQ(Part(field, nullptr, File({0, 1, 2, 3, 4, 5, 6, 7}, {0, 1, 2, 3, 4, 5, 6, 7}, 0)),
            "s{a, b{c, d}, l{item{e}}}: 0 1 2 3 4 5 6 7");
  EXPECT_EQ(Part(field, nullptr, File({0, 1, 5, 6, 7}, {0, 1, 2, 3, 4}, 0)),
            "s{a, l{item{e}}}: 0 1 2 3 4");
  EXPECT_THAT(FindPart(field, nullptr, File({1, 2, 3}, {0, 1, 2}, 0)),
              FailsWith(ErrorCode::kUnsupported));
}

TEST(FindPartTest, TakesALeafThatIsLeftOutForTheNullsOfItsParents) {
  const Field whole = Whole();
  Field asked = whole;
  asked.children = {asked.children[0]};  // s{a}
  EXPECT_EQ(Part(asked, &whole, File({1, 4}, {0, 1})), "s{a}: 0");
  EXPECT_EQ(Part(asked, nullptr, File({3, 4}, {0, 1})), "nothing");
  // Of fixed width and in no list if there is one.
  EXPECT_EQ(Part(asked, &whole, File({7, 3, 4}, {0, 1, 2})), "s{b{d}}: 2");
  EXPECT_EQ(Part(asked, &whole, File({7, 3}, {0, 1})), "s{b{c}}: 1");
  EXPECT_EQ(Part(asked, &whole, File({7}, {0})), "s{l{item{e}}}: 0");
  EXPECT_EQ(Part(asked, &whole, File({9}, {0})), "nothing");
}

TEST(FindPartTest, RefusesAFieldWithoutAColumn) {
  EXPECT_THAT(FindPart(Leaf("x", 1), nullptr, File({0, 1}, {0})), FailsWith(ErrorCode::kCorrupt));
}

std::shared_ptr<arrow::DataType> TypeOf(const Field& field) {
  return (*ToArrowField(field))->type();
}

std::shared_ptr<arrow::Array> Rows(const Field& field, std::string_view json) {
  return *arrow::json::ArrayFromJSONString(TypeOf(field), json);
}

void ExpectRows(const Field& field, std::span<const FieldPart> parts, int64_t length,
                std::string_view json) {
  ASSERT_OK_AND_ASSIGN(const auto rows, PutTogether(field, TypeOf(field), parts, length,
                                                    arrow::default_memory_pool()));
  EXPECT_OK(rows->ValidateFull());
  EXPECT_TRUE(rows->Equals(*Rows(field, json))) << rows->ToString();
}

Field With(Field field, std::vector<Field> children) {
  field.children = std::move(children);
  return field;
}

TEST(PutTogetherTest, AStructIsThereIfAnyPartHasIt) {
  const Field field = Parent("s", 0, "struct", {Leaf("a", 1), Leaf("b", 2), Leaf("x", 3)});
  const Field with_a = With(field, {field.children[0]});
  const Field with_b = With(field, {field.children[1]});
  const FieldPart parts[] = {{&with_b, Rows(with_b, R"([{"b": 1}, null, {"b": 3}, null])")},
                             {&with_a, Rows(with_a, R"([{"a": 5}, {"a": 6}, null, null])")}};
  ExpectRows(field, parts, 4,
             R"([{"a": 5, "b": 1, "x": null}, {"a": 6, "b": null, "x": null},
                 {"a": null, "b": 3, "x": null}, null])");
  // What lies below a null struct is not seen through another part.
  const auto hidden = *arrow::StructArray::Make(
      {Rows(Leaf("a", 1), "[7, 8]")}, std::vector<std::string>{"a"},
      *arrow::AllocateBitmap(2, arrow::default_memory_pool()), /*null_count=*/2);
  std::memset(hidden->data()->buffers[0]->mutable_data(), 0, 1);
  const FieldPart masked[] = {{&with_b, Rows(with_b, R"([{"b": 1}, {"b": 2}])")},
                              {&with_a, hidden}};
  ExpectRows(field, masked, 2, R"([{"a": null, "b": 1, "x": null},
                                   {"a": null, "b": 2, "x": null}])");
}

TEST(PutTogetherTest, NoPartAtAllIsNull) { ExpectRows(Whole(), {}, 2, "[null, null]"); }

TEST(PutTogetherTest, ItemsOfListsComeFromAllParts) {
  for (const char* type : {"list.struct", "large_list.struct"}) {
    const Field item = Parent("item", 1, "struct", {Leaf("x", 2), Leaf("y", 3)});
    const Field field = Parent("l", 0, type, {item});
    const Field with_x = With(field, {With(item, {item.children[0]})});
    const Field with_y = With(field, {With(item, {item.children[1]})});
    // Slices begin anywhere.
    const auto xs = Rows(with_x, R"([[{"x": 9}], [{"x": 1}, null], null, [], [{"x": 4}]])");
    const auto ys = Rows(with_y, R"([[{"y": 5}, {"y": 6}], null, [], [{"y": null}]])");
    const FieldPart parts[] = {{&with_x, xs->Slice(1)}, {&with_y, ys}};
    ExpectRows(field, parts, 4,
               R"([[{"x": 1, "y": 5}, {"x": null, "y": 6}], null, [], [{"x": 4, "y": null}]])");
    const FieldPart uneven[] = {{&with_x, xs->Slice(0, 4)}, {&with_y, ys}};
    EXPECT_THAT(PutTogether(field, TypeOf(field), uneven, 4, arrow::default_memory_pool()),
                FailsWith(ErrorCode::kCorrupt));
  }
}

TEST(PutTogetherTest, ItemsOfFixedSizeListsComeFromAllParts) {
  const Field item = Parent("item", 1, "struct", {Leaf("x", 2), Leaf("y", 3)});
  const Field field = Parent("f", 0, "fixed_size_list:struct:2", {item});
  const Field with_x = With(field, {With(item, {item.children[0]})});
  const FieldPart parts[] = {
      {&with_x, Rows(with_x, R"([[{"x": 1}, {"x": 2}], null, [null, {"x": 3}]])")->Slice(1)}};
  ExpectRows(field, parts, 2, R"([null, [null, {"x": 3, "y": null}]])");
}

TEST(PutTogetherTest, WhatIsWholeIsNotTouched) {
  const Field field = Whole();
  const FieldPart parts[] = {{&field, Rows(field, R"([{"a": 1, "b": null, "l": []}, null])")}};
  ASSERT_OK_AND_ASSIGN(const auto rows,
                       PutTogether(field, TypeOf(field), parts, 2, arrow::default_memory_pool()));
  EXPECT_EQ(rows, parts[0].rows);
}

TEST(PutTogetherTest, APartOfAnotherTypeIsRefused) {
  const Field field = Parent("s", 0, "struct", {Leaf("a", 1), Leaf("b", 2)});
  const Field stored = Parent("s", 0, "struct", {Leaf("a", 1, "int8"), Leaf("b", 2)});
  for (const Field& part : {stored, With(stored, {stored.children[0]}), Leaf("s", 0)}) {
    const FieldPart parts[] = {{&part, *arrow::MakeArrayOfNull(TypeOf(part), 3)}};
    EXPECT_THAT(PutTogether(field, TypeOf(field), parts, 3, arrow::default_memory_pool()),
                FailsWith(ErrorCode::kCorrupt));
  }
  // Only another name is fine.
  const Field renamed = Parent("s", 0, "struct", {Leaf("a", 1), Leaf("c", 2)});
  const FieldPart parts[] = {{&renamed, Rows(renamed, R"([{"a": 1, "c": 2}])")}};
  ExpectRows(field, parts, 1, R"([{"a": 1, "b": 2}])");
}

TEST(CheckPartsTest, FieldsThatMustNotBeNullMustBeInAPart) {
  Field field = Parent("s", 0, "struct", {Leaf("a", 1), Parent("b", 2, "struct", {Leaf("c", 3)})});
  const Field with_a = With(field, {field.children[0]});
  const FieldPart parts[] = {{&with_a, nullptr}};
  field.children[1].children[0].nullable = false;
  EXPECT_OK(CheckParts(field, parts));  // c is not missing in a struct that is null
  field.children[1].nullable = false;
  EXPECT_THAT(CheckParts(field, parts), FailsWith(ErrorCode::kCorrupt));
  EXPECT_OK(CheckParts(field, {}));
  field.nullable = false;
  EXPECT_THAT(CheckParts(field, {}), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace tusk::lance
