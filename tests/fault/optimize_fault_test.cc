// A lake that is optimized on a store that fails, or by a process that dies, has the rows that it
// had, and nothing is left behind that a doctor does not find and a cleanup does not remove.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tusk/io/object_store.h"
#include "tusk/lake/lake.h"
#include "tusk/lake/maintenance.h"
#include "tusk/testing/child_process.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

/// More requests than an optimization makes; a walk that gets here would never end.
constexpr int64_t kTooMany = 2000;
/// Of each table before.
constexpr int64_t kFiles = 3;

OptimizeOptions WithCleanup() {
  return {.cleanup = CleanupOptions{.older_than_ms = 0, .keep_last = 1, .min_age_ms = 0}};
}

class OptimizeFaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto lake = *Lake::Init(root_, context_);
    for (int64_t i = 0; i < kFiles; ++i) ASSERT_OK(AppendIds(*lake, Range(5 * i, 5), context_));
    std::filesystem::copy(root_, mark_, std::filesystem::copy_options::recursive);
  }

  /// Brings the lake back to what it was, at the same place: Iceberg's paths are absolute.
  void Rewind() {
    std::filesystem::remove_all(root_);
    std::filesystem::copy(mark_, root_, std::filesystem::copy_options::recursive);
  }

  /// What one that comes after a failed or killed optimization finds: all rows, on both sides and
  /// by path; each table in its old files or put together; and no damage. Then puts together what
  /// still is not, after which no file is there that nobody needs.
  void ExpectWholeLake() {
    const auto lake = *Lake::Open(root_, std::nullopt, context_);
    ExpectAllRows(*lake);
    ASSERT_OK_AND_ASSIGN(const DoctorReport found,
                         Examine(lake.get(), {.clean = true, .min_age_ms = 0}, context_));
    EXPECT_FALSE(found.is_damaged());
    for (const Finding& finding : found.findings) {
      EXPECT_EQ(finding.kind, FindingKind::kLeftover) << finding.path << ": " << finding.detail;
      EXPECT_TRUE(finding.removed) << finding.path;
    }
    ExpectAllRows(*lake);
    ASSERT_OK_AND_ASSIGN(const OptimizeReport again, Optimize(lake.get(), WithCleanup(), context_));
    for (const TableOptimization& table : again.tables) EXPECT_OK(table.error);
    EXPECT_OK(again.cleanup_error);
    ExpectAllRows(*lake);
    EXPECT_EQ((*lake->OpenLance(LanceName(), context_))->num_fragments(), 1);
    ASSERT_OK_AND_ASSIGN(const DoctorReport last,
                         Examine(lake.get(), {.clean = false, .min_age_ms = 0}, context_));
    EXPECT_TRUE(last.findings.empty()) << last.findings.front().path;
  }

  void ExpectAllRows(const Lake& lake) {
    const Ids all = Range(0, 5 * kFiles);
    EXPECT_EQ(*LanceIds(lake, context_), all);
    EXPECT_EQ(*IcebergIds(lake, context_), all);
    EXPECT_EQ(*LanceIdsByPath(root_, context_), all);
  }

  void WalkStoreFailures(StoreFault fault, bool and_all_after) {
    bool failed = true;
    int64_t n = 0;
    for (; failed && n < kTooMany && !HasFailure(); ++n) {
      SCOPED_TRACE(n);
      Rewind();
      const auto store = std::make_shared<FaultyStore>(io::MakeLocalStore());
      {
        const auto lake =
            *Lake::Open(io::StorePath{.store = store, .path = root_}, std::nullopt, context_);
        store->BreakRequest(n, fault, and_all_after);
        (void)Optimize(lake.get(), WithCleanup(), context_);
        failed = store->has_failed();
        store->Reset();
      }
      ExpectWholeLake();
    }
    EXPECT_FALSE(failed);
    EXPECT_GT(n, 20);
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string root_ = folder_ / "lake";
  const std::string mark_ = folder_ / "mark";
  OperationContext context_;
};

TEST_F(OptimizeFaultTest, AStoreThatFailsOnceLosesNothing) {
  WalkStoreFailures(StoreFault::kRefuse, /*and_all_after=*/false);
}

TEST_F(OptimizeFaultTest, AStoreThatGoesAwayLosesNothing) {
  WalkStoreFailures(StoreFault::kRefuse, /*and_all_after=*/true);
}

TEST_F(OptimizeFaultTest, AStoreThatWritesAndDeniesItLosesNothing) {
  WalkStoreFailures(StoreFault::kFailAfter, /*and_all_after=*/false);
}

TEST_F(OptimizeFaultTest, KilledAtAnyRequestItLosesNothing) {
  bool killed = true;
  int64_t n = 0;
  for (; killed && n < kTooMany && !HasFailure(); ++n) {
    SCOPED_TRACE(n);
    Rewind();
    killed = WaitKilled(StartChild([&] {
      const auto store = std::make_shared<FaultyStore>(io::MakeLocalStore());
      const auto lake =
          *Lake::Open(io::StorePath{.store = store, .path = root_}, std::nullopt, context_);
      store->KillAtRequest(n);
      (void)Optimize(lake.get(), WithCleanup(), context_);
    }));
    ExpectWholeLake();
  }
  EXPECT_FALSE(killed);
  EXPECT_GT(n, 20);
}

}  // namespace
}  // namespace tusk::lake
