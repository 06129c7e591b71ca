#include "tusk/lance/table/row_sizes.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <arrow/array/array_nested.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

namespace tusk::lance {
namespace {

std::shared_ptr<arrow::RecordBatch> RowsOf(const std::vector<int64_t>& sizes) {
  arrow::LargeBinaryBuilder builder;
  for (const int64_t size : sizes) {
    EXPECT_TRUE(builder.Append(std::string(size, 'x')).ok());
  }
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("b", arrow::large_binary())}),
                                  std::ssize(sizes), {*builder.Finish()});
}

RowSizes SizesOf(const std::vector<int64_t>& sizes, int64_t batch_rows) {
  const auto rows = RowsOf(sizes);
  RowSizes found;
  for (int64_t row = 0; row < rows->num_rows(); row += batch_rows) {
    found.Add(*rows->Slice(row, batch_rows));
  }
  return found;
}

TEST(RowSizesTest, TakesWideRowsApartAndNarrowOnesTogether) {
  std::vector<int64_t> sizes(100, 10);
  sizes[40] = 1 << 20;
  const RowSizes found = SizesOf(sizes, 30);
  std::vector<int64_t> all(sizes.size());
  std::iota(all.begin(), all.end(), 0);
  // The rows that share a number with the wide one count as it does.
  EXPECT_EQ(found.CountWithin(all, 1 << 20), 32);
  EXPECT_EQ(found.CountWithin(std::span(all).subspan(48), 1 << 20), 52);
  EXPECT_EQ(found.CountWithin(std::vector<int64_t>{40, 40, 40}, 2'200'000), 2);
}

TEST(RowSizesTest, TakesOneRowAtLeast) {
  const RowSizes found = SizesOf({100'000, 5, 100'000}, 3);
  EXPECT_EQ(found.CountWithin(std::vector<int64_t>{0, 1, 2}, 1), 1);
  EXPECT_EQ(found.CountWithin(std::vector<int64_t>{}, 1), 0);
  EXPECT_EQ(RowSizes().CountWithin({}, 0), 0);
}

TEST(RowSizesTest, CountsTextsInSlicesVectorsAndNumbers) {
  const auto texts = RowsOf({7, 100'000, 3, 200'000, 9})->column(0);
  const auto vectors = arrow::MakeArrayOfNull(arrow::fixed_size_list(arrow::float32(), 5'000), 5);
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("t", texts->type()), arrow::field("v", (*vectors)->type())}), 5,
      {texts, *vectors});
  RowSizes found;
  found.Add(*batch->Slice(0, 0));
  found.Add(*batch->Slice(1, 1));
  // 120,000 bytes each.
  EXPECT_EQ(found.CountWithin(std::vector<int64_t>{0, 0, 0, 0}, 360'000), 3);
  EXPECT_EQ(found.CountWithin(std::vector<int64_t>{0, 0, 0, 0}, 359'999), 2);
}

TEST(RowSizesTest, FindsWideRowsInStructs) {
  const auto texts = RowsOf({7, 100'000, 3, 200'000, 9})->column(0);
  const auto structs =
      arrow::StructArray::Make({texts}, std::vector<std::string>{"t"}).ValueOrDie();
  RowSizes found;
  found.Add(
      *arrow::RecordBatch::Make(arrow::schema({arrow::field("s", structs->type())}), 5, {structs}));
  EXPECT_EQ(found.CountWithin(std::vector<int64_t>{3, 3, 3}, 401'000), 2);
}

TEST(RowSizesTest, TakesNoMoreThanTheBytesOfWideRowsInAnyOrder) {
  std::mt19937 random(7);
  for (const int64_t batch_rows : {1, 7, 64, 1000}) {
    std::vector<int64_t> sizes;
    for (int i = 0; i < 500; ++i) sizes.push_back(32 * 1024 + random() % 90'000);
    const RowSizes found = SizesOf(sizes, batch_rows);
    std::vector<int64_t> rows(sizes.size());
    std::iota(rows.begin(), rows.end(), 0);
    std::ranges::shuffle(rows, random);
    std::span<const int64_t> left = rows;
    while (!left.empty()) {
      const int64_t count = found.CountWithin(left, 4 << 20);
      ASSERT_GE(count, 1);
      int64_t bytes = 0;
      for (const int64_t row : left.first(count)) bytes += sizes[row];
      EXPECT_LE(bytes, 4 << 20);
      // Not many fewer than there is room for.
      if (count < std::ssize(left)) {
        EXPECT_GE(bytes, 1 << 20);
      }
      left = left.subspan(count);
    }
  }
}

}  // namespace
}  // namespace tusk::lance
