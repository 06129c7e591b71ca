#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "tusk/catalog/catalog.h"
#include "tusk/testing/catalog_changes.h"
#include "tusk/testing/child_process.h"
#include "tusk/testing/faulty_sqlite_vfs.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::catalog {
namespace {

/// More requests than a commit makes; a walk that gets here would never end.
constexpr int64_t kTooMany = 500;

/// A catalog at joint version 1, published, on a file system that breaks on demand.
class SqliteCatalogFaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(OpenSqliteCatalog(path_, SqliteMode::kCreate, "tusk"));
    auto catalog = Open();
    ASSERT_OK(catalog->Commit(
        CommitOf({LanceChange({}, Staged(1, "t1")), IcebergChange({}, Metadata(1))}), context_));
    ASSERT_OK(catalog->RecordPublished(1, Name("media.digits"), Final(1, "t1"), context_));
  }

  std::shared_ptr<Catalog> Open() { return *OpenSqliteCatalog(path_, SqliteMode::kOpen, "tusk"); }

  /// One joint commit on top of what there is, and its publication.
  Status CommitNext(Catalog& catalog) {
    ARROW_ASSIGN_OR_RAISE(const auto tables, catalog.ListTables({}, context_));
    const TablePointer& lance = tables[0].pointer;
    const TablePointer& iceberg = tables[1].pointer;
    const std::string uuid = "t" + std::to_string(lance.version + 1);
    ARROW_ASSIGN_OR_RAISE(
        const int64_t number,
        catalog.Commit(CommitOf({LanceChange(lance, Staged(lance.version + 1, uuid)),
                                 IcebergChange(iceberg, Metadata(iceberg.version + 1))}),
                       context_));
    return catalog.RecordPublished(number, Name("media.digits"), Final(lance.version + 1, uuid),
                                   context_);
  }

  /// Both pointers, the log and the states at the last versions tell the same story; publishes what
  /// waits. Gives the newest joint version.
  int64_t ExpectWhole(Catalog& catalog) {
    const int64_t latest = *catalog.LatestNumber(context_);
    for (const LogEntry& entry : *catalog.Unpublished(context_)) {
      EXPECT_EQ(entry.number, latest);
      EXPECT_OK(catalog.RecordPublished(entry.number, Name("media.digits"),
                                        Final(latest, "t" + std::to_string(latest)), context_));
    }
    // The older ones were looked at before.
    const int64_t oldest = std::max<int64_t>(1, latest - 2);
    const auto log = catalog.Log(latest - oldest + 1, context_);
    for (int64_t number = oldest; number <= latest; ++number) {
      const auto at = number == latest ? std::nullopt : std::optional(number);
      const auto tables = *catalog.ListTables(at, context_);
      EXPECT_EQ(tables.size(), 2u);
      EXPECT_EQ(tables[0].pointer, Final(number, "t" + std::to_string(number)));
      EXPECT_TRUE(tables[0].published);
      EXPECT_EQ(tables[1].pointer, Metadata(number));
      EXPECT_EQ(log->at(latest - number).number, number);
      EXPECT_EQ(log->at(latest - number).changes.size(), 2u);
    }
    return latest;
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string path_ = folder_ / "catalog.db";
  OperationContext context_;
};

/// Runs `work` in a child; true if it was killed, false if it came to its end.
bool IsKilled(const std::function<void()>& work) { return WaitKilled(StartChild(work)); }

TEST_F(SqliteCatalogFaultTest, KilledAnywhereItHasTheOldStateOrTheNew) {
  FaultyVfs vfs;
  for (const VfsFault fault : {VfsFault::kKillBefore, VfsFault::kKillAfter}) {
    bool killed = true;
    for (int64_t n = 0; killed && n < kTooMany; ++n) {
      SCOPED_TRACE(n);
      const int64_t before = ExpectWhole(*Open());
      killed = IsKilled([&] {
        auto catalog = Open();
        vfs.BreakRequest(n, fault);
        (void)CommitNext(*catalog);
      });
      const int64_t after = ExpectWhole(*Open());
      EXPECT_TRUE(after == before || after == before + 1);
      EXPECT_OK(CommitNext(*Open()));
      EXPECT_EQ(ExpectWhole(*Open()), after + 1);
    }
    EXPECT_FALSE(killed);
  }
}

TEST_F(SqliteCatalogFaultTest, AFailedWriteIsAnErrorOrATrueCommit) {
  FaultyVfs vfs;
  for (const VfsFault fault : {VfsFault::kRefuse, VfsFault::kFailAfter}) {
    for (const bool and_all_after : {false, true}) {
      bool broken = true;
      for (int64_t n = 0; broken && n < kTooMany; ++n) {
        SCOPED_TRACE(n);
        auto catalog = Open();
        const int64_t before = ExpectWhole(*catalog);
        vfs.BreakRequest(n, fault, and_all_after);
        const Status status = CommitNext(*catalog);
        broken = vfs.has_broken();
        vfs.Reset();
        // The same object goes on to work when the disk does.
        const int64_t after = ExpectWhole(*catalog);
        EXPECT_TRUE(after == before || after == before + 1) << status.ToString();
        EXPECT_TRUE(!status.ok() || after == before + 1);
        EXPECT_OK(CommitNext(*catalog));
        EXPECT_EQ(ExpectWhole(*catalog), after + 1);
      }
      EXPECT_FALSE(broken);
    }
  }
}

TEST_F(SqliteCatalogFaultTest, KilledWhileMadeThereIsAWholeCatalogOrNone) {
  FaultyVfs vfs;
  bool killed = true;
  for (int64_t n = 0; killed && n < kTooMany; ++n) {
    SCOPED_TRACE(n);
    const std::string path = folder_ / ("new-" + std::to_string(n) + ".db");
    killed = IsKilled([&] {
      vfs.BreakRequest(n, VfsFault::kKillAfter);
      (void)OpenSqliteCatalog(path, SqliteMode::kCreate, "tusk");
    });
    const auto opened = OpenSqliteCatalog(path, SqliteMode::kOpen, "tusk");
    if (killed) {
      EXPECT_THAT(opened, FailsWith(ErrorCode::kNotFound));
      EXPECT_OK(OpenSqliteCatalog(path, SqliteMode::kCreate, "tusk"));
    } else {
      EXPECT_OK(opened);
    }
  }
  EXPECT_FALSE(killed);
}

}  // namespace
}  // namespace tusk::catalog
