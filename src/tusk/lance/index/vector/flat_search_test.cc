#include "tusk/lance/index/vector/flat_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<uint64_t> Rows(const std::vector<Neighbor>& neighbors) {
  std::vector<uint64_t> rows;
  for (const Neighbor& neighbor : neighbors) rows.push_back(neighbor.row);
  return rows;
}

/// Vectors of dimension 2; an empty one is null.
std::shared_ptr<arrow::Array> Vectors(const std::vector<std::vector<float>>& vectors) {
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder builder(arrow::default_memory_pool(), values, 2);
  for (const auto& vector : vectors) {
    EXPECT_TRUE((vector.empty() ? builder.AppendNull() : builder.Append()).ok());
    EXPECT_TRUE(values->AppendValues(vector).ok());
  }
  return builder.Finish().ValueOrDie();
}

std::vector<uint64_t> FromHundred(int64_t count) {
  std::vector<uint64_t> rows(count);
  std::iota(rows.begin(), rows.end(), 100);
  return rows;
}

TEST(NearestRowsTest, KeepsTheNearestWhateverTheOrder) {
  std::mt19937 random(3);
  std::vector<Neighbor> all(500);
  for (size_t i = 0; i < all.size(); ++i) {
    // Few distances and many rows: ties are everywhere.
    all[i] = {.distance = static_cast<float>(random() % 20), .row = i};
  }
  std::vector<Neighbor> sorted = all;
  std::ranges::sort(sorted);
  for (const size_t k : {1, 2, 37, 499, 500, 501}) {
    std::ranges::shuffle(all, random);
    NearestRows nearest(static_cast<int64_t>(k));
    for (const Neighbor& neighbor : all) nearest.Add(neighbor);
    const auto end = sorted.begin() + static_cast<int64_t>(std::min(k, sorted.size()));
    EXPECT_EQ(nearest.Sorted(), std::vector<Neighbor>(sorted.begin(), end)) << k;
  }
}

TEST(NearestRowsTest, NeverKeepsNaN) {
  NearestRows nearest(2);
  nearest.Add({.distance = kNaN, .row = 0});
  nearest.Add({.distance = kInf, .row = 1});
  nearest.Add({.distance = 4, .row = 2});
  nearest.Add({.distance = kNaN, .row = 3});
  EXPECT_THAT(Rows(nearest.Sorted()), ElementsAre(2, 1));
}

TEST(SearchFlatTest, LeavesOutNullVectorsNullElementsAndNaN) {
  auto vectors = Vectors({{3, 0}, {}, {1, 0}, {kNaN, 0}, {0, 0}, {2, 0}});
  NearestRows nearest(10);
  const std::vector<float> query = {0, 0};
  ASSERT_OK(SearchFlat(Metric::kL2, query, *vectors, FromHundred(6), &nearest));
  EXPECT_THAT(nearest.Sorted(),
              ElementsAre(Neighbor{0, 104}, Neighbor{1, 102}, Neighbor{4, 105}, Neighbor{9, 100}));

  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder builder(arrow::default_memory_pool(), values, 2);
  ASSERT_OK(builder.AppendValues(2));
  ASSERT_OK(values->AppendValues(std::vector<float>{0, 0, 1, 0},
                                 std::vector<bool>{true, false, true, true}));
  ASSERT_OK_AND_ASSIGN(auto with_null_element, builder.Finish());
  NearestRows whole(10);
  ASSERT_OK(SearchFlat(Metric::kL2, query, *with_null_element, FromHundred(2), &whole));
  EXPECT_THAT(Rows(whole.Sorted()), ElementsAre(101));
}

TEST(SearchFlatTest, FindsTheSameInSlicesAsInTheWhole) {
  std::mt19937 random(5);
  std::vector<std::vector<float>> vectors(1500);
  for (auto& vector : vectors) {
    if (random() % 10 != 0) vector = {static_cast<float>(random() % 100), 0.5F};
  }
  const auto array = Vectors(vectors);
  const std::vector<float> query = {50, 1};
  std::vector<Neighbor> expected;
  for (size_t i = 0; i < vectors.size(); ++i) {
    if (vectors[i].empty()) continue;
    const float difference = vectors[i][0] - 50;
    expected.push_back({.distance = difference * difference + 0.25F, .row = 100 + i});
  }
  std::ranges::sort(expected);
  expected.resize(40);

  NearestRows nearest(40);
  const std::vector<uint64_t> rows = FromHundred(1500);
  for (int64_t begin = 0, length = 1; begin < 1500; begin += length, length += 97) {
    const auto slice = array->Slice(begin, length);
    ASSERT_OK(SearchFlat(Metric::kL2, query, *slice,
                         std::span(rows).subspan(begin, slice->length()), &nearest));
  }
  EXPECT_EQ(nearest.Sorted(), expected);
}

TEST(SearchFlatTest, TakesAnEmptyArray) {
  NearestRows nearest(3);
  const std::vector<float> query = {0, 0};
  ASSERT_OK(SearchFlat(Metric::kCosine, query, *Vectors({}), {}, &nearest));
  EXPECT_THAT(nearest.Sorted(), IsEmpty());
}

TEST(SearchFlatTest, RefusesOtherTypesByName) {
  EXPECT_THAT(CheckVectorType(*arrow::utf8(), 2), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckVectorType(*arrow::fixed_size_list(arrow::float32(), 3), 2),
              FailsWith(ErrorCode::kInvalidArgument));
  const Status doubles = CheckVectorType(*arrow::fixed_size_list(arrow::float64(), 2), 2);
  EXPECT_THAT(doubles, FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(doubles.message(), ::testing::HasSubstr("double"));
  EXPECT_THAT(CheckVectorType(*arrow::fixed_size_list(arrow::float16(), 2), 2),
              FailsWith(ErrorCode::kUnsupported));
  NearestRows nearest(3);
  const std::vector<float> query = {0, 0};
  EXPECT_THAT(SearchFlat(Metric::kL2, query, *Vectors({{1, 2}}), {}, &nearest),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tusk::lance
