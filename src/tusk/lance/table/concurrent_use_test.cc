// One process uses a table from many threads, as loaders and servers do: readers share a session
// and what is open, while writers change the table. Run it under the thread sanitizer, too.

#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/compact.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/delete_rows.h"
#include "tusk/lance/merge_insert.h"
#include "tusk/lance/session.h"
#include "tusk/lance/update_values.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::lance {
namespace {

namespace cp = arrow::compute;

using DatasetPtr = std::shared_ptr<const Dataset>;

constexpr int64_t kFirstRows = 2000;
constexpr int kRounds = 10;

template <typename Array>
auto Column(const arrow::Table& table, const std::string& name) {
  std::vector<std::remove_cvref_t<decltype(std::declval<Array>().Value(0))>> values;
  for (const auto& chunk : table.GetColumnByName(name)->chunks()) {
    const auto& array = static_cast<const Array&>(*chunk);
    for (int64_t i = 0; i < array.length(); ++i) values.push_back(array.Value(i));
  }
  return values;
}

std::shared_ptr<arrow::Table> Numbered(const std::vector<int64_t>& ids) {
  return arrow::Table::FromRecordBatches({NumberedRows(ids)}).ValueOrDie();
}

std::shared_ptr<const expr::Filter> Between(int64_t begin, int64_t end) {
  const auto id = cp::field_ref("id");
  return expr::Filter::FromArrow(
      cp::and_(cp::greater_equal(id, cp::literal(begin)), cp::less(id, cp::literal(end))));
}

/// Whether what happened is what may happen to a writer beside others.
void ExpectDone(const Status& status) {
  if (GetErrorCode(status) == ErrorCode::kCommitConflict) return;
  EXPECT_OK(status);
}

class ConcurrentUseTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    ASSERT_OK(Append(0, kFirstRows, {.max_rows_per_file = 300, .enable_stable_row_ids = true}));
    // Little is kept, so that threads take from each other what they have open.
    session_ = Session::Make({.bytes = 20'000, .files = 4, .range_bytes = 10'000});
  }

  Status Append(int64_t begin, int64_t end, const WriteOptions& options) {
    const auto rows = NumberedReader(begin, end);
    return WriteDataset(rows.get(), table_, options, context_).status();
  }

  Result<DatasetPtr> Open() {
    ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table_, {}, context_));
    return GetParam() ? session_->Join(*dataset) : dataset;
  }

  /// Reads the version in every way and expects the same rows.
  Status Read(const Dataset& dataset, std::mt19937* random) {
    ScanOptions options;
    options.with_row_id = true;
    options.batch_rows = 100;
    ARROW_ASSIGN_OR_RAISE(const auto reader, dataset.Scan(options, context_));
    ARROW_ASSIGN_OR_RAISE(const auto rows, reader->ToTable());
    const auto ids = Column<arrow::Int64Array>(*rows, "id");
    const auto row_ids = Column<arrow::UInt64Array>(*rows, "_rowid");
    ARROW_ASSIGN_OR_RAISE(const auto plain, rows->RemoveColumn(rows->num_columns() - 1));
    EXPECT_TRUE(plain->Equals(*Numbered(ids))) << "version " << dataset.version();
    EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), ids.size());

    ARROW_ASSIGN_OR_RAISE(const int64_t count, dataset.CountRows(Between(500, 1500), context_));
    EXPECT_EQ(count, std::ranges::count_if(ids, [](int64_t id) { return id >= 500 && id < 1500; }));

    std::vector<int64_t> places(50);
    for (int64_t& place : places) place = static_cast<int64_t>((*random)() % ids.size());
    std::vector<int64_t> expected;
    std::vector<uint64_t> wanted;
    for (const int64_t place : places) {
      expected.push_back(ids[place]);
      wanted.push_back(row_ids[place]);
    }
    ARROW_ASSIGN_OR_RAISE(const auto taken, dataset.Take(places, {}, context_));
    EXPECT_TRUE(taken->Equals(*Numbered(expected))) << "version " << dataset.version();
    ARROW_ASSIGN_OR_RAISE(const auto found, dataset.TakeRowIds(wanted, {}, context_));
    EXPECT_TRUE(found->Equals(*Numbered(expected))) << "version " << dataset.version();
    return Status::OK();
  }

  /// Reads the newest version and one that all readers share, again and again.
  void KeepReading(const DatasetPtr& shared, unsigned seed, const std::atomic<bool>* is_over) {
    std::mt19937 random(seed);
    do {
      const Status status = [&]() -> Status {
        ARROW_RETURN_NOT_OK(Read(*shared, &random));
        ARROW_ASSIGN_OR_RAISE(const auto newest, Open());
        ARROW_RETURN_NOT_OK(Read(*newest, &random));
        return newest->ListVersions(context_).status();
      }();
      EXPECT_OK(status);
      if (!status.ok()) return;
    } while (!*is_over);
  }

  const TemporaryFolder folder_;
  const io::StorePath table_{.store = io::MakeLocalStore({.durable = false}),
                             .path = folder_ / "t"};
  const OperationContext context_;
  std::shared_ptr<const Session> session_;
};

TEST_P(ConcurrentUseTest, ReadersSeeWholeVersionsWhileWritersChangeTheTable) {
  ASSERT_OK_AND_ASSIGN(const DatasetPtr shared, Open());
  std::atomic<bool> is_over = false;
  std::vector<std::jthread> readers;
  for (unsigned i = 0; i < 3; ++i) {
    readers.emplace_back([&, i] { KeepReading(shared, i, &is_over); });
  }
  {
    std::vector<std::jthread> writers;
    writers.emplace_back([&] {  // appends rows, of which it deletes some
      for (int64_t round = 0; round < kRounds; ++round) {
        const int64_t begin = 10'000 + round * 100;
        ExpectDone(Append(begin, begin + 100, {.mode = WriteMode::kAppend}));
        ExpectDone(DeleteRows(table_, Between(begin + 90, begin + 100), {}, context_).status());
      }
    });
    writers.emplace_back([&] {  // writes rows again as they are, and some more
      for (int64_t round = 0; round < kRounds; ++round) {
        const int64_t begin = kFirstRows - 50 + round * 20;
        const auto rows = NumberedReader(begin, begin + 100);
        MergeInsertOptions options;
        options.on = {"id"};
        options.when_matched = WhenMatched::kUpdate;
        options.insert_not_matched = true;
        ExpectDone(MergeInsert(rows.get(), table_, options, context_).status());
        ExpectDone(
            UpdateValues(table_, {{"score", "score"}}, Between(100, 110), {}, context_).status());
      }
    });
    writers.emplace_back([&] {  // puts small fragments together
      for (int64_t round = 0; round < kRounds; ++round) {
        ExpectDone(Compact(table_, {}, context_).status());
      }
    });
  }
  is_over = true;
  readers.clear();

  ASSERT_OK_AND_ASSIGN(const DatasetPtr last, Open());
  ASSERT_OK_AND_ASSIGN(const auto reader, last->Scan({}, context_));
  ASSERT_OK_AND_ASSIGN(const auto rows, reader->ToTable());
  auto ids = Column<arrow::Int64Array>(*rows, "id");
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end()) << "a row is there twice";
  std::vector<int64_t> first(kFirstRows);
  std::iota(first.begin(), first.end(), 0);
  ids.resize(kFirstRows, -1);
  EXPECT_EQ(ids, first) << "a row is lost";
}

INSTANTIATE_TEST_SUITE_P(, ConcurrentUseTest, testing::Bool(), [](const auto& test) {
  return std::string(test.param ? "OneSession" : "NoSession");
});

}  // namespace
}  // namespace tusk::lance
