#include "tusk/lance/table/rebase.h"

#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/base/uuid.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const OperationContext kContext;

std::vector<int64_t> Ids(const io::StorePath& table) {
  const auto dataset = *Dataset::Open(table, {}, kContext);
  const auto rows = *(*dataset->Scan({}, kContext))->ToTable();
  std::vector<int64_t> ids;
  for (const auto& chunk : rows->GetColumnByName("id")->chunks()) {
    const auto& values = static_cast<const arrow::Int64Array&>(*chunk);
    for (int64_t i = 0; i < values.length(); ++i) ids.push_back(values.Value(i));
  }
  return ids;
}

DeletedRows RowsOf(std::vector<int64_t> offsets) {
  DeletedRows rows;
  for (const int64_t offset : offsets) EXPECT_OK(rows.Add(offset, offset + 1));
  return rows;
}

/// A table of the rows 0 to 9 in one fragment.
class RebaseTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto reader = NumberedReader(0, 10);
    ASSERT_OK(WriteDataset(reader.get(), table_, {}, kContext));
    const auto dataset = *Dataset::Open(table_, {}, kContext);
    first_.manifest = dataset->state().manifest;
    first_.path = dataset->state().manifest_path;
  }

  /// Deletes the rows of fragment 0, as seen in version 1. Tells `affected` only if `knows_rows`.
  Result<TableVersion> Delete(const std::vector<int64_t>& offsets, bool knows_rows = true) {
    const DeletedRows rows = RowsOf(offsets);
    Fragment fragment = first_.manifest.fragments[0];
    ARROW_ASSIGN_OR_RAISE(fragment.deletion_file,
                          WriteDeletedRows(table_, fragment.id, 1, rows, kContext));
    const Transaction transaction{.read_version = 1,
                                  .uuid = RandomUuidString(),
                                  .operation = DeleteRowsOp{.updated = {fragment}}};
    const AffectedRows affected = {{fragment.id, rows}};
    bool outcome_known = false;
    auto committed = CommitTransaction(table_, transaction, first_,
                                       {.affected_rows = knows_rows ? &affected : nullptr},
                                       kContext, &outcome_known);
    EXPECT_TRUE(outcome_known);
    return committed;
  }

  size_t CountFiles(const std::string& folder) {
    return table_.store->List("t/" + folder, kContext)->size();
  }

  const io::StorePath table_ = {.store = io::MakeMemoryStore(), .path = "t"};
  TableVersion first_;
};

TEST_F(RebaseTest, MergesTwoDeletesOfOneFragment) {
  ASSERT_OK(Delete({1, 3}));
  ASSERT_OK_AND_ASSIGN(const TableVersion second, Delete({0, 9}));
  EXPECT_EQ(second.manifest.version, 3);
  EXPECT_EQ(second.manifest.fragments[0].deletion_file->num_deleted_rows, 4);
  EXPECT_THAT(Ids(table_), ElementsAre(2, 4, 5, 6, 7, 8));
  // The file that only the first attempt needed is gone.
  EXPECT_EQ(CountFiles("_deletions"), 2);
  EXPECT_EQ(CountFiles("_transactions"), 3);
}

TEST_F(RebaseTest, TellsWhatTheOtherTransactionMadeInItsFile) {
  ASSERT_OK(Delete({1, 3}));
  ASSERT_OK_AND_ASSIGN(const TableVersion second, Delete({0, 9}));
  ASSERT_OK_AND_ASSIGN(const Transaction transaction,
                       ReadTransaction(table_, second.path, second.manifest, kContext));
  const auto* deletion = transaction.As<DeleteRowsOp>();
  ASSERT_NE(deletion, nullptr);
  EXPECT_EQ(deletion->updated[0].deletion_file->num_deleted_rows, 4);
  ASSERT_OK_AND_ASSIGN(
      const auto bytes,
      table_.store->Get("t/_transactions/" + second.manifest.transaction_file, kContext));
  EXPECT_EQ(std::string_view(*bytes), SerializeTransaction(transaction));
}

TEST_F(RebaseTest, DropsTheFragmentThatBothEmpty) {
  ASSERT_OK(Delete({0, 1, 2, 3, 4}));
  ASSERT_OK_AND_ASSIGN(const TableVersion second, Delete({5, 6, 7, 8, 9}));
  EXPECT_THAT(second.manifest.fragments, testing::IsEmpty());
  EXPECT_EQ(second.manifest.max_fragment_id, 0);
}

TEST_F(RebaseTest, RefusesTwoDeletesOfOneRow) {
  ASSERT_OK(Delete({1, 3}));
  const auto second = Delete({3, 5});
  EXPECT_THAT(second, FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(second.status().message(), HasSubstr("1 of the same rows of fragment 0"));
  EXPECT_THAT(Ids(table_), ElementsAre(0, 2, 4, 5, 6, 7, 8, 9));
}

TEST_F(RebaseTest, RefusesTwoDeletesOfOneFragmentWhoseRowsNobodyTells) {
  ASSERT_OK(Delete({1}));
  const auto second = Delete({5}, /*knows_rows=*/false);
  EXPECT_THAT(second, FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(second.status().message(), HasSubstr("version 2 (delete, transaction "));
}

TEST_F(RebaseTest, CommitsAnUpdateOverADeleteOfOtherRows) {
  ASSERT_OK(Delete({1, 3}));
  // Row 5 moves into a fragment of its own, which here has the file of all rows.
  const DeletedRows moved = RowsOf({5});
  Fragment old = first_.manifest.fragments[0];
  ASSERT_OK_AND_ASSIGN(old.deletion_file, WriteDeletedRows(table_, 0, 1, moved, kContext));
  Fragment added = first_.manifest.fragments[0];
  const Transaction transaction{.read_version = 1,
                                .uuid = RandomUuidString(),
                                .operation = UpdateRows{.updated = {old}, .added = {added}}};
  const AffectedRows affected = {{0, moved}};
  bool outcome_known = false;
  ASSERT_OK_AND_ASSIGN(const TableVersion committed,
                       CommitTransaction(table_, transaction, first_, {.affected_rows = &affected},
                                         kContext, &outcome_known));
  ASSERT_EQ(committed.manifest.fragments.size(), 2);
  EXPECT_EQ(committed.manifest.fragments[1].id, 1);
  EXPECT_THAT(Ids(table_), ElementsAre(0, 2, 4, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST_F(RebaseTest, GivesUpAfterSoManyLostRaces) {
  ASSERT_OK(Delete({1}));
  const Transaction transaction{
      .read_version = 1, .uuid = RandomUuidString(), .operation = ReserveFragmentIds{.count = 1}};
  bool outcome_known = false;
  const auto committed =
      CommitTransaction(table_, transaction, first_, {.max_attempts = 1}, kContext, &outcome_known);
  EXPECT_THAT(committed, FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(committed.status().message(), HasSubstr("lost 1 races"));
}

TEST_F(RebaseTest, NeverGoesBehindVersionsThatWereCleanedUp) {
  ASSERT_OK(Delete({1}));
  ASSERT_OK(Delete({3}));
  // Version 2 is cleaned up; its name is free again.
  ASSERT_OK(table_.store->Delete("t/" + ManifestPath(2, ManifestNaming::kV2), kContext));
  first_.read_at -= std::chrono::minutes(1);
  const auto third = Delete({5});
  EXPECT_THAT(third, FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(third.status().message(), HasSubstr("cleaned up"));
}

TEST_F(RebaseTest, TakesAnOpenVersionToBeAsOldAsItsReading) {
  // Whoever compacts or merges has read it long before the commit.
  ASSERT_OK_AND_ASSIGN(const auto dataset, Dataset::Open(table_, {}, kContext));
  const auto opened = std::chrono::steady_clock::now();
  EXPECT_LE(TableVersion::Of(dataset->state()).read_at, opened);
}

TEST_F(RebaseTest, HoldsTheLockWhileItPublishesAndTriesAgainWhenItIsRefused) {
  std::vector<uint64_t> versions;
  bool is_held = false;
  const CommitLock lock = [&](uint64_t version, const std::function<Status()>& publish) -> Status {
    versions.push_back(version);
    // The first time another writer comes in between.
    if (versions.size() == 1) {
      EXPECT_OK(Delete({1}));
      return CommitConflict("somebody else commits this version");
    }
    is_held = true;
    const Status status = publish();
    is_held = false;
    return status;
  };
  const Transaction transaction{
      .read_version = 1, .uuid = RandomUuidString(), .operation = ReserveFragmentIds{.count = 1}};
  bool outcome_known = false;
  ASSERT_OK_AND_ASSIGN(
      const TableVersion committed,
      CommitTransaction(table_, transaction, first_, {.lock = lock}, kContext, &outcome_known));
  EXPECT_THAT(versions, ElementsAre(2, 3));
  EXPECT_FALSE(is_held);
  EXPECT_EQ(committed.manifest.version, 3);
  // What the lock raises is what the caller gets, and nothing is committed.
  const CommitLock broken = [](uint64_t, const std::function<Status()>&) {
    return Status::Invalid("the lock service is down");
  };
  const auto failed =
      CommitTransaction(table_, transaction, committed, {.lock = broken}, kContext, &outcome_known);
  EXPECT_THAT(failed.status().message(), HasSubstr("lock service is down"));
  EXPECT_EQ(*(*Dataset::Open(table_, {}, kContext))->LatestVersion(kContext), 3);
}

}  // namespace
}  // namespace tusk::lance
