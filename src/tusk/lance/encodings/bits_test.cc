#include "tusk/lance/encodings/bits.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tusk::lance {
namespace {

std::vector<uint8_t> RandomBytes(size_t size, std::mt19937_64* random) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((*random)());
  return bytes;
}

// Every function against the bit by bit version, at every offset and around every step.
TEST(LanceBitsTest, AgreeWithOneBitAtATime) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    const int64_t count = static_cast<int64_t>(random() % 200);
    const int64_t from_bit = static_cast<int64_t>(random() % 70);
    const int64_t to_bit = static_cast<int64_t>(random() % 70);
    // Exactly as long as the bits, so that a sanitizer sees what reaches beyond.
    const auto from = RandomBytes(BytesForBits(from_bit + count), &random);
    const auto before = RandomBytes(BytesForBits(to_bit + count), &random);

    auto expected = before;
    int64_t zeros = 0;
    for (int64_t i = 0; i < count; ++i) {
      ClearBit(expected.data(), to_bit + i);
      if (GetBit(from.data(), from_bit + i)) SetBit(expected.data(), to_bit + i);
      zeros += GetBit(from.data(), from_bit + i) ? 0 : 1;
    }
    auto copied = before;
    CopyBits(from.data(), from_bit, count, copied.data(), to_bit);
    EXPECT_EQ(copied, expected) << count << " bits from " << from_bit << " to " << to_bit;
    EXPECT_EQ(CountZeroBits(from.data(), from_bit, count), zeros);

    auto set = before;
    auto cleared = before;
    auto expected_set = before;
    auto expected_cleared = before;
    SetBits(set.data(), to_bit, count);
    ClearBits(cleared.data(), to_bit, count);
    for (int64_t i = 0; i < count; ++i) {
      SetBit(expected_set.data(), to_bit + i);
      ClearBit(expected_cleared.data(), to_bit + i);
    }
    EXPECT_EQ(set, expected_set);
    EXPECT_EQ(cleared, expected_cleared);
  }
}

}  // namespace
}  // namespace tusk::lance
