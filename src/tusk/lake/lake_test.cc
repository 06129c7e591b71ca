#include "tusk/lake/lake.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tusk/lake/lake_parts.h"
#include "tusk/lance/table/commit.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LakeTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK_AND_ASSIGN(lake_, Lake::Init(root_, context_)); }

  void ExpectBothSides(const Ids& ids, const Lake& lake) {
    ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(lake, context_));
    EXPECT_EQ(lance, ids);
    ASSERT_OK_AND_ASSIGN(const Ids iceberg, IcebergIds(lake, context_));
    EXPECT_EQ(iceberg, ids);
  }

  void ExpectByPath(const Ids& ids) {
    ASSERT_OK_AND_ASSIGN(const Ids by_path, LanceIdsByPath(root_, context_));
    EXPECT_EQ(by_path, ids);
  }

  /// The staged names that are left in the Lance table's folder.
  int CountStaged() {
    int count = 0;
    const std::string folder = LancePath(root_) + "/_staged";
    if (!std::filesystem::exists(folder)) return 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  /// Brings the lake to where a crash after the SQL commit leaves it: `ids` are committed to both
  /// tables and the Lance manifest is staged only.
  void CommitWithoutPublishing(const Ids& ids) {
    // A foreign folder in the place of the final manifest makes publication fail, not the commit.
    const auto dataset = *lance::Dataset::Open(LancePath(root_), {}, context_);
    const std::string final_path =
        LancePath(root_) + "/" + lance::FinalManifestPath(dataset->version() + 1);
    std::filesystem::create_directory(final_path);
    ASSERT_OK(AppendIds(*lake_, ids, context_));
    std::filesystem::remove(final_path);
    ASSERT_OK_AND_ASSIGN(const auto tables, lake_->Tables(context_));
    ASSERT_FALSE(tables.at(0).published);
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string root_ = folder_ / "lake";
  OperationContext context_;
  std::shared_ptr<Lake> lake_;
};

TEST_F(LakeTest, InitRefusesALakeAndAFolderWithContent) {
  EXPECT_THAT(Lake::Init(root_, context_), FailsWith(ErrorCode::kAlreadyExists));
  std::filesystem::create_directories(folder_ / "other");
  std::ofstream(folder_ / "other/notes.txt") << "mine";
  const auto result = Lake::Init(folder_ / "other", context_);
  EXPECT_THAT(result, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(result.status().message(), HasSubstr("notes.txt"));
  EXPECT_THAT(Lake::Init(folder_ / "other/notes.txt", context_),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(LakeTest, OpenSaysHowToMakeALake) {
  const auto result = Lake::Open(folder_ / "none", std::nullopt, context_);
  EXPECT_THAT(result, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(result.status().message(), HasSubstr("tusk init"));
  EXPECT_THAT(Lake::Open("s3://bucket/lake", std::nullopt, context_),
              FailsWith(ErrorCode::kUnsupported));
}

TEST_F(LakeTest, StartsEmpty) {
  EXPECT_EQ(lake_->catalog_name(), "tusk");
  ASSERT_OK_AND_ASSIGN(const auto tables, lake_->Tables(context_));
  EXPECT_THAT(tables, IsEmpty());
  EXPECT_THAT(Lake::Open(root_, 1, context_), FailsWith(ErrorCode::kNotFound));
}

TEST_F(LakeTest, AppendMakesBothTablesAndAddsToThem) {
  ASSERT_OK_AND_ASSIGN(const int64_t first, AppendIds(*lake_, Range(0, 10), context_));
  EXPECT_EQ(first, 1);
  ExpectBothSides(Range(0, 10), *lake_);
  ASSERT_OK_AND_ASSIGN(const int64_t second, AppendIds(*lake_, Range(10, 5), context_));
  EXPECT_EQ(second, 2);
  ExpectBothSides(Range(0, 15), *lake_);
  ExpectByPath(Range(0, 15));
  EXPECT_EQ(CountStaged(), 0);

  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log({}, context_));
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0].message, "5 ids");
  EXPECT_EQ(log[0].changes.at(0).next.version, 2);
  EXPECT_EQ(log[0].changes.at(0).added_rows, 5);
  EXPECT_EQ(log[1].changes.at(1).added_rows, 10);
}

TEST_F(LakeTest, LanceTablesHaveStableRowIdsAndNameTheLake) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  ASSERT_OK_AND_ASSIGN(const auto dataset, lake_->OpenLance(LanceName(), context_));
  EXPECT_TRUE(dataset->has_stable_row_ids());
  EXPECT_EQ(dataset->config().at(kLakeConfigKey).size(), 36u);
}

TEST_F(LakeTest, OpenAtNSeesBothSidesAsTheyWereAndIsReadOnly) {
  for (int64_t n = 0; n < 3; ++n) ASSERT_OK(AppendIds(*lake_, Range(10 * n, 10), context_));
  for (int64_t n = 1; n <= 3; ++n) {
    ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open(root_, n, context_));
    EXPECT_EQ(at->at(), n);
    ExpectBothSides(Range(0, 10 * n), *at);
    ASSERT_OK_AND_ASSIGN(const auto log, at->Log(1, context_));
    EXPECT_EQ(log.at(0).number, n);
    EXPECT_THAT(AppendIds(*at, Range(100, 1), context_), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST_F(LakeTest, NothingIsLeftOfAnAppendThatFails) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  const auto files = [&] {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_ + "/tables")) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    return paths;
  };
  const auto before = files();
  std::vector<TableAppend> appends(2);
  appends[0] = {.name = LanceName(),
                .kind = catalog::TableKind::kLance,
                .data = Rows(Range(3, 3)),
                .properties = {}};
  // The second table is of the other kind.
  appends[1] = {.name = IcebergName(),
                .kind = catalog::TableKind::kLance,
                .data = Rows(Range(3, 3)),
                .properties = {}};
  EXPECT_THAT(lake_->Append(std::move(appends), {}, context_),
              FailsWith(ErrorCode::kInvalidArgument));
  ExpectBothSides(Range(0, 3), *lake_);
  // Data and transaction files of a Lance append that was aborted are garbage that cleanup removes.
  EXPECT_EQ(CountStaged(), 0);
  EXPECT_GE(files().size(), before.size());
}

TEST_F(LakeTest, RefusesAppendsThatMakeNoSense) {
  EXPECT_THAT(lake_->Append({}, {}, context_), FailsWith(ErrorCode::kInvalidArgument));
  std::vector<TableAppend> twice(2);
  for (TableAppend& append : twice) {
    append.name = LanceName();
    append.data = Rows(Range(0, 1));
  }
  EXPECT_THAT(lake_->Append(twice, {}, context_), FailsWith(ErrorCode::kInvalidArgument));
  std::vector<TableAppend> escape(1);
  escape[0].name = {.levels = {".."}, .name = "x"};
  escape[0].data = Rows(Range(0, 1));
  EXPECT_THAT(lake_->Append(escape, {}, context_), FailsWith(ErrorCode::kInvalidArgument));
  escape[0].name = LanceName();
  escape[0].data = nullptr;
  EXPECT_THAT(lake_->Append(escape, {}, context_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(LakeTest, RefusesRowsThatWereChosenForAnotherVersion) {
  const auto append = [&](uint64_t expected_version) {
    TableAppend rows;
    rows.name = LanceName();
    rows.data = Rows(Range(0, 3));
    rows.expected_version = expected_version;
    return lake_->Append({rows}, {}, context_);
  };
  EXPECT_THAT(append(1), FailsWith(ErrorCode::kCommitConflict));
  ASSERT_OK(append(0));
  EXPECT_THAT(append(0), FailsWith(ErrorCode::kCommitConflict));
  ASSERT_OK(append(1));
  EXPECT_THAT(append(1), FailsWith(ErrorCode::kCommitConflict));
  EXPECT_EQ(CountStaged(), 0);
  TableAppend iceberg;
  iceberg.name = IcebergName();
  iceberg.kind = catalog::TableKind::kIceberg;
  iceberg.data = Rows(Range(0, 3));
  iceberg.expected_version = 1;
  EXPECT_THAT(lake_->Append({iceberg}, {}, context_), FailsWith(ErrorCode::kUnsupported));
}

TEST_F(LakeTest, RefusesALanceTableThatItDoesNotKnow) {
  lance::WriteOptions options;
  ASSERT_OK(lance::WriteDataset(Rows(Range(0, 3)).get(), LancePath(root_), options, context_));
  EXPECT_THAT(AppendIds(*lake_, Range(3, 3), context_), FailsWith(ErrorCode::kAlreadyExists));
  ExpectByPath(Range(0, 3));
}

TEST_F(LakeTest, CommittedIsReadThroughTheLakeBeforeItIsPublished) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  CommitWithoutPublishing(Range(3, 3));
  ExpectBothSides(Range(0, 6), *lake_);
  ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open(root_, 2, context_));
  ExpectBothSides(Range(0, 6), *at);
  ExpectByPath(Range(0, 3));  // a reader at a version publishes nothing
}

TEST_F(LakeTest, OpenPublishesWhatACrashLeft) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  CommitWithoutPublishing(Range(3, 3));
  ASSERT_OK_AND_ASSIGN(const auto again, Lake::Open(root_, std::nullopt, context_));
  ExpectByPath(Range(0, 6));
  ExpectBothSides(Range(0, 6), *again);
  EXPECT_TRUE(again->Tables(context_)->at(0).published);
  EXPECT_EQ(CountStaged(), 0);
}

TEST_F(LakeTest, AppendPublishesWhatACrashLeft) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  CommitWithoutPublishing(Range(3, 3));
  ASSERT_OK(AppendIds(*lake_, Range(6, 3), context_));
  ExpectByPath(Range(0, 9));
  ExpectBothSides(Range(0, 9), *lake_);
}

TEST_F(LakeTest, ForeignCommitBeforePublicationIsKeptAndOursFollows) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  CommitWithoutPublishing(Range(3, 3));
  ASSERT_OK(AppendByPath(root_, Range(100, 2), context_));  // takes version 2
  ASSERT_OK(lake_->Recover(context_));
  const Ids all = Union(Range(0, 6), Range(100, 2));
  ExpectByPath(all);
  ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(*lake_, context_));
  EXPECT_EQ(lance, all);
  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log({}, context_));
  EXPECT_EQ(log.at(0).changes.at(0).next.version, 3);
  ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open(root_, 2, context_));
  ASSERT_OK_AND_ASSIGN(const Ids at_two, LanceIds(*at, context_));
  EXPECT_EQ(at_two, all);
  // Again, as after a crash between the name and the record: nothing is added twice.
  ASSERT_OK(lake_->Recover(context_));
  ExpectByPath(all);
}

TEST_F(LakeTest, PublishedButNotRecordedIsNotPublishedTwice) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  CommitWithoutPublishing(Range(3, 3));
  ASSERT_OK(AppendByPath(root_, Range(100, 2), context_));
  // What a process does that crashes before it records: stage again as version 3 and publish.
  ASSERT_OK_AND_ASSIGN(const auto tables, lake_->Tables(context_));
  const catalog::TablePointer& waiting = tables.at(0).pointer;
  const auto handler = lance::MakePutIfAbsentHandler();
  ASSERT_OK_AND_ASSIGN(const io::StorePath table, io::ResolveUri(LancePath(root_)));
  ASSERT_OK_AND_ASSIGN(const auto restaged,
                       lance::Restage(table,
                                      {.staged_path = waiting.path,
                                       .version = static_cast<uint64_t>(waiting.version),
                                       .size_bytes = waiting.size_bytes,
                                       .transaction_uuid = waiting.transaction_uuid},
                                      handler.get(), context_));
  ASSERT_OK(handler->Publish(table, restaged, context_));

  ASSERT_OK(lake_->Recover(context_));
  ExpectByPath(Union(Range(0, 6), Range(100, 2)));
  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log({}, context_));
  EXPECT_EQ(log.at(0).changes.at(0).next.version, 3);
}

TEST_F(LakeTest, IncompatibleForeignCommitIsReportedAndNotOverwritten) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  CommitWithoutPublishing(Range(3, 3));
  lance::WriteOptions overwrite;
  overwrite.mode = lance::WriteMode::kOverwrite;
  ASSERT_OK(lance::WriteDataset(Rows(Range(100, 2)).get(), LancePath(root_), overwrite, context_));
  const Status recovered = lake_->Recover(context_);
  EXPECT_THAT(recovered, FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(recovered.message(), HasSubstr("items.pictures"));
  EXPECT_THAT(AppendIds(*lake_, Range(6, 3), context_), FailsWith(ErrorCode::kCommitConflict));
  ExpectByPath(Range(100, 2));
  // The commit stays true for readers through the lake, and other tables go on.
  ASSERT_OK_AND_ASSIGN(const auto again, Lake::Open(root_, std::nullopt, context_));
  ExpectBothSides(Range(0, 6), *again);
  std::vector<TableAppend> other(1);
  other[0].name = *catalog::TableName::Parse("items.others");
  other[0].data = Rows(Range(0, 1));
  ASSERT_OK(again->Append(std::move(other), {}, context_));
}

TEST_F(LakeTest, ForeignLanceVersionsAreInTheNextAppend) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  ASSERT_OK(AppendByPath(root_, Range(100, 2), context_));
  ASSERT_OK_AND_ASSIGN(const Ids before, LanceIds(*lake_, context_));
  EXPECT_EQ(before, Range(0, 3));  // the pointer: what joins must be of one joint version
  ASSERT_OK(AppendIds(*lake_, Range(3, 3), context_));
  const Ids all = Union(Range(0, 6), Range(100, 2));
  ASSERT_OK_AND_ASSIGN(const Ids after, LanceIds(*lake_, context_));
  EXPECT_EQ(after, all);
  ExpectByPath(all);
  ASSERT_OK_AND_ASSIGN(const Ids iceberg, IcebergIds(*lake_, context_));
  EXPECT_EQ(iceberg, Range(0, 6));
}

TEST_F(LakeTest, ForeignLanceVersionsAreInTheNextAppendBeforeItIsPublishedToo) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  ASSERT_OK(AppendByPath(root_, Range(100, 2), context_));
  CommitWithoutPublishing(Range(3, 3));
  ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(*lake_, context_));
  EXPECT_EQ(lance, Union(Range(0, 6), Range(100, 2)));
}

TEST_F(LakeTest, StopEndsAnAppendWithoutATrace) {
  ASSERT_OK(AppendIds(*lake_, Range(0, 3), context_));
  std::stop_source source;
  source.request_stop();
  OperationContext stopped;
  stopped.stop = source.get_token();
  EXPECT_THAT(AppendIds(*lake_, Range(3, 3), stopped), FailsWith(ErrorCode::kCancelled));
  ExpectBothSides(Range(0, 3), *lake_);
}

}  // namespace
}  // namespace tusk::lake
