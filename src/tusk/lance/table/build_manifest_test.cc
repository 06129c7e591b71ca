#include "tusk/lance/table/build_manifest.h"

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/row_ids.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;
using testing::Pair;

/// See manifest_file_test.cc.
Manifest PylanceManifest() {
  std::ifstream file(TUSK_CORPUS_DIR "/lance_table/pylance_index_deletions.manifest",
                     std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  int64_t read_more = 0;
  return ParseManifestFile(bytes, static_cast<int64_t>(bytes.size()), &read_more).ValueOrDie();
}

Field Int64Field(int32_t id) {
  Field field;
  field.name = "x";
  field.id = id;
  field.logical_type = "int64";
  return field;
}

Fragment OneFile(int64_t rows, int32_t field_id) {
  Fragment fragment;
  fragment.physical_rows = rows;
  DataFile& file = fragment.files.emplace_back();
  file.path = "f.lance";
  file.field_ids = {field_id};
  file.column_indices = {0};
  return fragment;
}

std::vector<Fragment> Fragments(const std::vector<int64_t>& fragment_rows) {
  std::vector<Fragment> fragments;
  for (const int64_t rows : fragment_rows) fragments.push_back(OneFile(rows, 0));
  return fragments;
}

Transaction Append(const std::vector<int64_t>& fragment_rows) {
  return {.uuid = "u", .operation = AppendRows{.fragments = Fragments(fragment_rows)}};
}

Transaction Overwrite(const std::vector<int64_t>& fragment_rows) {
  OverwriteTable overwrite{.fragments = Fragments(fragment_rows)};
  overwrite.schema.fields.push_back(Int64Field(0));
  return {.uuid = "u", .operation = std::move(overwrite)};
}

Result<Manifest> BuildNext(const Transaction& transaction, const Manifest& previous) {
  ARROW_ASSIGN_OR_RAISE(VersionContent content, BuildNextManifest(transaction, previous, {}, 9));
  return std::move(content.manifest);
}

std::vector<uint64_t> RowIds(const Fragment& fragment) {
  const RowIdSequence sequence = RowIdSequence::Parse(*fragment.row_ids).ValueOrDie();
  std::vector<uint64_t> ids(sequence.length());
  sequence.Fill(0, ids);
  return ids;
}

TEST(BuildManifestTest, GivesTheFirstFragmentsTheFirstIds) {
  ASSERT_OK_AND_ASSIGN(const Manifest manifest, BuildFirstManifest(Overwrite({3, 2}), false, 5));
  EXPECT_EQ(manifest.version, 1);
  EXPECT_EQ(manifest.reader_flags, 0);
  EXPECT_EQ(manifest.max_fragment_id, 1);
  EXPECT_EQ(manifest.fragments[1].id, 1);
  EXPECT_FALSE(manifest.fragments[1].row_ids);
  EXPECT_EQ(manifest.next_row_id, 0);
  EXPECT_EQ(manifest.transaction_file, "0-u.txn");
}

TEST(BuildManifestTest, GivesStableRowIdsWhenAsked) {
  ASSERT_OK_AND_ASSIGN(const Manifest manifest, BuildFirstManifest(Overwrite({3, 2}), true, 5));
  EXPECT_EQ(manifest.reader_flags, kFlagStableRowIds);
  EXPECT_EQ(manifest.writer_flags, kFlagStableRowIds);
  EXPECT_THAT(RowIds(manifest.fragments[1]), ElementsAre(3, 4));
  EXPECT_EQ(manifest.next_row_id, 5);
  EXPECT_EQ(manifest.fragments[1].created_at_versions, SerializeUniformVersion(2, 1));
}

TEST(BuildManifestTest, HasNoFragmentIdBeforeTheFirstRow) {
  ASSERT_OK_AND_ASSIGN(const Manifest manifest, BuildFirstManifest(Overwrite({}), true, 5));
  EXPECT_FALSE(manifest.max_fragment_id);
}

TEST(BuildManifestTest, KeepsWhatAnAppendDoesNotChange) {
  const Manifest previous = PylanceManifest();
  ASSERT_OK_AND_ASSIGN(const Manifest next, BuildNext(Append({4}), previous));
  EXPECT_EQ(next.version, 7);
  EXPECT_EQ(next.timestamp_ns, 9);
  EXPECT_EQ(next.reader_flags, previous.reader_flags);
  EXPECT_EQ(next.writer_flags, previous.writer_flags);
  EXPECT_EQ(next.config, previous.config);
  EXPECT_EQ(next.carried, previous.carried);
  EXPECT_EQ(next.encoded_schema, previous.encoded_schema);
  ASSERT_EQ(next.fragments.size(), 4);
  EXPECT_TRUE(next.fragments[0].deletion_file);
  EXPECT_EQ(next.fragments[2].row_ids, previous.fragments[2].row_ids);
  EXPECT_EQ(next.fragments[3].id, 3);
  EXPECT_THAT(RowIds(next.fragments[3]), ElementsAre(1000, 1001, 1002, 1003));
  EXPECT_EQ(next.fragments[3].created_at_versions, SerializeUniformVersion(4, 7));
  EXPECT_EQ(next.next_row_id, 1004);
  EXPECT_EQ(next.max_fragment_id, 3);
}

TEST(BuildManifestTest, DropsRowsButNotHistoryOnOverwrite) {
  const Manifest previous = PylanceManifest();
  Transaction transaction = Overwrite({2});
  std::get<OverwriteTable>(transaction.operation).config_upserts = {{"owner", "other"},
                                                                    {"new", "key"}};
  ASSERT_OK_AND_ASSIGN(const Manifest next, BuildNext(transaction, previous));
  ASSERT_EQ(next.fragments.size(), 1);
  EXPECT_EQ(next.fragments[0].id, 3);
  EXPECT_THAT(RowIds(next.fragments[0]), ElementsAre(1000, 1001));
  EXPECT_EQ(next.reader_flags, kFlagStableRowIds);
  EXPECT_EQ(next.writer_flags, kFlagStableRowIds | kFlagTableConfig);
  EXPECT_THAT(next.config, ElementsAre(Pair("new", "key"), Pair("owner", "other")));
  ASSERT_EQ(next.schema.fields.size(), 1);
  // The schema that is written is the new one.
  ASSERT_OK_AND_ASSIGN(const Manifest again, ParseManifest(SerializeManifest(next)));
  ASSERT_EQ(again.schema.fields.size(), 1);
  EXPECT_EQ(again.schema.fields[0].name, "x");
  EXPECT_THAT(again.table_metadata, testing::Contains(Pair(testing::_, "a table")));
}

TEST(BuildManifestTest, NeverGivesAFragmentIdTwice) {
  Manifest previous = PylanceManifest();
  previous.fragments.pop_back();
  ASSERT_OK_AND_ASSIGN(Manifest next, BuildNext(Append({1}), previous));
  EXPECT_EQ(next.fragments.back().id, 3);
  previous.max_fragment_id.reset();  // as older writers left it
  ASSERT_OK_AND_ASSIGN(next, BuildNext(Append({1}), previous));
  EXPECT_EQ(next.fragments.back().id, 2);
  previous.max_fragment_id = ~uint32_t{0};
  EXPECT_THAT(BuildNext(Append({1}), previous), FailsWith(ErrorCode::kUnsupported));
}

TEST(BuildManifestTest, RefusesTablesItCouldBreak) {
  Manifest previous = PylanceManifest();
  previous.writer_flags |= kFlagFragmentReuseIndex;
  previous.reader_flags |= kFlagFragmentReuseIndex;
  EXPECT_THAT(BuildNext(Append({1}), previous), FailsWith(ErrorCode::kUnsupported));
}

// The operations on a table of three fragments of field 0 and one of field 1, with ids 0 to 2.

Manifest SmallTable() {
  OverwriteTable overwrite{.fragments = Fragments({10, 10, 10}), .config_upserts = {{"k", "v"}}};
  overwrite.schema.fields = {Int64Field(0), Int64Field(1)};
  overwrite.schema.fields[1].name = "y";
  for (Fragment& fragment : overwrite.fragments) {
    fragment.files.push_back(OneFile(10, 1).files[0]);
    fragment.files[1].path = "g.lance";
  }
  return BuildFirstManifest({.uuid = "u", .operation = overwrite}, false, 1).ValueOrDie();
}

IndexMetadata IndexOn(int32_t field, std::string uuid, std::vector<int64_t> fragments) {
  IndexMetadata index;
  index.uuid = std::move(uuid);
  index.name = "on " + std::to_string(field);
  index.field_ids = {field};
  index.fragments.emplace();
  for (const int64_t id : fragments) EXPECT_OK(index.fragments->Add(id, id + 1));
  return index;
}

std::vector<std::string> Names(const std::vector<IndexMetadata>& indices) {
  std::vector<std::string> names;
  for (const IndexMetadata& index : indices) names.push_back(index.uuid);
  return names;
}

Status Refusal(decltype(Transaction::operation) operation) {
  return BuildNext({.uuid = "u", .operation = std::move(operation)}, SmallTable()).status();
}

TEST(BuildManifestTest, ClearsAFlagWithTheLastThingThatNeedsIt) {
  Manifest manifest = SmallTable();
  EXPECT_EQ(manifest.writer_flags, kFlagTableConfig);
  Fragment deleted = manifest.fragments[1];
  deleted.deletion_file.emplace().num_deleted_rows = 1;
  ASSERT_OK_AND_ASSIGN(manifest,
                       BuildNext({.operation = DeleteRowsOp{.updated = {deleted}}}, manifest));
  EXPECT_EQ(manifest.reader_flags, kFlagDeletionFiles);
  ASSERT_OK_AND_ASSIGN(manifest, BuildNext({.operation = DeleteRowsOp{.removed = {1}}}, manifest));
  EXPECT_EQ(manifest.reader_flags, 0);
  const MapUpdate remove{.entries = {{.key = "k"}}};
  ASSERT_OK_AND_ASSIGN(manifest,
                       BuildNext({.operation = UpdateMetadata{.config = remove}}, manifest));
  EXPECT_EQ(manifest.writer_flags, 0);
  ASSERT_OK_AND_ASSIGN(
      manifest,
      BuildNext({.operation = AddBases{.bases = {{.path = "/a"}, {.path = "/b"}}}}, manifest));
  EXPECT_EQ(manifest.reader_flags, kFlagBasePaths);
  EXPECT_EQ(manifest.base_paths[1].id, 2);
  EXPECT_EQ(manifest.max_fragment_id, 2);
}

TEST(BuildManifestTest, RefusesOperationsThatDoNotFitTheTable) {
  Fragment with_deletions = OneFile(10, 0);
  with_deletions.deletion_file.emplace();
  const Manifest table = SmallTable();
  std::vector<Fragment> other_rows = table.fragments;
  other_rows[0].physical_rows = 9;
  const RewriteFragments::Group unreserved = {.before = {table.fragments[0]},
                                              .after = {table.fragments[1]}};
  for (const Status& status :
       {Refusal(AppendRows{.fragments = {with_deletions}}),
        Refusal(OverwriteTable{.fragments = {with_deletions}}),
        Refusal(OverwriteTable{.initial_bases = {{.path = "/a"}}}),
        Refusal(UpdateRows{.mode = UpdateMode::kRewriteColumns, .updated_offsets = {{1, "x"}}}),
        Refusal(MergeColumns{.fragments = {table.fragments[0]}, .schema = table.schema}),
        Refusal(MergeColumns{.fragments = other_rows, .schema = table.schema}),
        Refusal(RewriteFragments{.groups = {unreserved}}),
        Refusal(
            ReplaceData{.replacements = {{.fragment_id = 7, .file = table.fragments[0].files[0]}}}),
        Refusal(UpdateMetadata{.field_metadata = {{9, {}}}}), Refusal(CloneTable{})}) {
    EXPECT_THAT(status, FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(Refusal(ReserveFragmentIds{.count = ~uint32_t{0}}),
              FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(Refusal(OtherOperation{}), FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(Refusal(DeleteRowsOp{.removed = {7}}), FailsWith(ErrorCode::kCommitConflict));
}

TEST(BuildManifestTest, KeepsTheMeaningOfFieldIdsInAMerge) {
  const Manifest table = SmallTable();
  const auto merge = [&](Schema schema) {
    return Refusal(MergeColumns{.fragments = table.fragments, .schema = std::move(schema)});
  };
  ASSERT_OK(merge(table.schema));
  Schema swapped = table.schema;
  std::swap(swapped.fields[0].name, swapped.fields[1].name);
  EXPECT_THAT(merge(swapped), FailsWith(ErrorCode::kInvalidArgument));
  Schema retyped = table.schema;
  retyped.fields[0].logical_type = "string";
  EXPECT_THAT(merge(retyped), FailsWith(ErrorCode::kInvalidArgument));
  Schema added = table.schema;
  added.fields.push_back(Int64Field(2));
  added.fields[2].name = "z";
  EXPECT_OK(merge(added));
  // A field that was dropped keeps its id as long as a file has it.
  Schema reused = table.schema;
  reused.fields.pop_back();
  Manifest dropped = table;
  dropped.schema = reused;
  reused.fields.push_back(Int64Field(1));
  reused.fields[1].name = "z";
  EXPECT_THAT(BuildNext({.operation = MergeColumns{.fragments = table.fragments, .schema = reused}},
                        dropped),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(BuildManifestTest, DropsIndicesWithTheirFieldsAndFilesWithTheirColumns) {
  const Manifest table = SmallTable();
  Schema schema = table.schema;
  schema.fields.pop_back();
  ASSERT_OK_AND_ASSIGN(const VersionContent content,
                       BuildNextManifest({.operation = ProjectSchema{.schema = schema}}, table,
                                         {IndexOn(0, "a", {0}), IndexOn(1, "b", {0})}, 1));
  EXPECT_THAT(Names(content.indices), ElementsAre("a"));
  EXPECT_EQ(content.manifest.fragments[0].files.size(), 1);
}

TEST(BuildManifestTest, KeepsOneSegmentOfAnIndexWhoseFragmentsAreAllGone) {
  const Manifest table = SmallTable();
  IndexMetadata old = IndexOn(0, "old", {0});
  old.created_at_ms = 5;
  IndexMetadata young = IndexOn(0, "new", {1});
  young.created_at_ms = 6;
  const Transaction all{.operation = DeleteRowsOp{.removed = {0, 1}}};
  ASSERT_OK_AND_ASSIGN(VersionContent content, BuildNextManifest(all, table, {young, old}, 1));
  EXPECT_THAT(Names(content.indices), ElementsAre("old"));
  const Transaction one{.operation = DeleteRowsOp{.removed = {0}}};
  ASSERT_OK_AND_ASSIGN(content, BuildNextManifest(one, table, {young, old}, 1));
  EXPECT_THAT(Names(content.indices), ElementsAre("new"));
}

TEST(BuildManifestTest, UncoversFragmentsWhoseValuesAreReplaced) {
  const Manifest table = SmallTable();
  DataFile file = table.fragments[0].files[1];
  file.path = "h.lance";
  const Transaction replace{.operation =
                                ReplaceData{.replacements = {{.fragment_id = 1, .file = file}}}};
  ASSERT_OK_AND_ASSIGN(
      const VersionContent content,
      BuildNextManifest(replace, table, {IndexOn(0, "a", {0, 1, 2}), IndexOn(1, "b", {0, 1, 2})},
                        1));
  EXPECT_EQ(content.indices[0].fragments->count(), 3);
  EXPECT_EQ(content.indices[1].fragments->count(), 2);
  EXPECT_FALSE(content.indices[1].fragments->Contains(1));
  EXPECT_EQ(content.manifest.fragments[1].files[1].path, "h.lance");
}

TEST(BuildManifestTest, RestoresNoVersionWithoutTheRowIdsThatRowsHaveBeenGiven) {
  const Manifest old = SmallTable();
  Manifest now = old;
  now.version = 2;
  now.reader_flags |= kFlagStableRowIds;
  now.writer_flags |= kFlagStableRowIds;
  EXPECT_THAT(BuildRestoredManifest({.operation = RestoreVersion{.version = 1}}, old, now, 1),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tusk::lance
