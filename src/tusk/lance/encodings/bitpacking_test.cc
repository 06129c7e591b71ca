#include "tusk/lance/encodings/bitpacking.h"

#include <array>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/decode_kernels.h"

namespace tusk::lance {
namespace {

template <typename T>
class LanceBitpackingTest : public testing::Test {
 protected:
  static constexpr int kBits = 8 * sizeof(T);

  static std::array<T, kPackedBlock> RandomValues(int width, std::mt19937_64* random) {
    std::array<T, kPackedBlock> values;
    for (T& value : values) {
      value = width == 0 ? T{0} : static_cast<T>((*random)() >> (64 - width));
    }
    return values;
  }

  /// The layout in words, bit by bit: the rows of a lane follow each other in its words; value
  /// `order[row / 8] * 16 + row % 8 * 128 + lane` is in row `row` of lane `lane`.
  static std::vector<uint8_t> PackSlowly(const std::array<T, kPackedBlock>& values, int width) {
    constexpr int kOrder[] = {0, 4, 2, 6, 1, 5, 3, 7};
    constexpr int kLanes = 1024 / kBits;
    std::vector<uint8_t> packed(PackedBytes(width));
    for (int row = 0; row < kBits; ++row) {
      for (int lane = 0; lane < kLanes; ++lane) {
        const T value = values[kOrder[row / 8] * 16 + row % 8 * 128 + lane];
        for (int bit = 0; bit < width; ++bit) {
          if ((value >> bit & 1) == 0) continue;
          const int at = row * width + bit;
          SetBit(packed.data(), (at / kBits * kLanes + lane) * kBits + at % kBits);
        }
      }
    }
    return packed;
  }
};

using Words = testing::Types<uint8_t, uint16_t, uint32_t, uint64_t>;
TYPED_TEST_SUITE(LanceBitpackingTest, Words);

TYPED_TEST(LanceBitpackingTest, FindsTheWidestOfAnyNumberOfValues) {
  for (int64_t count = 0; count < 50; ++count) {
    for (int width = 0; width <= this->kBits; ++width) {
      std::vector<TypeParam> values(count);
      for (int64_t widest = 0; widest < count; ++widest) {
        for (TypeParam& value : values) value = width > 0 ? 1 : 0;
        if (width > 0) values[widest] = static_cast<TypeParam>(TypeParam{1} << (width - 1));
        EXPECT_EQ(WidestBits(reinterpret_cast<const uint8_t*>(values.data()), this->kBits, count),
                  width)
            << widest << " of " << count;
      }
    }
  }
  EXPECT_EQ(WidestBits(nullptr, this->kBits, 0), 0);
}

TYPED_TEST(LanceBitpackingTest, HasTheLayoutOfTheFormatAtEveryWidth) {
  std::mt19937_64 random(7);
  for (int width = 0; width <= this->kBits; ++width) {
    const auto values = this->RandomValues(width, &random);
    const std::vector<uint8_t> expected = this->PackSlowly(values, width);
    for (const SimdLevel level : SupportedSimdLevels()) {
      const ForcedSimdLevel forced(level);
      std::vector<uint8_t> packed(PackedBytes(width), 0xAA);
      PackBlock(values.data(), width, packed.data());
      EXPECT_EQ(packed, expected) << width << " in level " << static_cast<int>(level);

      std::array<TypeParam, kPackedBlock> unpacked;
      UnpackBlock(expected.data(), width, unpacked.data());
      EXPECT_EQ(unpacked, values) << width << " in level " << static_cast<int>(level);
    }
    for (int64_t i = 0; i < kPackedBlock; ++i) {
      ASSERT_EQ(UnpackOne<TypeParam>(expected.data(), width, i), values[i]) << width << ' ' << i;
    }
  }
}

}  // namespace
}  // namespace tusk::lance
