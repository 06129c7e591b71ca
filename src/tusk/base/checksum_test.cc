#include "tusk/base/checksum.h"

#include <cstring>
#include <numeric>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tusk {
namespace {

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Values of the Python package xxhash 3.6.
TEST(ChecksumTest, IsXxh3) {
  EXPECT_EQ(Checksum::Of({}), 0x2D06800538D394C2);
  EXPECT_EQ(Checksum::Of(Bytes("tusk")), 0xC24F36B077AA1D42);
  EXPECT_EQ(Checksum().value(), 0x2D06800538D394C2);
}

TEST(ChecksumTest, IsTheSameInPieces) {
  std::vector<uint8_t> bytes(5000);
  std::iota(bytes.begin(), bytes.end(), 0);
  const std::span<const uint8_t> all(bytes);
  constexpr uint64_t kExpected = 0x1B74BDA2C82A8C7A;
  EXPECT_EQ(Checksum::Of(all), kExpected);
  for (const size_t first : {0, 1, 63, 240, 256, 1024, 4999, 5000}) {
    Checksum checksum;
    checksum.Update(all.first(first));
    checksum.Update({});
    checksum.Update(all.subspan(first));
    EXPECT_EQ(checksum.value(), kExpected) << first;
  }
}

}  // namespace
}  // namespace tusk
