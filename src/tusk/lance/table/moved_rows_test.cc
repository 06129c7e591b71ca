#include "tusk/lance/moved_rows.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "tusk/lance/compact.h"
#include "tusk/lance/delete_rows.h"
#include "tusk/lance/transactions.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

/// Enough that the account of every second one does not fit into a manifest.
constexpr int64_t kRows = 120'000;

const OperationContext kContext;

/// So many rows with the column n, which counts them, in two fragments that an index covers.
void MakeTable(const io::StorePath& table, int64_t rows) {
  arrow::Int64Builder numbers;
  for (int64_t i = 0; i < rows; ++i) ASSERT_OK(numbers.Append(i));
  const auto schema = arrow::schema({arrow::field("n", arrow::int64())});
  const auto batch = arrow::RecordBatch::Make(schema, rows, {*numbers.Finish()});
  const auto reader = *arrow::RecordBatchReader::Make({batch}, schema);
  ASSERT_OK(WriteDataset(reader.get(), table,
                         {.mode = WriteMode::kOverwrite, .max_rows_per_file = rows / 2}, kContext));
  ASSERT_OK(CommitTransaction(table, R"({"operation": {"type": "create_index",
      "removed_indices": [], "new_indices": [{
      "uuid": "0123456789abcdef0123456789abcdef", "name": "n_idx", "fields": [0],
      "dataset_version": 1, "fragment_ranges": [[0, 2]], "files": [], "covering_fields": [],
      "index_version": 0, "created_at_ms": null, "base_id": null,
      "details_type": "/lance.table.BTreeIndexDetails", "details": []}]}})",
                              nullptr, {}, kContext));
}

Status Delete(const io::StorePath& table, const std::string& where) {
  return DeleteRows(table, *expr::Filter::FromSql(where), {}, kContext).status();
}

Status CompactKeepingAccount(const io::StorePath& table, CommitLock lock = nullptr) {
  CompactionOptions options{.materialize_deletions_threshold = 0, .defer_index_remap = true};
  options.commit_lock = std::move(lock);
  return Compact(table, options, kContext).status();
}

/// Files of accounts.
int64_t CountFiles(const io::StorePath& table) {
  const auto files = table.store->List(table.path, kContext).ValueOrDie();
  return std::ranges::count_if(
      files, [](const io::ObjectInfo& file) { return file.path.ends_with("details.binpb"); });
}

/// Where the row at `address` is; nothing if it is gone. Fails the test without an account.
std::optional<uint64_t> Find(const io::StorePath& table, uint64_t address) {
  const auto dataset = Dataset::Open(table, {}, kContext).ValueOrDie();
  arrow::UInt64Builder addresses;
  EXPECT_OK(addresses.Append(address));
  const auto moved = RemapRowAddresses(*dataset, *addresses.Finish(), kContext);
  EXPECT_OK(moved);
  if (!moved.ok() || *moved == nullptr) {
    ADD_FAILURE() << "no account";
    return std::nullopt;
  }
  const auto& values = static_cast<const arrow::UInt64Array&>(**moved);
  return values.IsNull(0) ? std::nullopt : std::optional(values.Value(0));
}

TEST(MovedRowsCommitTest, AFailedCommitLeavesNoFileOfItsAccount) {
  bool failed = true;
  int64_t n = 0;
  for (; failed && n < 1000 && !testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE(n);
    const auto store = std::make_shared<FaultyStore>(io::MakeMemoryStore());
    const io::StorePath table{.store = store, .path = "t"};
    MakeTable(table, kRows);
    ASSERT_OK(Delete(table, "n % 2 = 1"));
    store->BreakRequest(n, StoreFault::kRefuse);
    const Status status = CompactKeepingAccount(table);
    failed = store->has_failed();
    store->Reset();
    const int64_t version = Dataset::Open(table, {}, kContext).ValueOrDie()->version();
    EXPECT_EQ(version, status.ok() ? 4 : 3);
    EXPECT_EQ(CountFiles(table), status.ok() ? 1 : 0);
    if (!status.ok()) {
      ASSERT_OK(CompactKeepingAccount(table));
    }
    EXPECT_EQ(Find(table, 10), uint64_t{2} << 32 | 5);
    EXPECT_EQ(Find(table, 11), std::nullopt);
  }
  EXPECT_GT(n, 5);
}

TEST(MovedRowsCommitTest, ALostRaceKeepsOneAccount) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  MakeTable(table, kRows);
  ASSERT_OK(Delete(table, "n % 2 = 1"));
  int calls = 0;
  const auto lock = [&](uint64_t /*version*/, const std::function<Status()>& publish) -> Status {
    // Another writer comes in between, with something that goes together with it.
    if (++calls == 1) {
      ARROW_RETURN_NOT_OK(CommitTransaction(table, R"({"operation": {
          "type": "reserve_fragments", "num_fragments": 3}})",
                                            nullptr, {}, kContext));
    }
    return publish();
  };
  ASSERT_OK(CompactKeepingAccount(table, lock));
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(CountFiles(table), 1);
  // The ids that were reserved meanwhile are not taken.
  EXPECT_EQ(Find(table, 10), uint64_t{5} << 32 | 5);
}

TEST(MovedRowsCommitTest, ACleanupAndACompactionAtOnceLoseNothing) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  MakeTable(table, 100);
  ASSERT_OK(CompactKeepingAccount(table));
  ASSERT_OK(Delete(table, "n = 7"));
  // The index is built anew, of all that is there: it needs no account of before.
  ASSERT_OK(CommitTransaction(table, R"({"operation": {"type": "create_index",
      "removed_indices": [{"uuid": "0123456789abcdef0123456789abcdef", "name": "n_idx",
      "fields": [0], "dataset_version": 1, "fragment_ranges": null, "files": [],
      "covering_fields": [], "index_version": 0, "details_type": null, "details": []}],
      "new_indices": [{
      "uuid": "ffffffffffffffffffffffffffffffff", "name": "n_idx", "fields": [0],
      "dataset_version": 4, "fragment_ranges": [[2, 3]], "files": [], "covering_fields": [],
      "index_version": 0, "created_at_ms": null, "base_id": null,
      "details_type": "/lance.table.BTreeIndexDetails", "details": []}]}})",
                              nullptr, {}, kContext));
  int calls = 0;
  const auto lock = [&](uint64_t /*version*/, const std::function<Status()>& publish) -> Status {
    if (++calls == 1) ARROW_RETURN_NOT_OK(CompactKeepingAccount(table));
    return publish();
  };
  ASSERT_OK(CleanUpMovedRows(table, lock, kContext));
  EXPECT_EQ(calls, 2);
  // Of the first compaction nothing is known any more, of the second all.
  EXPECT_EQ(Find(table, 9), 9);
  EXPECT_EQ(Find(table, uint64_t{2} << 32 | 9), uint64_t{3} << 32 | 8);
  EXPECT_EQ(Find(table, uint64_t{2} << 32 | 7), std::nullopt);
  const uint64_t version = Dataset::Open(table, {}, kContext).ValueOrDie()->version();
  ASSERT_OK_AND_ASSIGN(const auto same, CleanUpMovedRows(table, nullptr, kContext));
  EXPECT_EQ(same->version(), version);
}

}  // namespace
}  // namespace tusk::lance
