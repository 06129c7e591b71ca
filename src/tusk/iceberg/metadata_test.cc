#include "tusk/iceberg/metadata.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/iceberg/json_document.h"
#include "tusk/iceberg/metadata_edit.h"
#include "tusk/iceberg/schema.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

using Json = nlohmann::json;

/// A version 2 document as another writer may leave it, with members that we do not know.
constexpr std::string_view kForeign = R"json({
  "format-version": 2,
  "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
  "location": "/lake/t",
  "last-sequence-number": 34,
  "last-updated-ms": 1602638573590,
  "last-column-id": 3,
  "current-schema-id": 1,
  "schemas": [
    {"type": "struct", "schema-id": 0,
     "fields": [{"id": 1, "name": "x", "required": true, "type": "long"}]},
    {"type": "struct", "schema-id": 1, "identifier-field-ids": [1],
     "fields": [{"id": 1, "name": "x", "required": true, "type": "long"},
                {"id": 2, "name": "y", "required": false, "type": "string", "doc": "comment"},
                {"id": 3, "name": "z", "required": false, "type": "decimal(9, 2)"}]}],
  "default-spec-id": 0,
  "partition-specs": [{"spec-id": 0, "fields": []}],
  "last-partition-id": 999,
  "default-sort-order-id": 0,
  "sort-orders": [{"order-id": 0, "fields": []}],
  "properties": {"read.split.target.size": "134217728"},
  "current-snapshot-id": 3055729675574597004,
  "snapshots": [
    {"snapshot-id": 3055729675574597004, "parent-snapshot-id": 3051729675574597004,
     "timestamp-ms": 1555100955770, "sequence-number": 1, "summary": {"operation": "append"},
     "manifest-list": "/lake/t/metadata/2.avro", "schema-id": 1, "x-snapshot": {"kept": true}},
    {"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770, "sequence-number": 0,
     "summary": {"operation": "append"}, "manifest-list": "/lake/t/metadata/1.avro"}],
  "snapshot-log": [{"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770},
                   {"snapshot-id": 3055729675574597004, "timestamp-ms": 1555100955770}],
  "metadata-log": [],
  "refs": {"main": {"snapshot-id": 3055729675574597004, "type": "branch",
                    "max-ref-age-ms": 9007199254740993},
           "audit": {"snapshot-id": 3051729675574597004, "type": "tag"}},
  "x-tool": {"nested": [1, 2.5, null, "ü"]}
})json";

/// kForeign with `change` applied.
template <typename Change>
std::string Changed(Change change) {
  Json document = Json::parse(kForeign);
  change(document);
  return document.dump();
}

MetadataSnapshot NextSnapshot() {
  MetadataSnapshot snapshot;
  snapshot.info = {.snapshot_id = 77,
                   .parent_snapshot_id = 3055729675574597004,
                   .sequence_number = 35,
                   .timestamp_ms = 1602638573591,
                   .summary = {{"operation", "append"}}};
  snapshot.manifest_list = "/lake/t/metadata/3.avro";
  snapshot.schema_id = 1;
  return snapshot;
}

TEST(MetadataTest, ReadsVersion2) {
  ASSERT_OK_AND_ASSIGN(const TableMetadata metadata, ParseMetadata(kForeign));
  EXPECT_EQ(metadata.format_version, 2);
  EXPECT_EQ(metadata.uuid, "9c12d441-03fe-4693-9a96-a0705ddf69c1");
  EXPECT_EQ(metadata.location, "/lake/t");
  EXPECT_EQ(metadata.last_sequence_number, 34);
  EXPECT_EQ(metadata.schemas.size(), 2U);
  EXPECT_EQ(metadata.schema()->num_fields(), 3);
  EXPECT_FALSE(metadata.schema()->field(0)->nullable());
  EXPECT_TRUE(metadata.schema()->field(2)->type()->Equals(*arrow::decimal128(9, 2)));
  EXPECT_EQ(FieldId(*metadata.schema()->field(2)), 3);
  EXPECT_TRUE(metadata.spec().fields.empty());
  ASSERT_EQ(metadata.snapshot_log.size(), 2U);
  EXPECT_EQ(metadata.snapshot_log[1].timestamp_ms, 1555100955770);
  ASSERT_EQ(metadata.refs.size(), 2U);
  EXPECT_EQ(metadata.refs.at("main").max_ref_age_ms, 9007199254740993);
  EXPECT_TRUE(metadata.refs.at("audit").is_tag);
  EXPECT_EQ(metadata.current_snapshot_id, 3055729675574597004);
  // Ascending by sequence number, whatever the order in the file.
  ASSERT_EQ(metadata.snapshots.size(), 2U);
  EXPECT_EQ(metadata.snapshots[0].info.snapshot_id, 3051729675574597004);
  EXPECT_EQ(metadata.snapshots[0].info.parent_snapshot_id, std::nullopt);
  EXPECT_EQ(metadata.snapshots[1].info.parent_snapshot_id, 3051729675574597004);
  EXPECT_EQ(metadata.snapshots[1].schema_id, 1);
  EXPECT_EQ(metadata.snapshots[1].info.summary.at("operation"), "append");
}

TEST(MetadataTest, ReadsVersion1) {
  // The oldest form: one schema, one spec, no ids for them, "no snapshot" as -1.
  ASSERT_OK_AND_ASSIGN(const TableMetadata metadata, ParseMetadata(R"json({
    "format-version": 1, "location": "/lake/t", "last-updated-ms": 1602638573874,
    "last-column-id": 1,
    "schema": {"type": "struct",
               "fields": [{"id": 1, "name": "x", "required": true, "type": "long"}]},
    "partition-spec": [{"name": "x", "transform": "identity", "source-id": 1, "field-id": 1000}],
    "properties": {}, "current-snapshot-id": -1, "snapshots": []})json"));
  EXPECT_EQ(metadata.format_version, 1);
  EXPECT_EQ(metadata.schema()->num_fields(), 1);
  EXPECT_THAT(metadata.spec().fields,
              testing::ElementsAre(
                  PartitionField{.source_id = 1, .field_id = 1000, .name = "x", .transform = {}}));
  EXPECT_EQ(metadata.current_snapshot_id, std::nullopt);
}

TEST(MetadataTest, NamesLaterVersions) {
  for (const int version : {0, 3, 4}) {
    const auto metadata = ParseMetadata(Changed([&](Json& d) { d["format-version"] = version; }));
    EXPECT_THAT(metadata, FailsWith(ErrorCode::kUnsupported));
    EXPECT_THAT(metadata.status().message(), testing::HasSubstr(std::to_string(version)));
  }
}

TEST(MetadataTest, RefusesMissingAndContradictoryMembers) {
  for (const std::string member :
       {"format-version", "table-uuid", "location", "last-updated-ms", "last-sequence-number",
        "schemas", "current-schema-id", "partition-specs", "default-spec-id"}) {
    EXPECT_THAT(ParseMetadata(Changed([&](Json& d) { d.erase(member); })),
                FailsWith(ErrorCode::kCorrupt))
        << member;
    EXPECT_THAT(ParseMetadata(Changed([&](Json& d) { d[member] = Json::array({true}); })),
                FailsWith(ErrorCode::kCorrupt))
        << member;
  }
  EXPECT_THAT(ParseMetadata(Changed([](Json& d) { d["current-schema-id"] = 5; })),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(ParseMetadata(Changed([](Json& d) { d["current-snapshot-id"] = 5; })),
              FailsWith(ErrorCode::kCorrupt));
  // One field id twice.
  EXPECT_THAT(ParseMetadata(Changed([](Json& d) { d["schemas"][1]["fields"][1]["id"] = 1; })),
              FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(
      ParseMetadata(Changed([](Json& d) { d["last-sequence-number"] = 18446744073709551615ULL; })),
      FailsWith(ErrorCode::kCorrupt));
}

TEST(MetadataTest, RefusesEveryTruncation) {
  for (size_t size = 0; size + 1 < kForeign.size(); ++size) {
    EXPECT_THAT(ParseMetadata(kForeign.substr(0, size)), FailsWith(ErrorCode::kCorrupt)) << size;
  }
  EXPECT_THAT(ParseMetadata(std::string(1 << 20, '[')), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(ParseMetadata(std::string(100'000, '[') + std::string(100'000, ']')),
              FailsWith(ErrorCode::kCorrupt));
}

/// `base` with one more snapshot on main.
Result<std::string> WithSnapshot(const TableMetadata& base, std::string_view base_location) {
  ARROW_ASSIGN_OR_RAISE(MetadataEdit edit, MetadataEdit::Of(base, base_location));
  const MetadataSnapshot snapshot = NextSnapshot();
  ARROW_RETURN_NOT_OK(edit.AddSnapshot(snapshot, kMainBranch));
  return edit.Finish(snapshot.info.timestamp_ms);
}

Result<std::string> NewTableDocument(std::map<std::string, std::string> properties) {
  ARROW_ASSIGN_OR_RAISE(
      MetadataEdit edit,
      MetadataEdit::OfNewTable(
          {.uuid = "u",
           .location = "/lake/t",
           .schema = arrow::schema({WithFieldId(arrow::field("a", arrow::int32()), 1)}),
           .spec = {},
           .properties = std::move(properties)},
          5));
  return edit.Finish(5);
}

TEST(MetadataTest, ChangesOnlyWhatASnapshotChanges) {
  ASSERT_OK_AND_ASSIGN(const TableMetadata base, ParseMetadata(kForeign));
  ASSERT_OK_AND_ASSIGN(const std::string text,
                       WithSnapshot(base, "/lake/t/metadata/00005-a.metadata.json"));
  Json expected = Json::parse(kForeign);
  expected["last-sequence-number"] = 35;
  expected["last-updated-ms"] = 1602638573591;
  expected["current-snapshot-id"] = 77;
  expected["refs"]["main"]["snapshot-id"] = 77;
  expected["snapshots"].push_back(Json{{"snapshot-id", 77},
                                       {"parent-snapshot-id", 3055729675574597004},
                                       {"sequence-number", 35},
                                       {"timestamp-ms", 1602638573591},
                                       {"summary", {{"operation", "append"}}},
                                       {"manifest-list", "/lake/t/metadata/3.avro"},
                                       {"schema-id", 1}});
  expected["snapshot-log"].push_back(Json{{"snapshot-id", 77}, {"timestamp-ms", 1602638573591}});
  expected["metadata-log"].push_back(
      Json{{"metadata-file", "/lake/t/metadata/00005-a.metadata.json"},
           {"timestamp-ms", 1602638573590}});
  EXPECT_EQ(Json::parse(text), expected);
}

TEST(MetadataTest, BoundsTheMetadataLogByTheTablesProperty) {
  const std::string text = Changed([](Json& d) {
    d["properties"]["write.metadata.previous-versions-max"] = "2";
    for (int i = 0; i < 5; ++i) {
      d["metadata-log"].push_back(
          Json{{"metadata-file", "/lake/t/metadata/" + std::to_string(i)}, {"timestamp-ms", i}});
    }
  });
  ASSERT_OK_AND_ASSIGN(const TableMetadata base, ParseMetadata(text));
  ASSERT_OK_AND_ASSIGN(const std::string next, WithSnapshot(base, "/last"));
  const Json log = Json::parse(next)["metadata-log"];
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log[0]["metadata-file"], "/lake/t/metadata/4");
  EXPECT_EQ(log[1]["metadata-file"], "/last");
}

TEST(MetadataTest, WritesWhatVersion2Requires) {
  ASSERT_OK_AND_ASSIGN(const std::string text, NewTableDocument({{"k", "v"}}));
  const Json document = Json::parse(text);
  // The column "v2 required" of the specification's table metadata fields.
  for (const std::string member :
       {"format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms",
        "last-column-id", "schemas", "current-schema-id", "partition-specs", "default-spec-id",
        "last-partition-id", "sort-orders", "default-sort-order-id"}) {
    EXPECT_TRUE(document.contains(member)) << member;
  }
  EXPECT_EQ(document["last-partition-id"], 999);
  EXPECT_EQ(document["last-column-id"], 1);
  EXPECT_FALSE(document.contains("current-snapshot-id"));
  ASSERT_OK_AND_ASSIGN(const TableMetadata read, ParseMetadata(text));
  const auto schema = arrow::schema({WithFieldId(arrow::field("a", arrow::int32()), 1)});
  EXPECT_TRUE(read.schema()->Equals(*schema, /*check_metadata=*/true));
  EXPECT_EQ(read.properties.at("k"), "v");
}

TEST(MetadataTest, RefusesToWriteTextThatIsNotUtf8) {
  EXPECT_THAT(NewTableDocument({{"k", "\xFF"}}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(MetadataTest, RefusesReferencesThatContradictIt) {
  const auto with_ref = [](const char* name, const Json& ref) {
    return Changed([&](Json& d) { d["refs"][name] = ref; });
  };
  for (const Json& ref : {Json{{"snapshot-id", 5}, {"type", "tag"}},
                          Json{{"snapshot-id", 3051729675574597004}, {"type", "wish"}},
                          Json{{"type", "branch"}}, Json("main")}) {
    EXPECT_THAT(ParseMetadata(with_ref("x", ref)), FailsWith(ErrorCode::kCorrupt)) << ref.dump();
  }
  // The branch main is the table.
  EXPECT_THAT(ParseMetadata(
                  with_ref("main", Json{{"snapshot-id", 3051729675574597004}, {"type", "branch"}})),
              FailsWith(ErrorCode::kCorrupt));
}

TEST(MetadataTest, RefusesIdsThatLeaveNoneForFurtherFields) {
  for (const char* member : {"last-column-id", "last-partition-id"}) {
    EXPECT_THAT(ParseMetadata(Changed([&](Json& d) { d[member] = 2147483647; })),
                FailsWith(ErrorCode::kCorrupt))
        << member;
  }
  // A new column must not get the id of one that is there, whatever the document says.
  ASSERT_OK_AND_ASSIGN(const TableMetadata metadata,
                       ParseMetadata(Changed([](Json& d) { d["last-column-id"] = 1; })));
  EXPECT_EQ(metadata.last_column_id, 3);
}

TEST(MetadataTest, RefusesNumbersThatLeaveNoneForAFurtherSnapshot) {
  for (const char* member : {"last-sequence-number", "last-updated-ms"}) {
    EXPECT_THAT(ParseMetadata(Changed([&](Json& d) { d[member] = 9223372036854775807; })),
                FailsWith(ErrorCode::kCorrupt))
        << member;
  }
}

TEST(MetadataTest, FindsEqualSchemasAndSpecsAgain) {
  ASSERT_OK_AND_ASSIGN(const TableMetadata base, ParseMetadata(kForeign));
  const auto apply = [&](const std::shared_ptr<arrow::Schema>& schema, const PartitionSpec& spec) {
    auto edit = MetadataEdit::Of(base, "/last").ValueOrDie();
    EXPECT_OK(edit.SetSchema(schema, 4));
    EXPECT_OK(edit.SetSpec(spec));
    return Json::parse(edit.Finish(6).ValueOrDie());
  };
  const Json same = apply(base.schema(), base.spec());
  EXPECT_EQ(same["schemas"].size(), 2U);
  EXPECT_EQ(same["current-schema-id"], 1);
  EXPECT_EQ(same["partition-specs"].size(), 1U);
  const auto wider =
      base.schema()->AddField(3, WithFieldId(arrow::field("new", arrow::int64()), 4)).ValueOrDie();
  const PartitionSpec by_x{
      .fields = {{.source_id = 1, .field_id = 1000, .name = "x", .transform = {}}}};
  const Json other = apply(wider, by_x);
  ASSERT_EQ(other["schemas"].size(), 3U);
  EXPECT_EQ(other["current-schema-id"], 2);
  // What other writers said about the columns and their identity stays.
  EXPECT_EQ(other["schemas"][2]["identifier-field-ids"], Json::array({1}));
  EXPECT_EQ(other["schemas"][2]["fields"][1]["doc"], "comment");
  EXPECT_EQ(other["default-spec-id"], 1);
  EXPECT_EQ(other["last-partition-id"], 1000);
}

}  // namespace
}  // namespace tusk::iceberg
