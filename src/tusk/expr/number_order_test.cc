#include "tusk/expr/number_order.h"

#include <cmath>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace tusk::expr {
namespace {

class NumberOrderTest : public testing::TestWithParam<SimdLevel> {
 public:
  /// -1, 0 or 1.
  template <typename T>
  static int Order(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(a) || std::isnan(b)) return int{std::isnan(a)} - int{std::isnan(b)};
    }
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

  template <typename T>
  static std::vector<T> Some() {
    using Limits = std::numeric_limits<T>;
    std::vector<T> some = {0, 1, static_cast<T>(-1), Limits::max(), Limits::lowest()};
    if constexpr (std::is_floating_point_v<T>) {
      some.insert(some.end(), {-T{0}, Limits::denorm_min(), Limits::infinity(), -Limits::infinity(),
                               Limits::quiet_NaN(), -Limits::quiet_NaN()});
    } else {
      some.insert(some.end(), {2, Limits::max() / 2, Limits::max() / 2 + 1, Limits::max() - 1});
    }
    return some;
  }

  /// Of `compare`, which sets bits, whether they are those of the order of `left` and `right`.
  template <typename T, typename Compare>
  static void ExpectBits(const std::vector<T>& left, const std::vector<T>& right, Compare compare) {
    const int64_t n = std::ssize(left);
    for (int number = 0; number < 6; ++number) {
      const auto comparison = static_cast<Comparison>(number);
      std::vector<uint8_t> bits((n + 7) / 8 + 1, 0xAA);
      compare(comparison, bits.data());
      for (int64_t i = 0; i < std::ssize(bits) * 8 - 8; ++i) {
        const bool expected = i < n && Holds(comparison, Order(left[i], right[i]));
        ASSERT_EQ((bits[i / 8] >> i % 8 & 1) != 0, expected) << n << ' ' << i << ' ' << number;
      }
      EXPECT_EQ(bits.back(), 0xAA) << "a byte beyond was written";
    }
  }

  template <typename T>
  static void ExpectOrder() {
    const std::vector<T> some = Some<T>();
    std::mt19937 random(1);
    for (int64_t n = 0; n < 60; ++n) {
      std::vector<T> left(n);
      std::vector<T> right(n);
      for (T& value : left) value = some[random() % some.size()];
      for (T& value : right) value = some[random() % some.size()];
      ExpectBits(left, right, [&](Comparison comparison, uint8_t* bits) {
        CompareToBits(comparison, left.data(), right.data(), n, GetParam(), bits);
      });
      const T bound = some[random() % some.size()];
      ExpectBits(left, std::vector<T>(n, bound), [&](Comparison comparison, uint8_t* bits) {
        CompareToBits(comparison, left.data(), bound, n, GetParam(), bits);
      });
    }
  }
};

TEST_P(NumberOrderTest, IsThatOfDoublesWithNaNAboveAll) { ExpectOrder<double>(); }

TEST_P(NumberOrderTest, IsThatOfFloatsWithNaNAboveAll) { ExpectOrder<float>(); }

TEST_P(NumberOrderTest, IsThatOfIntegers) {
  ExpectOrder<int32_t>();
  ExpectOrder<uint32_t>();
  ExpectOrder<int64_t>();
  ExpectOrder<uint64_t>();
}

INSTANTIATE_TEST_SUITE_P(Levels, NumberOrderTest, testing::ValuesIn(SupportedSimdLevels()));

}  // namespace
}  // namespace tusk::expr
