#include "tusk/lance/table/build_manifest.h"

#include <fstream>
#include <iterator>

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

}  // namespace
}  // namespace tusk::lance
