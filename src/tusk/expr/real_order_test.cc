#include "tusk/expr/real_order.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace tusk::expr {
namespace {

class RealOrderTest : public testing::TestWithParam<SimdLevel> {
 public:
  /// -1, 0 or 1.
  template <typename Real>
  static int Order(Real a, Real b) {
    if (std::isnan(a) || std::isnan(b)) return int{std::isnan(a)} - int{std::isnan(b)};
    return int{a > b} - int{a < b};
  }
  static bool Holds(Comparison comparison, int order) {
    switch (comparison) {
      case Comparison::kEqual:
        return order == 0;
      case Comparison::kNotEqual:
        return order != 0;
      case Comparison::kLess:
        return order < 0;
      case Comparison::kLessEqual:
        return order <= 0;
      case Comparison::kGreater:
        return order > 0;
      case Comparison::kGreaterEqual:
        break;
    }
    return order >= 0;
  }

  template <typename Real>
  static void ExpectOrder() {
    using Limits = std::numeric_limits<Real>;
    const std::vector<Real> some = {0,
                                    -Real{0},
                                    1,
                                    -1,
                                    Limits::denorm_min(),
                                    Limits::infinity(),
                                    -Limits::infinity(),
                                    Limits::quiet_NaN(),
                                    -Limits::quiet_NaN()};
    std::mt19937 random(1);
    for (int64_t n = 0; n < 60; ++n) {
      std::vector<Real> left(n);
      std::vector<Real> right(n);
      for (Real& value : left) value = some[random() % some.size()];
      for (Real& value : right) value = some[random() % some.size()];
      for (int number = 0; number < 6; ++number) {
        const auto comparison = static_cast<Comparison>(number);
        std::vector<uint8_t> bits((n + 7) / 8 + 1, 0xAA);
        CompareToBits(comparison, left.data(), right.data(), n, GetParam(), bits.data());
        for (int64_t i = 0; i < std::ssize(bits) * 8 - 8; ++i) {
          const bool expected = i < n && Holds(comparison, Order(left[i], right[i]));
          ASSERT_EQ((bits[i / 8] >> i % 8 & 1) != 0, expected) << n << ' ' << i << ' ' << number;
        }
        EXPECT_EQ(bits.back(), 0xAA) << "a byte beyond was written";
      }
    }
  }
};

TEST_P(RealOrderTest, IsThatOfDoublesWithNaNAboveAll) { ExpectOrder<double>(); }

TEST_P(RealOrderTest, IsThatOfFloatsWithNaNAboveAll) { ExpectOrder<float>(); }

INSTANTIATE_TEST_SUITE_P(Levels, RealOrderTest, testing::ValuesIn(SupportedSimdLevels()));

}  // namespace
}  // namespace tusk::expr
