#include "tusk/expr/truth_bits.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace tusk::expr {
namespace {

class TruthBitsTest : public testing::TestWithParam<SimdLevel> {};

TEST_P(TruthBitsTest, AreThoseOfTheCodes) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int32_t> small(0, 40);
  for (size_t length = 0; length < 70; ++length) {
    std::vector<int32_t> codes(length);
    for (int32_t& code : codes) code = small(random);
    if (length > 3) codes[length / 2] = -1;
    const auto truths = static_cast<uint32_t>(random());
    std::vector<uint8_t> bits((length + 7) / 8 + 1, 0xAA);
    ToTruthBits(codes, truths, GetParam(), bits.data());
    for (size_t i = 0; i < (bits.size() - 1) * 8; ++i) {
      const bool is_true = i < length && codes[i] >= 0 && codes[i] < 32 &&
                           (uint64_t{truths} & uint64_t{1} << codes[i]) != 0;
      ASSERT_EQ((bits[i / 8] >> i % 8 & 1) != 0, is_true) << length << ' ' << i;
    }
    EXPECT_EQ(bits.back(), 0xAA) << "a byte beyond was written";
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, TruthBitsTest, testing::ValuesIn(SupportedSimdLevels()));

}  // namespace
}  // namespace tusk::expr
