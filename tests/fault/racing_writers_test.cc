#include <thread>

#include <gtest/gtest.h>

#include "tusk/lake/lake.h"
#include "tusk/lake/maintenance.h"
#include "tusk/testing/child_process.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

constexpr int kWriters = 4;
constexpr int kBatches = 8;
constexpr int64_t kBatchRows = 7;

Ids BatchOf(int writer, int batch) {
  return Range((writer * kBatches + batch) * kBatchRows, kBatchRows);
}

/// Writers that append to the same two tables, which are not there when they begin.
class RacingWritersTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK_AND_ASSIGN(lake_, Lake::Init(root_, context_)); }

  void ExpectEveryBatchOnce() {
    const int64_t count = kWriters * kBatches;
    ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(*lake_, context_));
    EXPECT_EQ(lance, Range(0, count * kBatchRows));
    ASSERT_OK_AND_ASSIGN(const Ids iceberg, IcebergIds(*lake_, context_));
    EXPECT_EQ(iceberg, lance);
    ASSERT_OK(lake_->Recover(context_));
    ASSERT_OK_AND_ASSIGN(const Ids by_path, LanceIdsByPath(root_, context_));
    EXPECT_EQ(by_path, lance);
    ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log({}, context_));
    EXPECT_EQ(static_cast<int64_t>(log.size()), count);
    // Every joint version has one batch more than the one before, the same on both sides.
    for (int64_t number = 1; number <= count; ++number) {
      ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open(root_, number, context_));
      ASSERT_OK_AND_ASSIGN(const Ids lance_at, LanceIds(*at, context_));
      EXPECT_EQ(static_cast<int64_t>(lance_at.size()), number * kBatchRows);
      ASSERT_OK_AND_ASSIGN(const Ids iceberg_at, IcebergIds(*at, context_));
      EXPECT_EQ(lance_at, iceberg_at);
    }
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string root_ = folder_ / "lake";
  OperationContext context_;
  std::shared_ptr<Lake> lake_;
};

TEST_F(RacingWritersTest, ThreadsAppendEveryBatchExactlyOnce) {
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (int batch = 0; batch < kBatches; ++batch) {
        EXPECT_OK(AppendIds(*lake_, BatchOf(writer, batch), context_));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ExpectEveryBatchOnce();
}

TEST_F(RacingWritersTest, ProcessesAppendEveryBatchExactlyOnce) {
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    children.push_back(StartChild([&, writer] {
      for (int batch = 0; batch < kBatches; ++batch) {
        EXPECT_OK(AppendIds(*lake_, BatchOf(writer, batch), context_));
      }
    }));
  }
  for (const pid_t child : children) EXPECT_FALSE(WaitKilled(child));
  ExpectEveryBatchOnce();
}

TEST_F(RacingWritersTest, ReadersSeeTheSameIdsOnBothSidesAtEveryMoment) {
  ASSERT_OK(AppendIds(*lake_, BatchOf(0, 0), context_));
  const pid_t writer = StartChild([&] {
    for (int batch = 1; batch < kBatches * kWriters; ++batch) {
      EXPECT_OK(AppendIds(*lake_, BatchOf(0, batch), context_));
    }
  });
  // A joint version is fixed for a reader that looks at both sides.
  int64_t newest = 1;
  while (newest < kBatches * kWriters) {
    ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log(1, context_));
    newest = log.at(0).number;
    ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open(root_, newest, context_));
    ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(*at, context_));
    ASSERT_OK_AND_ASSIGN(const Ids iceberg, IcebergIds(*at, context_));
    ASSERT_EQ(lance, iceberg);
    ASSERT_EQ(static_cast<int64_t>(lance.size()), newest * kBatchRows);
  }
  EXPECT_FALSE(WaitKilled(writer));
}

TEST_F(RacingWritersTest, ADoctorAndACleanupBesideWritersFindNoDamageAndDoNone) {
  ASSERT_OK(AppendIds(*lake_, BatchOf(0, 0), context_));
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    children.push_back(StartChild([&, writer] {
      for (int batch = 1; batch < kBatches; ++batch) {
        // A cleanup that leaves few versions can overtake a writer that is slower than that: it is
        // told so, and nothing of its batch is there.
        Status appended;
        do {
          appended = AppendIds(*lake_, BatchOf(writer, batch), context_).status();
        } while (GetErrorCode(appended) == ErrorCode::kCommitConflict);
        EXPECT_OK(appended);
      }
    }));
  }
  constexpr int64_t kAppends = 1 + kWriters * (kBatches - 1);
  for (int64_t newest = 0; newest < kAppends;) {
    ASSERT_OK_AND_ASSIGN(const auto report, Examine(lake_.get(), {.clean = true}, context_));
    for (const Finding& finding : report.findings) {
      EXPECT_TRUE(finding.kind == FindingKind::kLeftover ||
                  finding.kind == FindingKind::kUnpublished)
          << FindingKindName(finding.kind) << " " << finding.path << ": " << finding.detail;
    }
    const CleanupOptions options{.older_than_ms = 0, .keep_last = 12};
    ASSERT_OK(CleanUp(lake_.get(), options, context_));
    newest = 0;
    const auto log = *lake_->Log({}, context_);
    for (const auto& entry : log) newest += !entry.properties.contains("tusk.operation");
    if (HasFailure()) break;
  }
  for (const pid_t child : children) EXPECT_FALSE(WaitKilled(child));
  Ids all = BatchOf(0, 0);
  for (int writer = 0; writer < kWriters; ++writer) {
    for (int batch = 1; batch < kBatches; ++batch) all = Union(all, BatchOf(writer, batch));
  }
  EXPECT_EQ(*LanceIds(*lake_, context_), all);
  EXPECT_EQ(*IcebergIds(*lake_, context_), all);
}

TEST_F(RacingWritersTest, PathWritersAndTheLakeLoseNothing) {
  ASSERT_OK(AppendIds(*lake_, BatchOf(0, 0), context_));
  const pid_t foreign = StartChild([&] {
    for (int batch = 0; batch < kBatches; ++batch) {
      EXPECT_OK(AppendByPath(root_, BatchOf(2, batch), context_));
    }
  });
  for (int batch = 1; batch < kBatches; ++batch) {
    EXPECT_OK(AppendIds(*lake_, BatchOf(0, batch), context_));
  }
  EXPECT_FALSE(WaitKilled(foreign));
  // One more through the lake takes in what was written by path after its last version.
  ASSERT_OK(AppendIds(*lake_, BatchOf(1, 0), context_));
  Ids joint = Range(0, (kBatches + 1) * kBatchRows);
  ASSERT_OK_AND_ASSIGN(const Ids iceberg, IcebergIds(*lake_, context_));
  EXPECT_EQ(iceberg, joint);
  const Ids all = Union(joint, Range(2 * kBatches * kBatchRows, kBatches * kBatchRows));
  ASSERT_OK_AND_ASSIGN(const Ids lance, LanceIds(*lake_, context_));
  EXPECT_EQ(lance, all);
  ASSERT_OK_AND_ASSIGN(const Ids by_path, LanceIdsByPath(root_, context_));
  EXPECT_EQ(by_path, all);
}

}  // namespace
}  // namespace tusk::lake
