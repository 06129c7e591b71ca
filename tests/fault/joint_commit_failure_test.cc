#include <filesystem>

#include <gtest/gtest.h>

#include "tusk/io/object_store.h"
#include "tusk/lake/joint_commit.h"
#include "tusk/lake/lake.h"
#include "tusk/lake/lake_parts.h"
#include "tusk/lance/table/commit.h"
#include "tusk/testing/faulty_sqlite_vfs.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

/// More requests than a joint commit makes; a walk that gets here would never end.
constexpr int64_t kTooMany = 1000;

/// A lake on a store, or a catalog on a disk, that fails in the middle of a joint commit.
class JointCommitFailureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto lake = *Lake::Init(root_, context_);
    ASSERT_OK(AppendIds(*lake, Range(0, 5), context_));
    std::filesystem::copy(root_, mark_, std::filesystem::copy_options::recursive);
    Rewind();
  }

  /// Brings the lake back to its first joint version and opens it on the store that fails.
  void Rewind() {
    lake_.reset();
    std::filesystem::remove_all(root_);
    std::filesystem::copy(mark_, root_, std::filesystem::copy_options::recursive);
    lake_ = *Lake::Open(io::StorePath{.store = store_, .path = root_}, std::nullopt, context_);
  }

  /// After an append with `result`: both sides have the batch, or neither; an OK result means that
  /// they have. The same object then takes another append.
  void ExpectOldOrNew(const Status& result) {
    EXPECT_OK(lake_->Recover(context_));
    const Ids lance = *LanceIds(*lake_, context_);
    const bool has_batch = lance == Range(0, 10);
    EXPECT_TRUE(has_batch || (lance == Range(0, 5) && !result.ok())) << result.ToString();
    EXPECT_EQ(*IcebergIds(*lake_, context_), lance);
    EXPECT_EQ(*LanceIdsByPath(root_, context_), lance);
    EXPECT_OK(AppendIds(*lake_, Range(100, 5), context_));
    EXPECT_EQ(*LanceIds(*lake_, context_), Union(lance, Range(100, 5)));
    EXPECT_EQ(*IcebergIds(*lake_, context_), Union(lance, Range(100, 5)));
  }

  void WalkStoreFailures(StoreFault fault, bool and_all_after) {
    bool failed = true;
    for (int64_t n = 0; failed && n < kTooMany && !HasFailure(); ++n) {
      SCOPED_TRACE(n);
      Rewind();
      store_->BreakRequest(n, fault, and_all_after);
      const Status result = AppendIds(*lake_, Range(5, 5), context_).status();
      failed = store_->has_failed();
      store_->Reset();
      ExpectOldOrNew(result);
    }
    EXPECT_FALSE(failed);
  }

  void WalkDiskFailures(VfsFault fault, bool and_all_after) {
    FaultyVfs vfs;
    bool broken = true;
    for (int64_t n = 0; broken && n < kTooMany && !HasFailure(); ++n) {
      SCOPED_TRACE(n);
      Rewind();
      vfs.BreakRequest(n, fault, and_all_after);
      const Status result = AppendIds(*lake_, Range(5, 5), context_).status();
      broken = vfs.has_broken();
      vfs.Reset();
      ExpectOldOrNew(result);
    }
    EXPECT_FALSE(broken);
    lake_.reset();
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string root_ = folder_ / "lake";
  const std::string mark_ = folder_ / "mark";
  OperationContext context_;
  std::shared_ptr<FaultyStore> store_ = std::make_shared<FaultyStore>(io::MakeLocalStore());
  std::shared_ptr<Lake> lake_;
};

/// A catalog whose answers to commits get lost, whether they became true or not.
class SilentCatalog final : public catalog::Catalog {
 public:
  SilentCatalog(std::shared_ptr<catalog::Catalog> catalog, bool commits)
      : catalog_(std::move(catalog)), commits_(commits) {}
  const std::string& name() const override { return catalog_->name(); }
  const std::string& uuid() const override { return catalog_->uuid(); }
  Result<std::vector<catalog::TableEntry>> ListTables(std::optional<int64_t> at,
                                                      const OperationContext& context) override {
    return catalog_->ListTables(at, context);
  }
  Result<catalog::TableEntry> LoadTable(const catalog::TableName& name, std::optional<int64_t> at,
                                        const OperationContext& context) override {
    return catalog_->LoadTable(name, at, context);
  }
  Result<int64_t> Commit(const catalog::JointCommit& commit,
                         const OperationContext& context) override {
    if (commits_) ARROW_RETURN_NOT_OK(catalog_->Commit(commit, context));
    return IoError("the connection is gone");
  }
  Status RecordPublished(int64_t number, const catalog::TableName& name,
                         const catalog::TablePointer& published,
                         const OperationContext& context) override {
    return catalog_->RecordPublished(number, name, published, context);
  }
  Result<std::vector<catalog::LogEntry>> Unpublished(const OperationContext& context) override {
    return catalog_->Unpublished(context);
  }
  Result<std::vector<catalog::LogEntry>> Log(std::optional<int64_t> limit,
                                             const OperationContext& context) override {
    return catalog_->Log(limit, context);
  }
  Result<int64_t> LatestNumber(const OperationContext& context) override {
    return catalog_->LatestNumber(context);
  }
  Result<std::vector<catalog::Tag>> Tags(const OperationContext& context) override {
    return catalog_->Tags(context);
  }
  Status SetTag(const catalog::Tag& tag, bool move, const OperationContext& context) override {
    return catalog_->SetTag(tag, move, context);
  }
  Status DeleteTag(std::string_view name, const OperationContext& context) override {
    return catalog_->DeleteTag(name, context);
  }
  Result<std::vector<int64_t>> GiveUp(const catalog::RetentionRules& rules, bool dry_run,
                                      const OperationContext& context) override {
    return catalog_->GiveUp(rules, dry_run, context);
  }
  Result<catalog::Retention> LoadRetention(const OperationContext& context) override {
    return catalog_->LoadRetention(context);
  }
  Status SetRetention(const catalog::Retention& retention,
                      const OperationContext& context) override {
    return catalog_->SetRetention(retention, context);
  }
  Result<std::vector<catalog::NeededChange>> NeededChanges(
      const OperationContext& context) override {
    return catalog_->NeededChanges(context);
  }

 private:
  std::shared_ptr<catalog::Catalog> catalog_;
  const bool commits_;
};

TEST_F(JointCommitFailureTest, AnUnknownOutcomeKeepsWhatTheCommitMayName) {
  for (const bool commits : {false, true}) {
    Rewind();
    const io::StorePath root{.store = store_, .path = root_};
    ASSERT_OK_AND_ASSIGN(auto catalog, catalog::OpenSqliteCatalog(CatalogPath(root),
                                                                  catalog::SqliteMode::kOpen, ""));
    const LakeParts parts{.root = root,
                          .catalog = std::make_shared<SilentCatalog>(std::move(catalog), commits),
                          .handler = lance::MakePutIfAbsentHandler()};
    EXPECT_THAT(AppendJointly(parts, Appends(Range(5, 5)), {}, context_),
                FailsWith(ErrorCode::kIo));
    ExpectOldOrNew(IoError("unknown"));
    EXPECT_EQ(lake_->Log({}, context_)->size(), commits ? 3u : 2u);
  }
}

TEST_F(JointCommitFailureTest, AStoreThatFailsOnceGivesAnErrorOrATrueCommit) {
  WalkStoreFailures(StoreFault::kRefuse, /*and_all_after=*/false);
}

TEST_F(JointCommitFailureTest, AStoreThatWritesAndDeniesItGivesAnErrorOrATrueCommit) {
  WalkStoreFailures(StoreFault::kFailAfter, /*and_all_after=*/false);
}

TEST_F(JointCommitFailureTest, AStoreThatDeniesAllThatItDoesGivesAnErrorOrATrueCommit) {
  WalkStoreFailures(StoreFault::kFailAfter, /*and_all_after=*/true);
}

TEST_F(JointCommitFailureTest, AStoreThatGoesAwayGivesAnErrorOrATrueCommit) {
  WalkStoreFailures(StoreFault::kRefuse, /*and_all_after=*/true);
}

TEST_F(JointCommitFailureTest, ADiskThatRefusesAWriteOfTheCatalogGivesAnErrorOrATrueCommit) {
  WalkDiskFailures(VfsFault::kRefuse, /*and_all_after=*/false);
}

TEST_F(JointCommitFailureTest, ADiskThatGoesAwayUnderTheCatalogGivesAnErrorOrATrueCommit) {
  WalkDiskFailures(VfsFault::kRefuse, /*and_all_after=*/true);
}

TEST_F(JointCommitFailureTest, ADiskThatWritesAndDeniesItGivesAnErrorOrATrueCommit) {
  WalkDiskFailures(VfsFault::kFailAfter, /*and_all_after=*/false);
}

}  // namespace
}  // namespace tusk::lake
