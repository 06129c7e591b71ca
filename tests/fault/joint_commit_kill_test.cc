#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "tusk/io/object_store.h"
#include "tusk/lake/lake.h"
#include "tusk/lance/table/commit.h"
#include "tusk/testing/child_process.h"
#include "tusk/testing/faulty_sqlite_vfs.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

/// More requests than a joint commit makes; a walk that gets here would never end.
constexpr int64_t kTooMany = 1000;

/// A lake whose writer dies in the middle of a joint commit.
class JointCommitKillTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(Lake::Init(root_, context_)); }

  /// Keeps the lake as it is now, for Rewind.
  void Mark() { std::filesystem::copy(root_, mark_, std::filesystem::copy_options::recursive); }

  /// Brings the lake back to the mark, at the same place: Iceberg's paths are absolute.
  void Rewind() {
    std::filesystem::remove_all(root_);
    std::filesystem::copy(mark_, root_, std::filesystem::copy_options::recursive);
  }

  std::shared_ptr<Lake> OpenOrDie() { return *Lake::Open(root_, std::nullopt, context_); }

  /// A reader that completes nothing sees the same ids on both sides, at every joint version.
  void ExpectOneStory() {
    const auto catalog_version = NewestVersion();
    for (int64_t number = std::max<int64_t>(1, catalog_version - 1); number <= catalog_version;
         ++number) {
      ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open(root_, number, context_));
      ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(*at, context_));
      ASSERT_OK_AND_ASSIGN(const Ids iceberg, IcebergIds(*at, context_));
      EXPECT_EQ(lance, iceberg) << "at joint version " << number;
    }
  }

  int64_t NewestVersion() {
    const auto catalog =
        *catalog::OpenSqliteCatalog(root_ + "/catalog.db", catalog::SqliteMode::kOpen, "");
    return *catalog->LatestNumber(context_);
  }

  /// After a writer of `batch` died: the lake has `before`, or that and the batch, on both sides
  /// and by path; then takes another append.
  void ExpectOldOrNew(const Ids& before, const Ids& batch, const Ids& next) {
    ExpectOneStory();
    const auto lake = OpenOrDie();
    const Ids lance = *LanceIds(*lake, context_);
    EXPECT_TRUE(lance == before || lance == Union(before, batch)) << lance.size() << " ids";
    EXPECT_EQ(*IcebergIds(*lake, context_), lance);
    EXPECT_EQ(*LanceIdsByPath(root_, context_), lance);
    for (const auto& entry : *lake->Tables(context_)) EXPECT_TRUE(entry.published);
    EXPECT_OK(AppendIds(*lake, next, context_));
    const Ids after = Union(lance, next);
    EXPECT_EQ(*LanceIds(*lake, context_), after);
    EXPECT_EQ(*IcebergIds(*lake, context_), after);
    EXPECT_EQ(*LanceIdsByPath(root_, context_), after);
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string root_ = folder_ / "lake";
  const std::string mark_ = folder_ / "mark";
  OperationContext context_;
};

/// Dies at request `n` of the store within an append.
void AppendAndDie(const std::string& root, const Ids& batch, int64_t n) {
  const OperationContext context;
  const auto store = std::make_shared<FaultyStore>(io::MakeLocalStore());
  const auto lake = *Lake::Open(io::StorePath{.store = store, .path = root}, std::nullopt, context);
  store->KillAtRequest(n);
  (void)AppendIds(*lake, batch, context);
}

TEST_F(JointCommitKillTest, KilledAtAnyRequestOfTheFirstCommitBothSidesHaveItOrNeither) {
  Mark();
  bool killed = true;
  for (int64_t n = 0; killed && n < kTooMany && !HasFailure(); ++n) {
    SCOPED_TRACE(n);
    Rewind();
    killed = WaitKilled(StartChild([&] { AppendAndDie(root_, Range(0, 5), n); }));
    ExpectOldOrNew({}, Range(0, 5), Range(100, 5));
  }
  EXPECT_FALSE(killed);
}

TEST_F(JointCommitKillTest, KilledAtAnyRequestOfAnAppendBothSidesHaveItOrNeither) {
  ASSERT_OK(AppendIds(*OpenOrDie(), Range(0, 5), context_));
  Mark();
  bool killed = true;
  for (int64_t n = 0; killed && n < kTooMany && !HasFailure(); ++n) {
    SCOPED_TRACE(n);
    Rewind();
    killed = WaitKilled(StartChild([&] { AppendAndDie(root_, Range(5, 5), n); }));
    ExpectOldOrNew(Range(0, 5), Range(5, 5), Range(100, 5));
  }
  EXPECT_FALSE(killed);
}

TEST_F(JointCommitKillTest, KilledAtAnyWriteOfTheCatalogBothSidesHaveItOrNeither) {
  ASSERT_OK(AppendIds(*OpenOrDie(), Range(0, 5), context_));
  Mark();
  FaultyVfs vfs;
  bool killed = true;
  // Killed before each write; killed after it is killed before the next.
  for (int64_t n = 0; killed && n < kTooMany && !HasFailure(); ++n) {
    SCOPED_TRACE(n);
    Rewind();
    killed = WaitKilled(StartChild([&] {
      const auto lake = OpenOrDie();
      vfs.BreakRequest(n, VfsFault::kKillBefore);
      (void)AppendIds(*lake, Range(5, 5), context_);
    }));
    ExpectOldOrNew(Range(0, 5), Range(5, 5), Range(100, 5));
  }
  EXPECT_FALSE(killed);
}

TEST_F(JointCommitKillTest, KilledAtAnyRequestOfARecoveryNothingIsLostOrTwice) {
  // A commit that a foreign version has overtaken, so that recovery has the most to do.
  ASSERT_OK(AppendIds(*OpenOrDie(), Range(0, 5), context_));
  const auto dataset = *lance::Dataset::Open(LancePath(root_), {}, context_);
  const std::string final_path =
      LancePath(root_) + "/" + lance::FinalManifestPath(dataset->version() + 1);
  std::filesystem::create_directory(final_path);
  ASSERT_OK(AppendIds(*OpenOrDie(), Range(5, 5), context_));
  std::filesystem::remove(final_path);
  ASSERT_OK(AppendByPath(root_, Range(100, 5), context_));

  Mark();
  const Ids all = Union(Range(0, 10), Range(100, 5));
  bool killed = true;
  for (int64_t n = 0; killed && n < kTooMany && !HasFailure(); ++n) {
    SCOPED_TRACE(n);
    Rewind();
    killed = WaitKilled(StartChild([&] {
      const auto store = std::make_shared<FaultyStore>(io::MakeLocalStore());
      store->KillAtRequest(n);
      (void)Lake::Open(io::StorePath{.store = store, .path = root_}, std::nullopt, context_);
    }));
    const auto lake = OpenOrDie();
    EXPECT_EQ(*LanceIds(*lake, context_), all);
    EXPECT_EQ(*LanceIdsByPath(root_, context_), all);
    EXPECT_EQ(*IcebergIds(*lake, context_), Range(0, 10));
    EXPECT_TRUE(lake->Tables(context_)->at(0).published);
  }
  EXPECT_FALSE(killed);
}

}  // namespace
}  // namespace tusk::lake
