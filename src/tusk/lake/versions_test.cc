#include <gtest/gtest.h>

#include "tusk/iceberg/append.h"
#include "tusk/io/object_store.h"
#include "tusk/lake/lake.h"
#include "tusk/testing/foreign_writers.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

using ::testing::HasSubstr;

class VersionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(lake_, Lake::Init(root_, context_));
    for (int64_t i = 0; i < 3; ++i) ASSERT_OK(AppendIds(*lake_, Range(5 * i, 5), context_));
  }

  /// Both sides have these ids, through the lake and by path.
  void ExpectIds(const Ids& ids) {
    EXPECT_EQ(*LanceIds(*lake_, context_), ids);
    EXPECT_EQ(*IcebergIds(*lake_, context_), ids);
    EXPECT_EQ(*LanceIdsByPath(root_, context_), ids);
  }

  Status Tag(std::string name, int64_t number, bool move = false) {
    return lake_->SetTag({.name = std::move(name), .number = number}, move, context_);
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string root_ = folder_ / "lake";
  const OperationContext context_;
  std::shared_ptr<Lake> lake_;
};

TEST_F(VersionsTest, TagsNameJointVersions) {
  ASSERT_OK(Tag("v1", 1));
  ASSERT_OK(Tag("release/2.0", 2));
  EXPECT_THAT(Tag("v1", 2), FailsWith(ErrorCode::kAlreadyExists));
  ASSERT_OK(Tag("v1", 3, /*move=*/true));
  ASSERT_OK_AND_ASSIGN(const auto tags, lake_->Tags(context_));
  ASSERT_EQ(tags.size(), 2u);
  EXPECT_EQ(tags[0].name, "release/2.0");
  EXPECT_EQ(tags[1].number, 3);
  EXPECT_EQ(*lake_->FindVersion("v1", context_), 3);
  EXPECT_EQ(*lake_->FindVersion("2", context_), 2);
  EXPECT_EQ(lake_->Log({}, context_)->at(0).tags, std::vector<std::string>{"v1"});
  ASSERT_OK(lake_->DeleteTag("v1", context_));
  EXPECT_THAT(lake_->DeleteTag("v1", context_), FailsWith(ErrorCode::kNotFound));
  const auto missing = lake_->FindVersion("v1", context_).status();
  EXPECT_THAT(missing, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(missing.message(), HasSubstr("release/2.0"));
}

TEST_F(VersionsTest, TagsThatCouldBeMistakenAreRefused) {
  for (const char* name : {"", "1", "2nd", "a b", "a'b", "ä"}) {
    EXPECT_THAT(Tag(name, 1), FailsWith(ErrorCode::kInvalidArgument)) << name;
  }
  EXPECT_THAT(Tag("v", 0), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Tag("v", 4), FailsWith(ErrorCode::kNotFound));
}

TEST_F(VersionsTest, AMomentMeansTheNewestVersionThen) {
  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log({}, context_));
  for (const auto& entry : log) {
    ASSERT_OK_AND_ASSIGN(const int64_t found, lake_->FindVersionAt(entry.timestamp_us, context_));
    EXPECT_EQ(found, entry.number);
  }
  EXPECT_THAT(lake_->FindVersionAt(log.back().timestamp_us - 1, context_),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(VersionsTest, ARestoreBringsBothSidesBackAndKeepsTheHistory) {
  ASSERT_OK_AND_ASSIGN(const auto number, lake_->Restore(1, {}, context_));
  EXPECT_EQ(number, 4);
  ExpectIds(Range(0, 5));
  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log(1, context_));
  EXPECT_EQ(log[0].message, "restore joint version 1");
  EXPECT_EQ(log[0].properties.at("tusk.restored"), "1");
  for (const auto& change : log[0].changes) EXPECT_EQ(change.added_rows, -10);
  ASSERT_OK_AND_ASSIGN(const auto third, Lake::Open(root_, 3, context_));
  EXPECT_EQ(*LanceIds(*third, context_), Range(0, 15));
  EXPECT_EQ(*IcebergIds(*third, context_), Range(0, 15));

  // Rows go on top, and what was undone can be brought back.
  ASSERT_OK(AppendIds(*lake_, Range(100, 5), context_));
  ExpectIds(Union(Range(0, 5), Range(100, 5)));
  ASSERT_OK(lake_->Restore(3, {}, context_));
  ExpectIds(Range(0, 15));
  ASSERT_OK_AND_ASSIGN(const auto nothing, lake_->Restore(3, {}, context_));
  EXPECT_TRUE(nothing.has_value());  // a restored state is a version of its own
  ASSERT_OK_AND_ASSIGN(const auto newest, lake_->Restore(*nothing, {}, context_));
  EXPECT_FALSE(newest.has_value());
}

TEST_F(VersionsTest, RowIdsAreNotGivenTwiceAfterARestore) {
  ASSERT_OK(lake_->Restore(1, {}, context_));
  ASSERT_OK(AppendIds(*lake_, Range(100, 5), context_));
  ASSERT_OK_AND_ASSIGN(const auto dataset, lake_->OpenLance(LanceName(), context_));
  lance::ScanOptions options;
  options.with_row_id = true;
  ASSERT_OK_AND_ASSIGN(const auto reader, dataset->Scan(options, context_));
  ASSERT_OK_AND_ASSIGN(const auto rows, reader->ToTable());
  const auto ids = rows->GetColumnByName("_rowid");
  // 15 ids were given before the restore.
  EXPECT_EQ((*ids->GetScalar(5))->ToString(), "15");
}

TEST_F(VersionsTest, ARestoreThatLosesARaceGoesOnTop) {
  ASSERT_OK_AND_ASSIGN(const auto other, Lake::Open(root_, std::nullopt, context_));
  ASSERT_OK(AppendByPath(root_, Range(100, 5), context_));
  AppendToIcebergAlone(*other, Range(100, 5), context_);
  ASSERT_OK(lake_->Restore(2, {}, context_));
  ExpectIds(Range(0, 10));
}

TEST_F(VersionsTest, RestoringNeedsAVersionThatIsThere) {
  EXPECT_THAT(lake_->Restore(9, {}, context_), FailsWith(ErrorCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open(root_, 2, context_));
  EXPECT_THAT(at->Restore(1, {}, context_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(VersionsTest, DriftIsToldAndAdopted) {
  EXPECT_TRUE(lake_->FindDrift(context_)->empty());
  EXPECT_FALSE(lake_->Adopt({}, context_)->has_value());
  ASSERT_OK(AppendByPath(root_, Range(100, 2), context_));
  AppendToIcebergAlone(*lake_, Range(100, 3), context_);

  ASSERT_OK_AND_ASSIGN(const auto drift, lake_->FindDrift(context_));
  ASSERT_EQ(drift.size(), 2u);
  EXPECT_EQ(drift[0].known_rows, 15);
  EXPECT_EQ(drift[0].foreign_rows, 17);
  EXPECT_EQ(drift[0].foreign_version, drift[0].known_version + 1);
  EXPECT_EQ(drift[1].known_rows, 15);
  EXPECT_EQ(drift[1].foreign_rows, 18);

  ASSERT_OK_AND_ASSIGN(const auto number, lake_->Adopt({.message = "from outside"}, context_));
  EXPECT_EQ(number, 4);
  EXPECT_TRUE(lake_->FindDrift(context_)->empty());
  EXPECT_EQ(*LanceIds(*lake_, context_), Union(Range(0, 15), Range(100, 2)));
  EXPECT_EQ(*IcebergIds(*lake_, context_), Union(Range(0, 15), Range(100, 3)));
  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log(1, context_));
  EXPECT_EQ(log[0].message, "from outside");
  EXPECT_EQ(log[0].changes[0].added_rows, 2);
  EXPECT_EQ(log[0].changes[1].added_rows, 3);
  // The lake goes on, and the adopted version can be opened and restored.
  ASSERT_OK(AppendIds(*lake_, Range(200, 2), context_));
  ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open(root_, 4, context_));
  EXPECT_EQ(*LanceIds(*at, context_), Union(Range(0, 15), Range(100, 2)));
  ASSERT_OK(lake_->Restore(4, {}, context_));
  EXPECT_EQ(*LanceIds(*lake_, context_), Union(Range(0, 15), Range(100, 2)));
}

TEST_F(VersionsTest, TransactionsOfAnyKindAreCommittedWithAppendsAsOneVersion) {
  std::vector<TableAppend> appends(1);
  appends[0].name = IcebergName();
  appends[0].kind = catalog::TableKind::kIceberg;
  appends[0].data = Rows(Range(100, 1));
  const std::vector<LanceChange> changes = {
      {.name = LanceName(), .transaction = R"({"operation": {"type": "update_config",
                                        "config_updates": {"updates": {"k": "v"}}}})"}};
  ASSERT_OK_AND_ASSIGN(const int64_t number,
                       lake_->CommitLance(changes, std::move(appends), {}, context_));
  EXPECT_EQ(number, 4);
  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log(1, context_));
  EXPECT_EQ(log[0].changes.size(), 2);
  EXPECT_EQ((*lake_->OpenLance(LanceName(), context_))->config().at("k"), "v");
  EXPECT_EQ(*IcebergIds(*lake_, context_), Union(Range(0, 15), Range(100, 1)));
  // Before, the key was not there.
  ASSERT_OK_AND_ASSIGN(const auto before, Lake::Open(root_, 3, context_));
  EXPECT_FALSE((*before->OpenLance(LanceName(), context_))->config().contains("k"));
}

TEST_F(VersionsTest, ATransactionThatDoesNotGoWithALaterOneIsRefused) {
  const auto set_key = [&](int64_t read_version) {
    const std::string transaction =
        R"({"read_version": )" + std::to_string(read_version) +
        R"(, "operation": {"type": "update_config", "config_updates": {"updates": {"k": "v"}}}})";
    return lake_->CommitLance({{.name = LanceName(), .transaction = transaction}}, {}, {},
                              context_);
  };
  // Appends since do not matter, another writer of the same key does.
  ASSERT_OK(set_key(1));
  EXPECT_THAT(set_key(1), FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(set_key(99), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(lake_->CommitLance({{.name = LanceName(), .transaction = "{}"}}, {}, {}, context_),
              FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log({}, context_));
  EXPECT_EQ(log.size(), 4);
  ExpectIds(Range(0, 15));
}

}  // namespace
}  // namespace tusk::lake
