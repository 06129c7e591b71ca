#include "tusk/iceberg/rewrite.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/iceberg/append.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Pair;
using TablePtr = std::shared_ptr<const Table>;

constexpr char kLocation[] = "/lake/t";

/// Tables of the column a (int64), with the part of it by a / 1000 if they are partitioned.
class RewriteTest : public testing::Test {
 protected:
  static std::shared_ptr<arrow::RecordBatchReader> Rows(int64_t first, int64_t count) {
    std::vector<int64_t> values(static_cast<size_t>(count));
    std::iota(values.begin(), values.end(), first);
    arrow::Int64Builder builder;
    EXPECT_OK(builder.AppendValues(values));
    const auto schema = arrow::schema({arrow::field("a", arrow::int64())});
    return arrow::RecordBatchReader::Make(
               {arrow::RecordBatch::Make(schema, count, {builder.Finish().ValueOrDie()})}, schema)
        .ValueOrDie();
  }

  TablePtr Open(const StagedMetadata& staged) {
    return Table::Open(store_, staged.metadata_location, context_).ValueOrDie();
  }

  TablePtr Append(const TablePtr& base, int64_t first, int64_t count,
                  std::vector<std::string> partition_by = {}) {
    AppendOptions options;
    options.partition_by = std::move(partition_by);
    return Open(StageAppend(Rows(first, count).get(), store_, kLocation, base, options, context_)
                    .ValueOrDie());
  }

  /// `appends` files of `rows` rows.
  TablePtr Make(int appends, int64_t rows, std::vector<std::string> partition_by = {}) {
    TablePtr table = Append(nullptr, 0, rows, std::move(partition_by));
    for (int i = 1; i < appends; ++i) table = Append(table, i * rows, rows);
    return table;
  }

  /// All values, ascending.
  std::vector<int64_t> Values(const Table& table) {
    const auto rows = table.Scan({}, context_).ValueOrDie()->ToTable().ValueOrDie();
    std::vector<int64_t> values;
    for (const auto& chunk : rows->column(0)->chunks()) {
      const auto& numbers = static_cast<const arrow::Int64Array&>(*chunk);
      for (int64_t i = 0; i < numbers.length(); ++i) values.push_back(numbers.Value(i));
    }
    std::ranges::sort(values);
    return values;
  }

  int64_t CountFiles(const Table& table) {
    return table.ReadMetadata(MetadataTable::kFiles, {}, context_).ValueOrDie()->num_rows();
  }

  std::set<std::string> StoredPaths() {
    std::set<std::string> paths;
    for (const auto& object : store_->List("/", context_).ValueOrDie()) paths.insert(object.path);
    return paths;
  }

  static std::vector<int64_t> Range(int64_t end) {
    std::vector<int64_t> values(static_cast<size_t>(end));
    std::iota(values.begin(), values.end(), 0);
    return values;
  }

  OperationContext context_;
  std::shared_ptr<FaultyStore> store_ = std::make_shared<FaultyStore>(io::MakeMemoryStore());
};

TEST_F(RewriteTest, PutsSmallFilesTogetherAndKeepsTheRows) {
  const TablePtr base = Make(10, 100);
  ASSERT_OK_AND_ASSIGN(const auto done, StageRewrite(store_, base, {}, context_));
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->files_removed, 10);
  EXPECT_EQ(done->files_added, 1);
  const TablePtr table = Open(done->staged);
  EXPECT_EQ(CountFiles(*table), 1);
  EXPECT_EQ(Values(*table), Range(1000));
  EXPECT_EQ(Values(*base), Range(1000));
  const auto& summary = table->snapshots().back().summary;
  EXPECT_THAT(summary, Contains(Pair("operation", "replace")));
  EXPECT_THAT(summary, Contains(Pair("added-records", "1000")));
  EXPECT_THAT(summary, Contains(Pair("deleted-data-files", "10")));
  EXPECT_THAT(summary, Contains(Pair("total-data-files", "1")));
  EXPECT_THAT(summary, Contains(Pair("total-records", "1000")));
  // One manifest says what came, another one what went; ten were there before.
  ASSERT_OK_AND_ASSIGN(const auto manifests,
                       table->ReadMetadata(MetadataTable::kManifests, {}, context_));
  EXPECT_EQ(manifests->num_rows(), 2);
  ASSERT_OK_AND_ASSIGN(const auto again, StageRewrite(store_, table, {}, context_));
  EXPECT_FALSE(again.has_value());
}

TEST_F(RewriteTest, KeepsPartitionsApart) {
  const TablePtr base = Make(4, 100, {"truncate[200](a)"});
  ASSERT_OK_AND_ASSIGN(const auto done, StageRewrite(store_, base, {}, context_));
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->files_removed, 4);
  EXPECT_EQ(done->files_added, 2);
  EXPECT_EQ(CountFiles(*Open(done->staged)), 2);
}

TEST_F(RewriteTest, LeavesALargeFileToItself) {
  TablePtr table = Append(nullptr, 0, 100000);
  table = Append(table, 100000, 10);
  ASSERT_OK_AND_ASSIGN(const RewritePlan plan, PlanRewrite(table, {}, context_));
  EXPECT_TRUE(plan.rewritten.empty());
  table = Append(table, 100010, 10);
  // A plan is for the state that it was made for.
  EXPECT_THAT(StageRewrite(store_, table, plan, {}, context_),
              FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const auto done, StageRewrite(store_, table, {}, context_));
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->files_removed, 2);
  EXPECT_EQ(CountFiles(*Open(done->staged)), 2);
}

TEST_F(RewriteTest, RewritesEachRowAFewTimesHoweverManyAppendsThereAre) {
  TablePtr table;
  int64_t rewritten = 0;
  for (int64_t i = 0; i < 64; ++i) {
    table = Append(table, i * 10, 10);
    ASSERT_OK_AND_ASSIGN(const auto done, StageRewrite(store_, table, {}, context_));
    if (!done.has_value()) continue;
    table = Open(done->staged);
    rewritten += std::stoll(table->snapshots().back().summary.at("added-records"));
  }
  EXPECT_EQ(Values(*table).size(), 640U);
  EXPECT_LE(rewritten, 640 * 11);
  EXPECT_LE(CountFiles(*table), 12);
}

TEST_F(RewriteTest, FilesThatItMadeAreLargeEnoughToStay) {
  const TablePtr base = Make(40, 20000);
  const DataFileRewrite options{.target_file_bytes = 256 << 10};
  ASSERT_OK_AND_ASSIGN(const auto done, StageRewrite(store_, base, options, context_));
  ASSERT_TRUE(done.has_value());
  EXPECT_GT(done->files_added, 1);
  ASSERT_OK_AND_ASSIGN(const auto again,
                       StageRewrite(store_, Open(done->staged), options, context_));
  EXPECT_FALSE(again.has_value());
}

TEST_F(RewriteTest, LeavesTheBaseReadableWhateverRequestFails) {
  const TablePtr base = Make(3, 10);
  const auto paths = StoredPaths();
  for (int64_t n = 0;; ++n) {
    store_->FailRequest(n);
    const auto done = StageRewrite(store_, base, {}, context_);
    const bool has_failed = store_->has_failed();
    store_->Reset();
    if (!has_failed) {
      ASSERT_GT(n, 10);
      ASSERT_OK(AbortStaged(store_, (*done)->staged, context_));
      break;
    }
    EXPECT_THAT(done, FailsWith(ErrorCode::kIo)) << n;
    EXPECT_EQ(StoredPaths(), paths) << n;
  }
  EXPECT_EQ(StoredPaths(), paths);
  EXPECT_EQ(Values(*base), Range(30));
}

TEST_F(RewriteTest, RefusesOptionsOutOfRange) {
  const TablePtr base = Make(2, 10);
  for (const DataFileRewrite& options :
       {DataFileRewrite{.target_file_bytes = 0}, DataFileRewrite{.deleted_share = -1},
        DataFileRewrite{.branch = "nowhere"}}) {
    const auto done = StageRewrite(store_, base, options, context_);
    EXPECT_FALSE(done.ok() && done->has_value());
  }
}

TEST_F(RewriteTest, StopsWhenAsked) {
  const TablePtr base = Make(3, 10);
  const auto paths = StoredPaths();
  std::stop_source stop;
  stop.request_stop();
  OperationContext context;
  context.stop = stop.get_token();
  EXPECT_THAT(StageRewrite(store_, base, {}, context), FailsWith(ErrorCode::kCancelled));
  EXPECT_EQ(StoredPaths(), paths);
}

}  // namespace
}  // namespace tusk::iceberg
