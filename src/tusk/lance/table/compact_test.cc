#include "tusk/lance/compact.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/expression.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/delete_rows.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/named_files.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

namespace cp = arrow::compute;
using testing::ElementsAre;
using testing::IsEmpty;

Status Write(const io::StorePath& table, int64_t begin, int64_t end, WriteMode mode,
             bool stable_row_ids = false) {
  const auto reader = NumberedReader(begin, end);
  return WriteDataset(
             reader.get(), table,
             {.mode = mode, .max_rows_per_file = 20, .enable_stable_row_ids = stable_row_ids}, {})
      .status();
}

std::shared_ptr<const expr::Filter> Below(int64_t id) {
  return expr::Filter::FromArrow(cp::less(cp::field_ref("id"), cp::literal(id)));
}

/// The values of an integer column, in the order of a scan.
template <typename Array>
std::vector<typename Array::value_type> Column(const io::StorePath& table,
                                               const std::string& name) {
  const auto dataset = *Dataset::Open(table, {}, {});
  ScanOptions options;
  options.columns = {name};
  const auto rows = *(*dataset->Scan(options, {}))->ToTable();
  std::vector<typename Array::value_type> values;
  for (const auto& chunk : rows->column(0)->chunks()) {
    const auto& array = static_cast<const Array&>(*chunk);
    for (int64_t i = 0; i < array.length(); ++i) values.push_back(array.Value(i));
  }
  return values;
}

std::vector<int64_t> Ids(const io::StorePath& table) {
  return Column<arrow::Int64Array>(table, "id");
}

std::vector<int64_t> Range(int64_t begin, int64_t end) {
  std::vector<int64_t> ids(end - begin);
  std::iota(ids.begin(), ids.end(), begin);
  return ids;
}

std::vector<int64_t> RowsOfFragments(const io::StorePath& table) {
  const auto dataset = *Dataset::Open(table, {}, {});
  std::vector<int64_t> rows;
  for (const FragmentInfo& fragment : dataset->ListFragments()) rows.push_back(fragment.num_rows);
  return rows;
}

/// Fragments of 17, 20, 10, 20 and 5 rows: 3 to 50 and 50 to 75.
io::StorePath MakeTable(bool stable_row_ids = false) {
  io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  EXPECT_OK(Write(table, 0, 50, WriteMode::kCreate, stable_row_ids));
  EXPECT_OK(Write(table, 50, 75, WriteMode::kAppend));
  EXPECT_OK(DeleteRows(table, Below(3), {}, {}));
  return table;
}

/// Data and deletion files that no version names.
std::vector<std::string> Leftovers(const io::StorePath& table) {
  NamedFiles named;
  for (const ManifestLocation& version : *ListManifests(table, {})) {
    EXPECT_OK(AddNamedFiles(table, version.path, &named, {}));
  }
  std::vector<std::string> leftovers;
  for (const io::ObjectInfo& file : *table.store->List(table.path, {})) {
    const std::string path = file.path.substr(table.path.size() + 1);
    const bool is_data = path.starts_with("data/") || path.starts_with("_deletions/");
    if (is_data && !Names(named, path)) leftovers.push_back(path);
  }
  return leftovers;
}

TEST(CompactTest, PutsFragmentsTogetherInTheirOrder) {
  const io::StorePath table = MakeTable();
  ASSERT_OK_AND_ASSIGN(const auto result, Compact(table, {}, {}));
  EXPECT_EQ(result.dataset->version(), 4U);
  EXPECT_THAT(RowsOfFragments(table), ElementsAre(72));
  EXPECT_EQ(Ids(table), Range(3, 75));
  EXPECT_EQ(result.metrics.fragments_removed, 5);
  EXPECT_EQ(result.metrics.fragments_added, 1);
  EXPECT_EQ(result.metrics.files_removed, 6);
  EXPECT_EQ(result.metrics.files_added, 1);
  EXPECT_THAT(Leftovers(table), IsEmpty());
  // The version before is still there.
  ASSERT_OK_AND_ASSIGN(const auto before, Dataset::Open(table, {.version = 3}, {}));
  EXPECT_EQ(before->num_fragments(), 5);
  // There is no more to do, which makes no version.
  ASSERT_OK_AND_ASSIGN(const auto again, Compact(table, {}, {}));
  EXPECT_EQ(again.dataset->version(), 4U);
  EXPECT_EQ(again.metrics.fragments_removed, 0);
}

TEST(CompactTest, WritesFragmentsOfAboutTheTargetsSize) {
  const io::StorePath table = MakeTable();
  ASSERT_OK(Compact(table, {.target_rows_per_fragment = 30}, {}));
  EXPECT_THAT(RowsOfFragments(table), ElementsAre(37, 35));
  EXPECT_EQ(Ids(table), Range(3, 75));
  ASSERT_OK(Write(table, 75, 80, WriteMode::kAppend));
  ASSERT_OK(Write(table, 80, 85, WriteMode::kAppend));
  ASSERT_OK(Compact(table, {.target_rows_per_fragment = 30}, {}));
  EXPECT_THAT(RowsOfFragments(table), ElementsAre(37, 35, 10));
  // One that is too large becomes several.
  ASSERT_OK(DeleteRows(table, Below(20), {}, {}));
  ASSERT_OK(Compact(table, {.target_rows_per_fragment = 7}, {}));
  EXPECT_THAT(RowsOfFragments(table), ElementsAre(35, 10, 10, 10));
  std::vector<int64_t> ids = Ids(table);
  std::ranges::sort(ids);
  EXPECT_EQ(ids, Range(20, 85));
}

TEST(CompactTest, AFragmentWithoutARowLeftGoes) {
  const io::StorePath table = MakeTable();
  ASSERT_OK(DeleteRows(table, Below(100), {}, {}));
  EXPECT_THAT(RowsOfFragments(table), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const auto result, Compact(table, {}, {}));
  EXPECT_EQ(result.metrics.fragments_removed, 0);
}

TEST(CompactTest, RowsKeepTheirStableIds) {
  const io::StorePath table = MakeTable(/*stable_row_ids=*/true);
  const auto before = Column<arrow::UInt64Array>(table, "_rowid");
  ASSERT_OK(Compact(table, {.target_rows_per_fragment = 25}, {}));
  EXPECT_EQ(Column<arrow::UInt64Array>(table, "_rowid"), before);
  EXPECT_EQ(Ids(table), Range(3, 75));
  ASSERT_OK_AND_ASSIGN(const auto dataset, Dataset::Open(table, {}, {}));
  const std::vector<uint64_t> some = {before[40], before[0], before[71]};
  ASSERT_OK_AND_ASSIGN(const auto rows, dataset->TakeRowIds(some, {}, {}));
  const auto& ids = static_cast<const arrow::Int64Array&>(*rows->GetColumnByName("id")->chunk(0));
  EXPECT_EQ(ids.Value(0), 43);
  EXPECT_EQ(ids.Value(1), 3);
  EXPECT_EQ(ids.Value(2), 74);
}

TEST(CompactTest, TasksAreDoneApartAndCommittedTogether) {
  const io::StorePath table = MakeTable();
  const CompactionOptions options{.target_rows_per_fragment = 30};
  ASSERT_OK_AND_ASSIGN(const auto dataset, Dataset::Open(table, {}, {}));
  ASSERT_OK_AND_ASSIGN(const auto tasks, PlanCompaction(*dataset, options, {}));
  ASSERT_EQ(tasks.size(), 2U);
  std::vector<CompactedFragments> done;
  for (const CompactionTask& task : tasks) {
    ASSERT_OK_AND_ASSIGN(done.emplace_back(), ExecuteCompaction(*dataset, task, options, {}));
  }
  // What others append meanwhile stays.
  ASSERT_OK(Write(table, 75, 80, WriteMode::kAppend));
  EXPECT_THAT(ExecuteCompaction(**Dataset::Open(table, {}, {}), tasks[0], options, {}),
              FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const auto result, CommitCompaction(table, done, options, {}));
  EXPECT_EQ(result.dataset->version(), 5U);
  EXPECT_EQ(result.metrics.fragments_removed, 5);
  EXPECT_EQ(result.metrics.fragments_added, 2);
  std::vector<int64_t> ids = Ids(table);
  std::ranges::sort(ids);
  EXPECT_EQ(ids, Range(3, 80));
  // Committed once more, they are a conflict: their fragments are gone. The files stay.
  EXPECT_THAT(CommitCompaction(table, {done[0]}, options, {}),
              FailsWith(ErrorCode::kCommitConflict));
  EXPECT_EQ(Ids(table).size(), 77U);
}

TEST(CompactTest, DoesNotBringDeletedRowsBack) {
  int64_t met = 0;
  for (int64_t n = 0;; ++n) {
    ASSERT_LT(n, 1000);
    const io::StorePath table = MakeTable();
    const auto racing = std::make_shared<FaultyStore>(table.store);
    bool called = false;
    racing->CallAtRequest(n, [&] {
      called = true;
      EXPECT_OK(DeleteRows(table, Below(30), {}, {}));
      EXPECT_OK(Write(table, 75, 80, WriteMode::kAppend));
    });
    const auto result = Compact({.store = racing, .path = "t"}, {}, {});
    ASSERT_OK(result);
    std::vector<int64_t> ids = Ids(table);
    if (!called) break;
    std::ranges::sort(ids);
    EXPECT_EQ(ids, Range(30, 80)) << n;
    EXPECT_THAT(Leftovers(table), IsEmpty()) << n;
    ++met;
  }
  EXPECT_GE(met, 10);
}

TEST(CompactTest, RefusesOptionsOutOfRange) {
  const io::StorePath table = MakeTable();
  for (const CompactionOptions& options :
       {CompactionOptions{.target_rows_per_fragment = 0}, CompactionOptions{.max_source_rows = 0},
        CompactionOptions{.max_source_bytes = -1}, CompactionOptions{.max_source_fragments = 0}}) {
    EXPECT_THAT(Compact(table, options, {}), FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(Compact(table, {.data_storage_version = "3.7"}, {}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Compact({.store = table.store, .path = "none"}, {}, {}),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Leftovers(table), IsEmpty());
}

}  // namespace
}  // namespace tusk::lance
