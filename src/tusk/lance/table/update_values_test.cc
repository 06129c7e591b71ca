#include "tusk/lance/update_values.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/delete_rows.h"
#include "tusk/testing/bounded_pool.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

/// The score of each row by its id.
std::map<int64_t, double> Scores(const io::StorePath& table) {
  const OperationContext context;
  const auto dataset = *Dataset::Open(table, {}, context);
  const auto rows = *(*dataset->Scan({}, context))->ToTable();
  const auto batch = *rows->CombineChunksToBatch();
  std::map<int64_t, double> scores;
  const auto& ids = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("id"));
  const auto& values = static_cast<const arrow::DoubleArray&>(*batch->GetColumnByName("score"));
  for (int64_t i = 0; i < batch->num_rows(); ++i) scores[ids.Value(i)] = values.Value(i);
  EXPECT_EQ(static_cast<int64_t>(scores.size()), batch->num_rows());
  return scores;
}

/// Those of the rows [begin, end), where `changed` of the first have 1000 more.
std::map<int64_t, double> Expected(int64_t begin, int64_t end, int64_t changed) {
  std::map<int64_t, double> scores;
  for (int64_t id = begin; id < end; ++id) {
    scores[id] = static_cast<double>(id) / 4 + (id < changed ? 1000 : 0);
  }
  return scores;
}

Status Write(const io::StorePath& table, int64_t begin, int64_t end, WriteMode mode) {
  const auto reader = NumberedReader(begin, end);
  return WriteDataset(reader.get(), table, {.mode = mode, .max_rows_per_file = 20}, {}).status();
}

std::shared_ptr<const expr::Filter> Sql(const std::string& text) {
  return *expr::Filter::FromSql(text);
}

const std::vector<NamedExpression> kAddThousand = {{"score", "score + 1000"}};

TEST(UpdateValuesTest, LooksAgainForRowsIfOthersChangedSome) {
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
      EXPECT_OK(UpdateValues(table, {{"score", "score - 2000"}}, Sql("id < 10"), {}, {}));
      EXPECT_OK(Write(table, 50, 60, WriteMode::kAppend));
    });
    const auto result =
        UpdateValues({.store = racing, .path = "t"}, kAddThousand, Sql("id < 30"), {}, {});
    ASSERT_OK(result);
    if (!called) break;
    auto expected = Expected(0, 60, 30);
    for (int64_t id = 0; id < 10; ++id) expected[id] -= 2000;
    EXPECT_EQ(Scores(table), expected) << n;
    EXPECT_EQ(result->num_updated_rows, 30);
    ++retried;
  }
  EXPECT_GE(retried, 7);
}

TEST(UpdateValuesTest, KeepsRowIdsAndOtherColumns) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  const auto reader = NumberedReader(0, 50);
  ASSERT_OK(WriteDataset(reader.get(), table,
                         {.max_rows_per_file = 20, .enable_stable_row_ids = true}, {}));
  ASSERT_OK_AND_ASSIGN(
      const UpdateResult result,
      UpdateValues(table, {{"score", "id"}, {"name", "'n'"}}, Sql("id % 3 = 1"), {}, {}));
  EXPECT_EQ(result.num_updated_rows, 17);
  ASSERT_OK_AND_ASSIGN(const auto scan, result.dataset->Scan({.with_row_id = true}, {}));
  ASSERT_OK_AND_ASSIGN(const auto rows, scan->ToTable());
  ASSERT_OK_AND_ASSIGN(const auto batch, rows->CombineChunksToBatch());
  ASSERT_EQ(batch->num_rows(), 50);
  const auto& ids = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("id"));
  const auto& row_ids = static_cast<const arrow::UInt64Array&>(*batch->GetColumnByName("_rowid"));
  const auto& scores = static_cast<const arrow::DoubleArray&>(*batch->GetColumnByName("score"));
  const auto vectors = batch->GetColumnByName("vector");
  for (int64_t i = 0; i < 50; ++i) {
    const int64_t id = ids.Value(i);
    EXPECT_EQ(row_ids.Value(i), static_cast<uint64_t>(id));
    EXPECT_EQ(scores.Value(i), id % 3 == 1 ? static_cast<double>(id) : static_cast<double>(id) / 4);
    EXPECT_TRUE(
        vectors->RangeEquals(*NumberedRows(id, id + 1)->GetColumnByName("vector"), i, i + 1, 0));
    EXPECT_EQ(i >= 33, id % 3 == 1);  // what has changed stands behind
  }
}

TEST(UpdateValuesTest, GivesUpWhenItMayNotTryAgain) {
  for (const bool by_time : {false, true}) {
    UpdateOptions options;
    if (by_time) {
      options.retry_timeout = std::chrono::milliseconds(0);
    } else {
      options.max_retries = 0;
    }
    int64_t conflicts = 0;
    bool called = true;
    for (int64_t n = 0; called; ++n) {
      const auto memory = io::MakeMemoryStore();
      const io::StorePath table{.store = memory, .path = "t"};
      ASSERT_OK(Write(table, 0, 50, WriteMode::kCreate));
      const auto racing = std::make_shared<FaultyStore>(memory);
      called = false;
      racing->CallAtRequest(n, [&] {
        called = true;
        EXPECT_OK(DeleteRows(table, Sql("id = 7 or id = 8"), {}, {}));
      });
      const auto before = memory->List("t/data", {})->size();
      const auto result =
          UpdateValues({.store = racing, .path = "t"}, kAddThousand, nullptr, options, {});
      if (result.ok()) continue;
      ++conflicts;
      EXPECT_THAT(result, FailsWith(ErrorCode::kCommitConflict));
      EXPECT_EQ(memory->List("t/data", {})->size(), before);
    }
    EXPECT_GE(conflicts, 3);
  }
}

TEST(UpdateValuesTest, NeedsMemoryForItsStepsAndNotForTheTable) {
  constexpr int64_t kBatches = 640;
  constexpr int64_t kRows = 250;
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("bytes", arrow::binary())});
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  std::mt19937_64 random(5);
  for (int64_t i = 0; i < kBatches; ++i) {
    arrow::Int64Builder ids;
    arrow::BinaryBuilder bytes;
    for (int64_t row = 0; row < kRows; ++row) {
      ASSERT_OK(ids.Append(i * kRows + row));
      std::string value;
      for (int word = 0; word < 128; ++word) AppendLittle(random(), &value);
      ASSERT_OK(bytes.Append(value));
    }
    batches.push_back(arrow::RecordBatch::Make(schema, kRows, {*ids.Finish(), *bytes.Finish()}));
  }
  ASSERT_OK_AND_ASSIGN(const auto reader, arrow::RecordBatchReader::Make(batches, schema));
  ASSERT_OK(WriteDataset(reader.get(), table, {}, {}));
  BoundedPool pool(96 << 20);  // of 164 MB that are written again
  const auto executor = MakeExecutor(1);
  OperationContext context;
  context.pool = &pool;
  context.executor = executor.get();
  ASSERT_OK_AND_ASSIGN(const auto result,
                       UpdateValues(table, {{"id", "id + 1"}}, nullptr, {}, context));
  EXPECT_EQ(result.num_updated_rows, kBatches * kRows);
  ASSERT_OK_AND_ASSIGN(const auto dataset, Dataset::Open(table, {}, {}));
  ASSERT_OK_AND_ASSIGN(const auto scan, dataset->Scan({}, {}));
  ASSERT_OK_AND_ASSIGN(const auto after, scan->ToTable());
  ASSERT_OK_AND_ASSIGN(const auto before, arrow::Table::FromRecordBatches(schema, batches));
  EXPECT_TRUE(after->column(1)->Equals(before->column(1)));
  const auto& ids = static_cast<const arrow::Int64Array&>(*after->column(0)->chunk(0));
  EXPECT_EQ(ids.Value(7), 8);
}

TEST(UpdateValuesTest, RefusesWhatItCannotDo) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  EXPECT_THAT(UpdateValues(table, kAddThousand, nullptr, {}, {}), FailsWith(ErrorCode::kNotFound));
  ASSERT_OK(Write(table, 0, 50, WriteMode::kCreate));
  const std::vector<std::vector<NamedExpression>> wrong = {
      {},
      {{"none", "1"}},
      {{"score", "none"}},
      {{"score", "1 +"}},
      {{"score", "1"}, {"score", "2"}},
      {{"id", "0.5"}},
      {{"id", "name"}},
      {{"id", "null"}},
      {{"vector", "1"}},
  };
  for (const auto& values : wrong) {
    EXPECT_THAT(UpdateValues(table, values, nullptr, {}, {}),
                FailsWith(ErrorCode::kInvalidArgument))
        << (values.empty() ? "" : values[0].expression);
  }
  EXPECT_THAT(UpdateValues(table, kAddThousand, Sql("none = 1"), {}, {}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Scores(table), Expected(0, 50, 0));
  EXPECT_EQ(table.store->List("t/data", {})->size(), 3);
}

}  // namespace
}  // namespace tusk::lance
