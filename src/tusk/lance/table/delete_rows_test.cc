#include "tusk/lance/delete_rows.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/expression.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/transaction.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

namespace cp = arrow::compute;

std::vector<int64_t> Ids(const io::StorePath& table) {
  const OperationContext context;
  const auto dataset = *Dataset::Open(table, {}, context);
  const auto rows = *(*dataset->Scan({}, context))->ToTable();
  std::vector<int64_t> ids;
  for (const auto& chunk : rows->GetColumnByName("id")->chunks()) {
    const auto& values = static_cast<const arrow::Int64Array&>(*chunk);
    for (int64_t i = 0; i < values.length(); ++i) ids.push_back(values.Value(i));
  }
  return ids;
}

std::vector<int64_t> Range(int64_t begin, int64_t end) {
  std::vector<int64_t> ids(end - begin);
  std::iota(ids.begin(), ids.end(), begin);
  return ids;
}

Status Write(const io::StorePath& table, int64_t begin, int64_t end, WriteMode mode) {
  const auto reader = NumberedReader(begin, end);
  return WriteDataset(reader.get(), table, {.mode = mode, .max_rows_per_file = 20}, {}).status();
}

std::shared_ptr<const expr::Filter> Below(int64_t id) {
  return expr::Filter::FromArrow(cp::less(cp::field_ref("id"), cp::literal(id)));
}

TEST(DeleteRowsTest, LooksAgainForRowsIfOthersChangedSome) {
  const auto memory = io::MakeMemoryStore();
  const io::StorePath table{.store = memory, .path = "t"};
  ASSERT_OK(Write(table, 0, 50, WriteMode::kCreate));
  int64_t retried = 0;
  for (int64_t n = 0;; ++n) {
    ASSERT_OK(Write(table, 0, 50, WriteMode::kOverwrite));
    const auto racing = std::make_shared<FaultyStore>(memory);
    bool called = false;
    racing->CallAtRequest(n, [&] {
      called = true;
      EXPECT_OK(DeleteRows(table, Below(10), {}, {}));
      EXPECT_OK(Write(table, 50, 60, WriteMode::kAppend));
    });
    const io::StorePath through{.store = racing, .path = "t"};
    const auto result = DeleteRows(through, Below(30), {}, {});
    ASSERT_OK(result);
    if (!called) break;
    EXPECT_EQ(Ids(table), Range(30, 60)) << n;
    if (result->num_deleted_rows == 20) ++retried;
    EXPECT_THAT(result->num_deleted_rows, testing::AnyOf(20, 30));
  }
  EXPECT_GE(retried, 3);

  // Without a second look it is an error, and nothing is deleted.
  ASSERT_OK(Write(table, 0, 50, WriteMode::kOverwrite));
  const auto racing = std::make_shared<FaultyStore>(memory);
  racing->CallAtRequest(4, [&] { EXPECT_OK(DeleteRows(table, Below(10), {}, {})); });
  EXPECT_THAT(DeleteRows({.store = racing, .path = "t"}, Below(30), {.max_retries = 0}, {}),
              FailsWith(ErrorCode::kCommitConflict));
  EXPECT_EQ(Ids(table), Range(10, 50));
}

TEST(DeleteRowsTest, GivesUpAtOnceIfTheTableIsAnotherOne) {
  int64_t refused = 0;
  for (int64_t n = 0;; ++n) {
    const auto memory = io::MakeMemoryStore();
    const io::StorePath table{.store = memory, .path = "t"};
    ASSERT_OK(Write(table, 0, 50, WriteMode::kCreate));
    const auto racing = std::make_shared<FaultyStore>(memory);
    int64_t num_calls = 0;
    racing->CallAtRequest(n, [&] {
      ++num_calls;
      EXPECT_OK(Write(table, 20, 70, WriteMode::kOverwrite));
    });
    const auto result = DeleteRows({.store = racing, .path = "t"}, Below(30), {}, {});
    if (num_calls == 0) break;
    if (result.ok()) {
      // It saw the other table, or was first.
      EXPECT_THAT(Ids(table), testing::AnyOf(Range(30, 70), Range(20, 70))) << n;
      continue;
    }
    ++refused;
    EXPECT_THAT(result, FailsWith(ErrorCode::kCommitConflict));
    ASSERT_OK_AND_ASSIGN(const auto latest, Dataset::Open(table, {}, {}));
    ASSERT_OK_AND_ASSIGN(const auto theirs,
                         ReadTransaction(latest->state().location, latest->state().manifest_path,
                                         latest->state().manifest, {}));
    EXPECT_THAT(result.status().message(), testing::HasSubstr("overwrite"));
    EXPECT_THAT(result.status().message(), testing::HasSubstr(theirs.uuid));
    EXPECT_EQ(Ids(table), Range(20, 70)) << n;
    // What it had written is gone.
    EXPECT_EQ(memory->List("t/_deletions", {})->size(), 0) << n;
  }
  EXPECT_GE(refused, 2);
}

TEST(DeleteRowsTest, RefusesWhatItCannotDo) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  EXPECT_THAT(DeleteRows(table, Below(3), {}, {}), FailsWith(ErrorCode::kNotFound));
  ASSERT_OK(Write(table, 0, 50, WriteMode::kCreate));
  EXPECT_THAT(DeleteRows(table, nullptr, {}, {}), FailsWith(ErrorCode::kInvalidArgument));
  const auto wrong = expr::Filter::FromArrow(cp::is_null(cp::field_ref("none")));
  EXPECT_THAT(DeleteRows(table, wrong, {}, {}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Ids(table), Range(0, 50));
}

/// Which of the first two million rows are deleted.
std::vector<bool> RowsOf(const DeletedRows& deleted) {
  std::vector<bool> rows(2'000'000);
  for (const DeletedRows::Run& run : deleted.runs()) {
    std::fill(rows.begin() + run.begin, rows.begin() + run.end, true);
  }
  return rows;
}

TEST(DeletedRowsTest, AreUnitedAndWrittenAsSets) {
  std::mt19937_64 random(3);
  const auto draw = [&](uint64_t below) { return static_cast<int64_t>(random() % below); };
  for (int round = 0; round < 60; ++round) {
    DeletedRows parts[2];
    for (DeletedRows& part : parts) {
      int64_t at = draw(70'000);
      for (int64_t i = draw(8); i > 0; --i) {
        const int64_t length = 1 + draw(round % 3 == 0 ? 90'000 : 5);
        ASSERT_OK(part.Add(at, at + length));
        at += length + 1 + draw(round % 2 == 0 ? 100'000 : 3);
      }
    }
    std::vector<bool> expected = RowsOf(parts[0]);
    const std::vector<bool> others = RowsOf(parts[1]);
    for (size_t i = 0; i < expected.size(); ++i) expected[i] = expected[i] || others[i];
    ASSERT_OK_AND_ASSIGN(const DeletedRows both, Union(parts[0], parts[1]));
    EXPECT_TRUE(RowsOf(both) == expected);
    EXPECT_EQ(both.count(), std::ranges::count(expected, true));
    ASSERT_OK_AND_ASSIGN(const DeletedRows read, ParseRoaringBitmap(SerializeRoaringBitmap(both)));
    EXPECT_TRUE(RowsOf(read) == expected);
  }
}

}  // namespace
}  // namespace tusk::lance
