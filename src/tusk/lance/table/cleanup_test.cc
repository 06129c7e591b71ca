#include "tusk/lance/cleanup.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/expression.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/delete_rows.h"
#include "tusk/lance/table/commit.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/named_files.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

namespace cp = arrow::compute;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Status Write(const io::StorePath& table, int64_t begin, int64_t end, WriteMode mode) {
  const auto reader = NumberedReader(begin, end);
  return WriteDataset(reader.get(), table, {.mode = mode, .max_rows_per_file = 20}, {}).status();
}

/// Versions 1 to 5, of 50, 47, 20, 30 and 25 rows: made, rows deleted, overwritten, appended to,
/// rows deleted.
io::StorePath MakeTable() {
  io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  const auto below = [](int64_t id) {
    return expr::Filter::FromArrow(cp::less(cp::field_ref("id"), cp::literal(id)));
  };
  EXPECT_OK(Write(table, 0, 50, WriteMode::kCreate));
  EXPECT_OK(DeleteRows(table, below(3), {}, {}));
  EXPECT_OK(Write(table, 100, 120, WriteMode::kOverwrite));
  EXPECT_OK(Write(table, 120, 130, WriteMode::kAppend));
  EXPECT_OK(DeleteRows(table, below(105), {}, {}));
  return table;
}

/// The rows of a version that are there to be read; -1 if it is not.
int64_t RowsOf(const io::StorePath& table, uint64_t version) {
  const auto dataset = Dataset::Open(table, {.version = version}, {});
  if (GetErrorCode(dataset.status()) == ErrorCode::kNotFound) return -1;
  EXPECT_OK(dataset);
  const auto reader = (*dataset)->Scan({}, {});
  EXPECT_OK(reader);
  const auto rows = (*reader)->ToTable();
  EXPECT_OK(rows);
  return rows.ok() ? (*rows)->num_rows() : -2;
}

std::vector<int64_t> RowsOfAll(const io::StorePath& table, uint64_t versions = 5) {
  std::vector<int64_t> rows;
  for (uint64_t version = 1; version <= versions; ++version) {
    rows.push_back(RowsOf(table, version));
  }
  return rows;
}

Result<TableCleanupReport> CleanUpLatest(const io::StorePath& table,
                                         const CleanupOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, {}));
  return CleanUp(*dataset, options, {});
}

/// What lies in the table's folder that none of its versions names.
std::vector<std::string> Leftovers(const io::StorePath& table) {
  NamedFiles named;
  const auto versions = ListManifests(table, {});
  EXPECT_OK(versions);
  for (const ManifestLocation& version : *versions) {
    EXPECT_OK(AddNamedFiles(table, version.path, &named, {}));
  }
  std::vector<std::string> leftovers;
  const auto files = table.store->List(table.path, {});
  EXPECT_OK(files);
  for (const io::ObjectInfo& file : *files) {
    const std::string path = file.path.substr(table.path.size() + 1);
    if (!path.ends_with("_hint.json") && !Names(named, path)) leftovers.push_back(path);
  }
  return leftovers;
}

void Tag(const io::StorePath& table, uint64_t version) {
  EXPECT_OK(table.store->Put(
      "t/_refs/tags/good.json",
      "{\"branch\": null, \"version\": " + std::to_string(version) + ", \"manifestSize\": 1}", {}));
}

TEST(CleanUpTest, RemovesWhatTheRulesAgreeOn) {
  constexpr int64_t kDay = int64_t{24} * 60 * 60 * 1000;
  const auto left = [](const CleanupOptions& options) {
    const io::StorePath table = MakeTable();
    EXPECT_OK(CleanUpLatest(table, options));
    EXPECT_THAT(Leftovers(table), IsEmpty());
    return RowsOfAll(table);
  };
  EXPECT_THAT(left({.older_than_ms = {}}), ElementsAre(-1, -1, -1, -1, 25));
  EXPECT_THAT(left({.older_than_ms = kDay}), ElementsAre(50, 47, 20, 30, 25));
  EXPECT_THAT(left({.older_than_ms = {}, .keep_last = 2}), ElementsAre(-1, -1, -1, 30, 25));
  EXPECT_THAT(left({.older_than_ms = {}, .keep_last = 9}), ElementsAre(50, 47, 20, 30, 25));
  EXPECT_THAT(left({.older_than_ms = {}, .versions = {{1, 3, 5, 77}}}),
              ElementsAre(-1, 47, -1, 30, 25));
  EXPECT_THAT(left({.older_than_ms = {}, .keep_last = 3, .versions = {{2, 3}}}),
              ElementsAre(50, -1, 20, 30, 25));
  EXPECT_THAT(left({.older_than_ms = kDay, .versions = {{2, 3}}}), ElementsAre(50, 47, 20, 30, 25));
}

TEST(CleanUpTest, TellsWhatItRemovesAndADryRunDoesNot) {
  const io::StorePath table = MakeTable();
  const size_t before = table.store->List("t", {})->size();
  ASSERT_OK_AND_ASSIGN(const auto dry,
                       CleanUpLatest(table, {.older_than_ms = {}, .dry_run = true}));
  EXPECT_EQ(table.store->List("t", {})->size(), before);
  ASSERT_OK_AND_ASSIGN(const auto report, CleanUpLatest(table, {.older_than_ms = {}}));
  EXPECT_EQ(table.store->List("t", {})->size(), before - report.files.size());
  const auto count = [&](TableFileKind kind) {
    return std::ranges::count(report.files, kind, &RemovableFile::kind);
  };
  EXPECT_EQ(count(TableFileKind::kManifest), 4);
  EXPECT_EQ(count(TableFileKind::kTransaction), 4);
  EXPECT_EQ(count(TableFileKind::kData), 3);
  EXPECT_EQ(count(TableFileKind::kDeletion), 1);
  ASSERT_EQ(dry.files.size(), report.files.size());
  for (size_t i = 0; i < dry.files.size(); ++i) {
    EXPECT_EQ(dry.files[i].path, report.files[i].path);
    EXPECT_EQ(dry.files[i].size_bytes, report.files[i].size_bytes);
    EXPECT_GT(report.files[i].size_bytes, 0);
    EXPECT_FALSE(report.files[i].is_unverified);
  }
}

TEST(CleanUpTest, KeepsWhatSomebodyHolds) {
  const io::StorePath table = MakeTable();
  Tag(table, 2);
  const auto refused = CleanUpLatest(table, {.older_than_ms = {}});
  EXPECT_THAT(refused, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(refused.status().message(), HasSubstr("version 2"));
  EXPECT_THAT(RowsOfAll(table), ElementsAre(50, 47, 20, 30, 25));
  // The version that is open and newer ones stay.
  ASSERT_OK_AND_ASSIGN(const auto old, Dataset::Open(table, {.version = 4}, {}));
  ASSERT_OK(CleanUp(*old, {.older_than_ms = {}, .error_if_tagged = false}, {}));
  EXPECT_THAT(RowsOfAll(table), ElementsAre(-1, 47, -1, 30, 25));
  // So do detached versions.
  const auto manifest = *table.store->Get("t/" + FinalManifestPath(4), {});
  ASSERT_OK(table.store->Put("t/_versions/d9223372036854775812.manifest",
                             std::string_view(*manifest), {}));
  ASSERT_OK(CleanUpLatest(table, {.older_than_ms = {}, .error_if_tagged = false}));
  EXPECT_THAT(RowsOfAll(table), ElementsAre(-1, 47, -1, -1, 25));
  NamedFiles named;
  ASSERT_OK(AddNamedFiles(table, "_versions/d9223372036854775812.manifest", &named, {}));
  for (const std::string& path : named.data) EXPECT_OK(table.store->Head("t/" + path, {}));
}

TEST(CleanUpTest, LeavesFilesThatNobodyNamesToTheirWritersForAWeek) {
  const io::StorePath table = MakeTable();
  const std::vector<std::string> unnamed = {
      "_deletions/0-1-99.arrow",
      "_indices/12345678-1234-1234-1234-123456789012/page.lance",
      "_staged/9-a.manifest",
      "_transactions/5-a.txn",
      "_versions/.tmp_7.manifest_ab",
      "data/new.lance",
      "data/new/00.blob"};
  const std::vector<std::string> others = {"data/notes.txt", "data/mine/x.bin",
                                           "tree/b/data/x.lance", "x.lance"};
  for (const auto& paths : {unnamed, others}) {
    for (const std::string& path : paths) ASSERT_OK(table.store->Put("t/" + path, "x", {}));
  }
  ASSERT_OK(table.store->Delete("t/tree/b/data/x.lance", {}));
  ASSERT_OK_AND_ASSIGN(auto report, CleanUpLatest(table, {.older_than_ms = {}}));
  for (const std::string& path : unnamed) EXPECT_OK(table.store->Head("t/" + path, {}));
  ASSERT_OK_AND_ASSIGN(report,
                       CleanUpLatest(table, {.older_than_ms = {}, .delete_unverified = true}));
  std::vector<std::string> removed;
  for (const RemovableFile& file : report.files) {
    EXPECT_TRUE(file.is_unverified);
    removed.push_back(file.path);
  }
  EXPECT_EQ(removed, unnamed);
  EXPECT_THAT(Leftovers(table), ElementsAre("data/mine/x.bin", "data/notes.txt", "x.lance"));
  EXPECT_EQ(RowsOf(table, 5), 25);
}

TEST(CleanUpTest, LeavesWholeVersionsWhicheverRequestFails) {
  int64_t failed = 0;
  for (int64_t n = 0;; ++n) {
    ASSERT_LT(n, 1000);
    const io::StorePath table = MakeTable();
    ASSERT_OK_AND_ASSIGN(const auto dataset, Dataset::Open(table, {}, {}));
    const auto faulty = std::make_shared<FaultyStore>(table.store);
    ASSERT_OK_AND_ASSIGN(const auto through, Dataset::Open({.store = faulty, .path = "t"}, {}, {}));
    faulty->BreakRequest(n, StoreFault::kRefuse, /*and_all_after=*/true);
    const auto report = CleanUp(*through, {.older_than_ms = {}}, {});
    const std::vector<int64_t> whole = {50, 47, 20, 30, 25};
    const std::vector<int64_t> left = RowsOfAll(table);
    for (size_t i = 0; i < whole.size(); ++i) {
      EXPECT_TRUE(left[i] == -1 || left[i] == whole[i]) << n;
    }
    EXPECT_EQ(left[4], 25);
    if (!faulty->has_failed()) {
      EXPECT_EQ(report->failed_deletes, 0);
      break;
    }
    ++failed;
    if (report.ok()) {
      // The last requests renew the hint of the latest version, without which all is gone as well.
      const bool is_done =
          left == std::vector<int64_t>{-1, -1, -1, -1, 25} && Leftovers(table).empty();
      EXPECT_EQ(report->failed_deletes == 0, is_done) << n;
      EXPECT_EQ(report->first_failure.empty(), is_done) << n;
    }
    ASSERT_OK(CleanUpLatest(table, {.older_than_ms = {}, .delete_unverified = true}));
    EXPECT_THAT(Leftovers(table), IsEmpty());
    EXPECT_THAT(RowsOfAll(table), ElementsAre(-1, -1, -1, -1, 25));
  }
  EXPECT_GE(failed, 12);
}

TEST(CleanUpTest, AVersionThatIsRestoredMeanwhileIsWhole) {
  int64_t restored = 0;
  for (int64_t n = 0;; ++n) {
    ASSERT_LT(n, 1000);
    const io::StorePath table = MakeTable();
    const auto racing = std::make_shared<FaultyStore>(table.store);
    ASSERT_OK_AND_ASSIGN(const auto through, Dataset::Open({.store = racing, .path = "t"}, {}, {}));
    bool called = false;
    racing->CallAtRequest(n, [&] {
      called = true;
      const auto handler = MakePutIfAbsentHandler();
      const auto latest = Dataset::Open(table, {}, {});
      const auto staged = StageRestore(table, *latest, 2, handler.get(), {});
      if (staged.ok()) {
        EXPECT_OK(handler->Publish(table, *staged, {}));
      }
    });
    ASSERT_OK(CleanUp(*through, {.older_than_ms = {}}, {}));
    if (!called) break;
    const int64_t rows = RowsOf(table, 6);
    if (rows != -1) {
      EXPECT_EQ(rows, 47) << n;
      ++restored;
    }
    EXPECT_EQ(RowsOf(table, 5), 25);
  }
  EXPECT_GE(restored, 3);
}

TEST(CleanUpTest, RefusesRulesThatMakeNoSense) {
  const io::StorePath table = MakeTable();
  EXPECT_THAT(CleanUpLatest(table, {.older_than_ms = -1}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CleanUpLatest(table, {.keep_last = 0}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CleanUpLatest(table, {.versions = {{}}}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(RowsOfAll(table), ElementsAre(50, 47, 20, 30, 25));
}

}  // namespace
}  // namespace tusk::lance
