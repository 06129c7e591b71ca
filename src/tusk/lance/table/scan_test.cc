#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/util/byte_size.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/dataset.h"
#include "tusk/lance/table/sort_rows.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;

std::shared_ptr<arrow::Array> Numbers(int64_t rows) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < rows; ++i) EXPECT_OK(builder.Append(i));
  return builder.Finish().ValueOrDie();
}

/// Rows of `n` and a wide column `w`: of `value_bytes` random bytes each, or a list of as many
/// numbers of one byte.
std::shared_ptr<arrow::Table> WideRows(int64_t rows, int64_t value_bytes, bool as_list) {
  std::mt19937_64 random(rows);
  arrow::BinaryBuilder bytes;
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::Int8Builder>());
  auto& items = static_cast<arrow::Int8Builder&>(*lists.value_builder());
  for (int64_t i = 0; i < rows; ++i) {
    std::string value(value_bytes, '\0');
    for (char& c : value) c = static_cast<char>(random());
    if (as_list) {
      EXPECT_OK(lists.Append());
      EXPECT_OK(items.AppendValues(reinterpret_cast<const int8_t*>(value.data()), value_bytes));
    } else {
      EXPECT_OK(bytes.Append(value));
    }
  }
  const auto wide = as_list ? lists.Finish().ValueOrDie() : bytes.Finish().ValueOrDie();
  return arrow::Table::Make(
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("w", wide->type())}),
      {Numbers(rows), wide});
}

class ScanTest : public testing::Test {
 protected:
  std::shared_ptr<const Dataset> Write(const std::shared_ptr<arrow::Table>& rows,
                                       int64_t file_rows = 1 << 20) {
    auto reader = std::make_shared<arrow::TableBatchReader>(rows);
    const io::StorePath place{.store = io::MakeMemoryStore(), .path = "table"};
    return WriteDataset(reader.get(), place, {.max_rows_per_file = file_rows}, {}).ValueOrDie();
  }
  static std::shared_ptr<const expr::Filter> Parse(const std::string& text) {
    return expr::Filter::FromSql(text).ValueOrDie();
  }
};

/// Reads all with no more than one batch in the caller's hands.
Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> CopyAll(const Dataset& dataset,
                                                                 const ScanOptions& options,
                                                                 const OperationContext& context) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> copies;
  ARROW_ASSIGN_OR_RAISE(const auto reader, dataset.Scan(options, context));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return copies;
    // Out of the budget's memory.
    ARROW_ASSIGN_OR_RAISE(auto copy, arrow::ConcatenateRecordBatches({batch, batch->Slice(0, 0)}));
    copies.push_back(std::move(copy));
  }
}

TEST_F(ScanTest, ReadsRowsOfAnySizeInTheMemoryOfAFew) {
  for (const bool as_list : {false, true}) {
    const auto rows = WideRows(200, 100'000, as_list);
    const auto dataset = Write(rows, 70);
    for (const int64_t budget : {2 << 20, 6 << 20, 64 << 20}) {
      for (const bool filtered : {false, true}) {
        for (const bool ordered : {false, true}) {
          const auto executor = MakeExecutor(2);
          const auto memory = arrow::MemoryPool::CreateDefault();
          arrow::CappedMemoryPool pool(memory.get(), budget);
          OperationContext context;
          context.pool = &pool;
          context.executor = executor.get();
          ScanOptions options;
          if (filtered) options.filter = Parse("n % 3 > 0");
          if (ordered) options.order_by = {{.column = "n", .ascending = false}};
          if (ordered) options.limit = 12;
          const auto read = CopyAll(*dataset, options, context);
          ASSERT_OK(read.status());
          ASSERT_OK_AND_ASSIGN(auto found, arrow::Table::FromRecordBatches(rows->schema(), *read));
          arrow::Int64Builder wanted;
          for (int64_t i = 0; i < 200; ++i) {
            const int64_t row = ordered ? 199 - i : i;
            if (ordered && wanted.length() == 12) break;
            if (filtered && row % 3 == 0) continue;
            ASSERT_OK(wanted.Append(row));
          }
          ASSERT_OK_AND_ASSIGN(const auto expected,
                               arrow::compute::Take(rows, wanted.Finish().ValueOrDie()));
          EXPECT_TRUE(found->CombineChunks().ValueOrDie()->Equals(
              *expected.table()->CombineChunks().ValueOrDie()));
          EXPECT_EQ(pool.bytes_allocated(), 0);
        }
      }
    }
  }
}

TEST_F(ScanTest, SaysThatABudgetIsTooSmallForARow) {
  const auto dataset = Write(WideRows(5, 3'000'000, false));
  const auto memory = arrow::MemoryPool::CreateDefault();
  arrow::CappedMemoryPool pool(memory.get(), 1 << 20);
  OperationContext context;
  context.pool = &pool;
  EXPECT_THAT(CopyAll(*dataset, {}, context), FailsWith(ErrorCode::kOutOfBudget));
}

TEST_F(ScanTest, OrdersByNarrowColumnsAndTakesTheRestOfTheRowsThatAreGiven) {
  const int64_t value_bytes = 20'000;
  const auto rows = WideRows(1000, value_bytes, false);
  const auto dataset = Write(rows, 300);
  IoCounters io;
  OperationContext context;
  context.io = &io;
  ScanOptions options{.limit = 5, .offset = 2, .order_by = {{.column = "n", .ascending = false}}};
  ASSERT_OK(CopyAll(*dataset, options, context));  // opens the files
  io.read_bytes = 0;
  ASSERT_OK_AND_ASSIGN(const auto reader, dataset->Scan(options, context));
  ASSERT_OK_AND_ASSIGN(const auto found, reader->ToTable());
  ASSERT_EQ(found->num_rows(), 5);
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(found->Slice(i, 1)->CombineChunks().ValueOrDie()->Equals(
        *rows->Slice(997 - i, 1)->CombineChunks().ValueOrDie()));
  }
  EXPECT_LT(io.read_bytes, 7 * value_bytes);
  ASSERT_OK_AND_ASSIGN(const std::string plan, dataset->ExplainScan(options, context));
  EXPECT_THAT(plan, HasSubstr("Take: n, w of the rows that are given\n"
                              "  Limit: 5 rows after 2 rows\n"
                              "    Sort: n descending\n"
                              "      Read: _rowaddr, n\n"));
}

TEST_F(ScanTest, ReadsColumnsWithTheFilterUnlessTheyAreNamedAsLate) {
  const auto dataset = Write(WideRows(2000, 1000, false));
  const auto read_bytes = [&](std::optional<std::vector<std::string>> late) {
    IoCounters io;
    OperationContext context;
    context.io = &io;
    ScanOptions options{.filter = Parse("n = 7"), .late_columns = std::move(late)};
    const auto table = dataset->Scan(options, context).ValueOrDie()->ToTable().ValueOrDie();
    EXPECT_EQ(table->num_rows(), 1);
    EXPECT_EQ(table->num_columns(), 2);
    return io.read_bytes.load();
  };
  const int64_t all_late = read_bytes({});
  EXPECT_LT(all_late, 100'000);
  EXPECT_LE(read_bytes({{"w"}}), all_late);
  EXPECT_GT(read_bytes({std::vector<std::string>()}), 1'900'000);
  EXPECT_THAT(dataset->Scan({.late_columns = {{"nothing"}}}, {}), FailsWith(ErrorCode::kNotFound));
}

/// The rows of `table` in order as a stable sort of one column after the other gives them.
std::vector<uint64_t> SlowOrder(const arrow::Table& table, std::vector<Ordering> by) {
  std::vector<uint64_t> order(table.num_rows());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::reverse(by);
  for (const Ordering& key : by) {
    const auto column = table.GetColumnByName(key.column)->chunk(0);
    std::ranges::stable_sort(order, [&](uint64_t a, uint64_t b) {
      const auto i = static_cast<int64_t>(a);
      const auto j = static_cast<int64_t>(b);
      if (column->IsNull(i) || column->IsNull(j)) {
        return column->IsNull(i) != column->IsNull(j) && column->IsNull(i) == key.nulls_first;
      }
      if (const auto* texts = dynamic_cast<const arrow::StringArray*>(column.get())) {
        return key.ascending ? texts->GetView(i) < texts->GetView(j)
                             : texts->GetView(j) < texts->GetView(i);
      }
      const auto& numbers = static_cast<const arrow::Int64Array&>(*column);
      return key.ascending ? numbers.Value(i) < numbers.Value(j)
                           : numbers.Value(j) < numbers.Value(i);
    });
  }
  return order;
}

TEST(SortRowsTest, MergesRunsAsOneStableSortWouldHaveIt) {
  constexpr int64_t kRows = 300'000;
  std::mt19937_64 random(1);
  arrow::Int64Builder numbers;
  arrow::StringBuilder texts;
  for (int64_t i = 0; i < kRows; ++i) {
    const uint64_t value = random();
    if (value % 7 == 0) {
      ASSERT_OK(numbers.AppendNull());
    } else {
      ASSERT_OK(numbers.Append(static_cast<int64_t>(value % 50) - 25));
    }
    if (value % 11 == 0) {
      ASSERT_OK(texts.AppendNull());
    } else {
      ASSERT_OK(texts.Append(std::string(value % 5, static_cast<char>('a' + value % 3))));
    }
  }
  const auto table = arrow::Table::Make(
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("t", arrow::utf8())}),
      {numbers.Finish().ValueOrDie(), texts.Finish().ValueOrDie()});
  for (const bool ascending : {true, false}) {
    const std::vector<Ordering> by = {
        {.column = "t", .ascending = ascending, .nulls_first = ascending},
        {.column = "n", .ascending = !ascending, .nulls_first = ascending}};
    const std::vector<uint64_t> expected = SlowOrder(*table, by);
    for (const int64_t most : {int64_t{0}, int64_t{10}, kRows, kRows + 1}) {
      ASSERT_OK_AND_ASSIGN(const auto order, SortRows(*table, by, most, {}));
      const auto& found = static_cast<const arrow::UInt64Array&>(*order);
      ASSERT_EQ(found.length(), std::min(most, kRows));
      EXPECT_TRUE(
          std::equal(found.raw_values(), found.raw_values() + found.length(), expected.begin()));
    }
  }
}

TEST(SortRowsTest, OrdersEveryTypeInRunsAsArrowDoesAtOnce) {
  constexpr int64_t kRows = 300'000;
  std::mt19937_64 random(2);
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < kRows; ++i) {
    ASSERT_OK(builder.Append(static_cast<int64_t>(random() % 100'000)));
  }
  const auto numbers = builder.Finish().ValueOrDie();
  for (const auto& type :
       {arrow::boolean(), arrow::int8(), arrow::uint16(), arrow::int32(), arrow::uint64(),
        arrow::float32(), arrow::float64(), arrow::date32(), arrow::date64(),
        arrow::time32(arrow::TimeUnit::SECOND), arrow::time64(arrow::TimeUnit::MICRO),
        arrow::timestamp(arrow::TimeUnit::NANO), arrow::duration(arrow::TimeUnit::MILLI),
        arrow::decimal128(30, 3), arrow::decimal256(60, 3), arrow::utf8(), arrow::large_utf8()}) {
    auto cast = arrow::compute::Cast(
        arrow::Datum(numbers),
        arrow::compute::CastOptions::Unsafe(
            type->id() == arrow::Type::DATE32 || type->id() == arrow::Type::TIME32 ? arrow::int32()
                                                                                   : type));
    ASSERT_OK(cast.status()) << type->ToString();
    auto values = cast->make_array();
    if (values->type_id() != type->id()) values = values->View(type).ValueOrDie();
    const auto table = arrow::Table::Make(arrow::schema({arrow::field("k", type)}), {values});
    ASSERT_OK_AND_ASSIGN(const auto order, SortRows(*table, {{.column = "k"}}, kRows, {}));
    // No NaN and no -0 is among them, so that Arrow's order of floats is ours.
    ASSERT_OK_AND_ASSIGN(const auto expected, arrow::compute::SortIndices(*values));
    EXPECT_TRUE(order->Equals(*expected)) << type->ToString();
  }
}

TEST(SortRowsTest, StopsBetweenRuns) {
  const auto table =
      arrow::Table::Make(arrow::schema({arrow::field("n", arrow::int64())}), {Numbers(600'000)});
  std::stop_source stop;
  stop.request_stop();
  OperationContext context;
  context.stop = stop.get_token();
  EXPECT_THAT(SortRows(*table, {{.column = "n"}}, 600'000, context),
              FailsWith(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace tusk::lance
