#include "tusk/lance/fragment_changes.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/delete_rows.h"
#include "tusk/lance/transactions.h"
#include "tusk/testing/broken_requests.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

using DatasetPtr = std::shared_ptr<const Dataset>;

/// 50 rows in three fragments, the rows 4 and 21 deleted.
io::StorePath MakeTable() {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  const auto reader = NumberedReader(0, 50);
  EXPECT_OK(WriteDataset(reader.get(), table,
                         {.mode = WriteMode::kOverwrite, .max_rows_per_file = 20}, {}));
  EXPECT_OK(DeleteRows(table, *expr::Filter::FromSql("id = 4 or id = 21"), {}, {}));
  return table;
}

DatasetPtr Open(const io::StorePath& table) { return *Dataset::Open(table, {}, {}); }

/// Data with the columns `key` and `score`, which is -1 for these keys.
std::shared_ptr<arrow::RecordBatchReader> Scores(const std::vector<int64_t>& ids) {
  arrow::Int64Builder keys;
  arrow::DoubleBuilder scores;
  for (const int64_t id : ids) {
    EXPECT_OK(keys.Append(id));
    EXPECT_OK(scores.Append(-1));
  }
  const auto schema =
      arrow::schema({arrow::field("key", arrow::int64()), arrow::field("score", arrow::float64())});
  const auto batch =
      arrow::RecordBatch::Make(schema, std::ssize(ids), {*keys.Finish(), *scores.Finish()});
  return *arrow::RecordBatchReader::Make({batch}, schema);
}

/// One column `square`, of so many rows.
std::shared_ptr<arrow::RecordBatchReader> Squares(int64_t rows) {
  arrow::Int64Builder squares;
  for (int64_t i = 0; i < rows; ++i) EXPECT_OK(squares.Append(i * i));
  const auto schema = arrow::schema({arrow::field("square", arrow::int64())});
  return *arrow::RecordBatchReader::Make(
      {arrow::RecordBatch::Make(schema, rows, {*squares.Finish()})}, schema);
}

std::vector<std::string> Files(const io::StorePath& table) {
  std::vector<std::string> paths;
  for (const io::ObjectInfo& info : *table.store->List(table.path, {})) paths.push_back(info.path);
  std::ranges::sort(paths);
  return paths;
}

/// The ids of rows for which `filter` is true.
std::vector<int64_t> Ids(const Dataset& dataset, std::string_view filter) {
  const OperationContext context;
  ScanOptions options;
  options.columns = {"id"};
  options.filter = *expr::Filter::FromSql(filter);
  const auto batch = *(*(*dataset.Scan(options, context))->ToTable())->CombineChunksToBatch();
  const auto& ids = static_cast<const arrow::Int64Array&>(*batch->column(0));
  return {ids.raw_values(), ids.raw_values() + ids.length()};
}

Result<DatasetPtr> Commit(const io::StorePath& table, const std::string& transaction) {
  return CommitTransaction(table, transaction, nullptr, {}, {});
}

using Change = std::function<Result<std::string>(const Dataset&)>;

const std::vector<int64_t> kOffsets = {0, 4, 19};

/// Every change of the fragment 0, which has 19 of its 20 rows.
const std::vector<Change> kChanges = {
    [](const Dataset& base) { return AddFragmentColumns(base, 0, Squares(19).get(), {}, {}); },
    [](const Dataset& base) {
      const auto scores = Scores({2, 4, 60});
      const auto names = std::vector<std::string>{"key", "another"};
      const auto renamed = *arrow::RecordBatchReader::Make(
          {*(*(*scores->ToTable())->RenameColumns(names))->CombineChunksToBatch()});
      return JoinFragmentColumns(base, 0, renamed.get(), "id", "key", {});
    },
    [](const Dataset& base) {
      return UpdateFragmentColumns(base, 0, Scores({2, 4, 60}).get(), "id", "key", {});
    },
    [](const Dataset& base) {
      return DeleteFragmentRows(base, 0, *expr::Filter::FromSql("id < 7"), {}, {});
    },
    [](const Dataset& base) { return DeleteFragmentRows(base, 0, nullptr, kOffsets, {}); },
};

TEST(FragmentChangesTest, AWriteIsCommittedLater) {
  const io::StorePath table = MakeTable();
  const auto reader = NumberedReader(50, 60);
  ASSERT_OK_AND_ASSIGN(const std::string prepared,
                       PrepareWrite(reader.get(), table, {.mode = WriteMode::kAppend}, {}));
  EXPECT_EQ(Open(table)->version(), 2U);
  ASSERT_OK_AND_ASSIGN(const DatasetPtr after, Commit(table, prepared));
  EXPECT_EQ(after->version(), 3U);
  EXPECT_EQ(Ids(*after, "id >= 50").size(), 10U);
}

TEST(FragmentChangesTest, ValuesOfMatchesChangeAndAllOthersStay) {
  const io::StorePath table = MakeTable();
  const DatasetPtr before = Open(table);
  ASSERT_OK_AND_ASSIGN(
      const std::string prepared,
      UpdateFragmentColumns(*before, 0, Scores({2, 4, 19, 60}).get(), "id", "key", {}));
  ASSERT_OK_AND_ASSIGN(const DatasetPtr after, Commit(table, prepared));
  EXPECT_THAT(Ids(*after, "score = -1"), testing::ElementsAre(2, 19));
  EXPECT_EQ(Ids(*after, "true"), Ids(*before, "true"));
}

TEST(FragmentChangesTest, OffsetsCountDeletedRows) {
  const io::StorePath table = MakeTable();
  ASSERT_OK_AND_ASSIGN(const std::string prepared,
                       DeleteFragmentRows(*Open(table), 0, nullptr, kOffsets, {}));
  ASSERT_OK_AND_ASSIGN(const DatasetPtr after, Commit(table, prepared));
  EXPECT_THAT(Ids(*after, "id < 20"), testing::Not(testing::Contains(0)));
  EXPECT_EQ(Ids(*after, "id < 20").size(), 17U);
}

TEST(FragmentChangesTest, RefusesAFragmentThatIsNotThere) {
  const DatasetPtr base = Open(MakeTable());
  EXPECT_THAT(AddFragmentColumns(*base, 9, Squares(1).get(), {}, {}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(UpdateFragmentColumns(*base, 9, Scores({1}).get(), "id", "key", {}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(JoinFragmentColumns(*base, 9, Scores({1}).get(), "id", "key", {}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(DeleteFragmentRows(*base, 9, nullptr, kOffsets, {}),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(FragmentChangesTest, RefusesPathsThatLeaveTheTable) {
  const DatasetPtr base = Open(MakeTable());
  for (const char* path : {"../t/data/x.lance", "/etc/passwd", ""}) {
    EXPECT_FALSE(DescribeDataFile(*base, path, {}).ok()) << path;
  }
}

TEST(FragmentChangesTest, AFailureOfTheStoreLeavesNoFileAndNoVersion) {
  for (const Change& change : kChanges) {
    std::vector<std::string> before;
    const int64_t requests = BreakEveryRequest(
        {.fault = StoreFault::kRefuse},
        [&] {
          io::StorePath table = MakeTable();
          before = Files(table);
          return table;
        },
        [&](const io::StorePath& broken, const io::StorePath& table) {
          const auto base = Dataset::Open(broken, {}, {});
          if (!base.ok()) return;
          const auto prepared = change(**base);
          if (!prepared.ok()) {
            EXPECT_EQ(Files(table), before);
          }
          EXPECT_EQ(Open(table)->version(), 2U);
        });
    EXPECT_GT(requests, 3);
  }
}

}  // namespace
}  // namespace tusk::lance
