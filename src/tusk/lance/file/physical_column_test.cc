#include "tusk/lance/file/physical_column.h"

#include <string>
#include <utility>
#include <vector>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;

/// The ids and kinds of all columns of `schema`.
std::vector<std::pair<int32_t, ColumnKind>> ColumnsOf(const arrow::Schema& schema,
                                                      uint16_t minor_version) {
  const Schema ours = Schema::FromArrow(schema).ValueOrDie();
  std::vector<std::pair<int32_t, ColumnKind>> columns;
  for (const Field& field : ours.fields) {
    const auto own = PhysicalColumns(field, minor_version);
    EXPECT_EQ(CountPhysicalColumns(field, minor_version), static_cast<int64_t>(own.size()));
    for (const PhysicalColumn& column : own) columns.emplace_back(column.field->id, column.kind);
  }
  return columns;
}

std::shared_ptr<arrow::DataType> Point() {
  return arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("y", arrow::int32())});
}

std::shared_ptr<const arrow::KeyValueMetadata> Key(const char* key, const char* value) {
  return arrow::key_value_metadata({{key, value}});
}

// The expected columns are those of files that pylance 14.0.2 wrote.

TEST(PhysicalColumnTest, AreLeavesFrom21On) {
  const arrow::Schema schema({
      arrow::field("l", arrow::list(arrow::large_list(arrow::int8()))),
      arrow::field("s", arrow::struct_({arrow::field("e", arrow::struct_({})),
                                        arrow::field("p", arrow::list(Point()))})),
      arrow::field("m", arrow::map(arrow::utf8(), arrow::int8())),
      arrow::field("f", arrow::fixed_size_list(Point(), 2)),
      arrow::field("v", arrow::fixed_size_list(arrow::float32(), 2)),
      arrow::field("d", arrow::dictionary(arrow::int8(), arrow::utf8())),
  });
  using enum ColumnKind;
  for (const uint16_t version : {1, 2}) {
    EXPECT_THAT(ColumnsOf(schema, version),
                ElementsAre(std::pair(2, kValues), std::pair(4, kValues), std::pair(7, kValues),
                            std::pair(8, kValues), std::pair(11, kValues), std::pair(12, kValues),
                            std::pair(15, kValues), std::pair(16, kValues), std::pair(17, kValues),
                            std::pair(18, kValues)));
  }
}

TEST(PhysicalColumnTest, BelongToListsAndStructsIn20) {
  const arrow::Schema schema({
      arrow::field("l", arrow::list(arrow::large_list(arrow::int8()))),
      arrow::field("s", arrow::struct_({arrow::field("e", arrow::struct_({})),
                                        arrow::field("p", arrow::list(Point()))})),
      arrow::field("f", arrow::fixed_size_list(Point(), 2)),
      arrow::field("v", arrow::fixed_size_list(arrow::float32(), 2)),
  });
  using enum ColumnKind;
  EXPECT_THAT(ColumnsOf(schema, 0),
              ElementsAre(std::pair(0, kListOffsets), std::pair(1, kListOffsets),
                          std::pair(2, kValues), std::pair(3, kStruct), std::pair(4, kStruct),
                          std::pair(5, kListOffsets), std::pair(6, kStruct), std::pair(7, kValues),
                          std::pair(8, kValues), std::pair(9, kValues), std::pair(13, kValues)));
}

TEST(PhysicalColumnTest, HoldPackedStructsWhole) {
  using enum ColumnKind;
  const auto columns = [](const char* key, const char* value, uint16_t version) {
    return ColumnsOf(arrow::Schema({arrow::field("p", Point(), true, Key(key, value))}), version);
  };
  for (const uint16_t version : {0, 1, 2}) {
    for (const char* key : {"packed", "lance-encoding:packed"}) {
      for (const char* value : {"true", "Yes", "1"}) {
        EXPECT_THAT(columns(key, value, version), ElementsAre(std::pair(0, kPackedStruct)));
      }
    }
  }
  EXPECT_THAT(columns("lance-encoding:packed", "false", 2),
              ElementsAre(std::pair(1, kValues), std::pair(2, kValues)));
  EXPECT_THAT(columns("packed", "false", 0),
              ElementsAre(std::pair(0, kStruct), std::pair(1, kValues), std::pair(2, kValues)));
  // Version 2.0 is written so although pylance itself cannot read it back.
  EXPECT_THAT(columns("lance-encoding:packed", "false", 0),
              ElementsAre(std::pair(0, kPackedStruct)));
  // Only structs are packed.
  EXPECT_THAT(
      ColumnsOf(
          arrow::Schema({arrow::field("l", arrow::list(Point()), true, Key("packed", "true"))}), 2),
      ElementsAre(std::pair(2, kValues), std::pair(3, kValues)));
}

TEST(PhysicalColumnTest, HoldBlobsWhole) {
  using enum ColumnKind;
  const auto v2 = arrow::struct_(
      {arrow::field("data", arrow::large_binary()), arrow::field("uri", arrow::utf8())});
  const arrow::Schema schema(
      {arrow::field("a", arrow::large_binary(), true, Key("lance-encoding:blob", "true")),
       arrow::field("b", v2, true, Key("ARROW:extension:name", "lance.blob.v2")),
       arrow::field("x", arrow::int8())});
  EXPECT_THAT(ColumnsOf(schema, 2),
              ElementsAre(std::pair(0, kBlob), std::pair(1, kBlob), std::pair(4, kValues)));
}

}  // namespace
}  // namespace tusk::lance
