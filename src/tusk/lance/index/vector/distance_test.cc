#include "tusk/lance/index/vector/distance.h"

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using ::testing::ElementsAre;

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kCosine, Metric::kDot};

/// The definition, in double.
double SlowDistance(Metric metric, const float* a, const float* b, size_t dim) {
  double l2 = 0;
  double dot = 0;
  double squared_a = 0;
  double squared_b = 0;
  for (size_t i = 0; i < dim; ++i) {
    l2 += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    dot += double{a[i]} * b[i];
    squared_a += double{a[i]} * a[i];
    squared_b += double{b[i]} * b[i];
  }
  if (metric == Metric::kL2) return l2;
  if (metric == Metric::kDot) return 1 - dot;
  return 1 - dot / std::sqrt(squared_a * squared_b);
}

/// What the promised error is relative to: the sum of the terms' absolute values.
double TermSum(Metric metric, const float* a, const float* b, size_t dim) {
  if (metric == Metric::kL2) return SlowDistance(metric, a, b, dim);
  if (metric == Metric::kCosine) return 1;
  double sum = 1;
  for (size_t i = 0; i < dim; ++i) sum += std::abs(double{a[i]} * b[i]);
  return sum;
}

std::vector<float> RandomFloats(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(DistanceTest, EveryLevelAgreesWithTheDefinition) {
  constexpr int64_t kRows = 5;
  std::vector<size_t> dims(70);
  for (size_t i = 0; i < dims.size(); ++i) dims[i] = i + 1;
  for (const size_t dim : {96, 127, 128, 255, 257, 511, 768, 1000, 1023, 1024, 1025, 4096}) {
    dims.push_back(dim);
  }
  for (const size_t dim : dims) {
    // One float before the data: no row lies on a boundary that a wide load would like. The heap
    // block ends with the last row, so the address sanitizer sees a load beyond a tail.
    const std::vector<float> query = RandomFloats(dim + 1, 1 + dim);
    const std::vector<float> rows = RandomFloats(kRows * dim + 1, 7 + dim);
    const std::span<const float> q(query.data() + 1, dim);
    for (const Metric metric : kMetrics) {
      for (const SimdLevel level : SupportedSimdLevels()) {
        std::vector<float> distances(kRows);
        ComputeDistances(metric, q, rows.data() + 1, kRows, distances.data(), level);
        for (int64_t row = 0; row < kRows; ++row) {
          const float* values = rows.data() + 1 + row * dim;
          EXPECT_NEAR(distances[row], SlowDistance(metric, q.data(), values, dim),
                      1e-5 * TermSum(metric, q.data(), values, dim))
              << "dim " << dim << " metric " << static_cast<int>(metric) << " level "
              << static_cast<int>(level) << " row " << row;
        }
      }
    }
  }
}

TEST(DistanceTest, EveryLevelIsExactOnSmallIntegers) {
  // Sums of small integers have no rounding in any order.
  for (size_t dim = 1; dim <= 1025; dim += (dim < 40 ? 1 : 41)) {
    std::vector<float> query(dim);
    std::vector<float> row(dim);
    float l2 = 0;
    float dot = 0;
    for (size_t i = 0; i < dim; ++i) {
      query[i] = static_cast<float>(i % 7) - 3;
      row[i] = static_cast<float>(i % 5) - 1;
      l2 += (query[i] - row[i]) * (query[i] - row[i]);
      dot += query[i] * row[i];
    }
    for (const SimdLevel level : SupportedSimdLevels()) {
      float distance = -1;
      ComputeDistances(Metric::kL2, query, row.data(), 1, &distance, level);
      EXPECT_EQ(distance, l2) << dim;
      ComputeDistances(Metric::kDot, query, row.data(), 1, &distance, level);
      EXPECT_EQ(distance, 1 - dot) << dim;
    }
  }
}

// The values that pylance 14.0.2 gives for these rows; rows whose distance is NaN it leaves out.
TEST(DistanceTest, AgreesWithPylance) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const std::vector<float> query = {1, 2, 3};
  const std::vector<float> rows = {1, 2, 3, 0, 0, 0, -1, 0, 2, kInf, 1, 1, 2, 4, 6, -1, -2, -3};
  for (const SimdLevel level : SupportedSimdLevels()) {
    std::vector<float> out(6);
    ComputeDistances(Metric::kL2, query, rows.data(), 6, out.data(), level);
    EXPECT_THAT(out, ElementsAre(0, 14, 9, kInf, 14, 56));
    ComputeDistances(Metric::kDot, query, rows.data(), 6, out.data(), level);
    EXPECT_THAT(out, ElementsAre(-13, 1, -4, -kInf, -27, 15));
    ComputeDistances(Metric::kCosine, query, rows.data(), 6, out.data(), level);
    EXPECT_NEAR(out[0], 0, 1e-6);
    EXPECT_TRUE(std::isnan(out[1]));
    EXPECT_NEAR(out[2], 0.4023857F, 1e-6);
    EXPECT_TRUE(std::isnan(out[3]));
    EXPECT_NEAR(out[4], 0, 1e-6);
    EXPECT_NEAR(out[5], 2, 1e-6);
  }
}

TEST(DistanceTest, CosineOfALengthThatUnderflowsIsNaN) {
  const std::vector<float> query = {1, 2, 3};
  const std::vector<float> row = {1e-30F, 0, 0};
  float distance = 0;
  ComputeDistances(Metric::kCosine, query, row.data(), 1, &distance);
  EXPECT_TRUE(std::isnan(distance));
}

TEST(DistanceTest, TakesNoRowsAtAll) {
  const std::vector<float> query = {1, 2, 3};
  for (const SimdLevel level : SupportedSimdLevels()) {
    ComputeDistances(Metric::kL2, query, nullptr, 0, nullptr, level);
  }
}

TEST(ParseMetricTest, KnowsTheNamesInAnyCase) {
  ASSERT_OK_AND_ASSIGN(Metric metric, ParseMetric("L2"));
  EXPECT_EQ(metric, Metric::kL2);
  ASSERT_OK_AND_ASSIGN(metric, ParseMetric("Cosine"));
  EXPECT_EQ(metric, Metric::kCosine);
  ASSERT_OK_AND_ASSIGN(metric, ParseMetric("dot"));
  EXPECT_EQ(metric, Metric::kDot);
  EXPECT_THAT(ParseMetric("hamming"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseMetric(""), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tusk::lance
