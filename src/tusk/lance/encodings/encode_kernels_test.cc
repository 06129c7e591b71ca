#include "tusk/lance/encodings/encode_kernels.h"

#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bitpacking.h"
#include "tusk/lance/encodings/bits.h"

namespace tusk::lance {
namespace {

/// More than two of the widest vectors, in bytes and in 64-bit words.
constexpr int64_t kMost = 300;

/// The kernels of a level, each against a plain loop.
class LanceEncodeKernelsTest : public testing::TestWithParam<SimdLevel> {
 protected:
  const EncodeKernels& kernels_ = EncodeKernelsOf(GetParam());
  std::mt19937_64 random_{17};

  /// `size` bytes at any alignment, with nothing behind them, so that a sanitizer sees what reaches
  /// beyond.
  std::span<uint8_t> RandomBytes(int64_t size) {
    const auto skip = static_cast<int64_t>(random_() % 8);
    blocks_.push_back(std::make_unique<uint8_t[]>(skip + size));
    std::span<uint8_t> bytes(blocks_.back().get() + skip, size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
    return bytes;
  }

  template <typename T>
  void ExpectPack(void (*pack)(const uint8_t*, int, uint8_t*)) {
    for (int width = 0; width <= kWordBits<T>; ++width) {
      const auto values = RandomBytes(kPackedBlock * sizeof(T));
      for (int64_t i = 0; i < kPackedBlock; ++i) {
        uint8_t* at = values.data() + i * sizeof(T);
        StoreLittle<T>(width == 0 ? T{0} : LoadLittle<T>(at) & LowBits<T>(width), at);
      }
      const auto packed = RandomBytes(PackedBytes(width));
      pack(values.data(), width, packed.data());
      for (int64_t i = 0; i < kPackedBlock; ++i) {
        ASSERT_EQ(UnpackOne<T>(packed.data(), width, i),
                  LoadLittle<T>(values.data() + i * sizeof(T)))
            << width << ' ' << i;
      }
    }
  }

  template <typename T>
  void ExpectChanges(void (*changes)(const uint8_t*, int64_t, uint8_t*)) {
    for (int64_t n = 0; n <= kMost; ++n) {
      const auto words = RandomBytes((n + 1) * sizeof(T));
      // Words that differ in one bit only, or not at all.
      for (int64_t i = 0; i <= n; ++i) {
        StoreLittle<T>(static_cast<T>(T{random_() % 2 == 0} << random_() % 2 * (kWordBits<T> - 1)),
                       words.data() + i * sizeof(T));
      }
      const auto bits = RandomBytes(BytesForBits(n));
      changes(words.data(), n, bits.data());
      for (int64_t i = 0; i < static_cast<int64_t>(bits.size()) * 8; ++i) {
        const auto word = [&](int64_t at) { return LoadLittle<T>(words.data() + at * sizeof(T)); };
        ASSERT_EQ(GetBit(bits.data(), i), i < n && word(i) != word(i + 1)) << n << ' ' << i;
      }
    }
  }

  void ExpectSplit(int64_t width, void (*split)(const uint8_t*, int64_t, int64_t, uint8_t*)) {
    for (int64_t n = 0; n <= kMost; ++n) {
      const int64_t stride = n + static_cast<int64_t>(random_() % 5);
      const auto values = RandomBytes(n * width);
      const auto streams = RandomBytes(stride * (width - 1) + n);
      std::vector<uint8_t> expected(streams.begin(), streams.end());
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t byte = 0; byte < width; ++byte) {
          expected[byte * stride + i] = values[i * width + byte];
        }
      }
      split(values.data(), n, stride, streams.data());
      ASSERT_EQ(std::vector<uint8_t>(streams.begin(), streams.end()), expected) << n;
    }
  }

 private:
  std::vector<std::unique_ptr<uint8_t[]>> blocks_;
};

TEST_P(LanceEncodeKernelsTest, PackEveryWidth) {
  ExpectPack<uint8_t>(kernels_.pack8);
  ExpectPack<uint16_t>(kernels_.pack16);
  ExpectPack<uint32_t>(kernels_.pack32);
  ExpectPack<uint64_t>(kernels_.pack64);
}

TEST_P(LanceEncodeKernelsTest, FindBitsOfAnyWord) {
  for (int64_t n = 0; n <= kMost; ++n) {
    const auto words = RandomBytes(n * 8);
    // Few bits, so that each word tells.
    for (uint8_t& byte : words) byte = random_() % 64 == 0 ? byte : 0;
    uint64_t expected = 0;
    for (int64_t i = 0; i < n; ++i) expected |= LoadLittle<uint64_t>(words.data() + i * 8);
    EXPECT_EQ(kernels_.any64(words.data(), n), expected) << n;
  }
}

TEST_P(LanceEncodeKernelsTest, FindWordsThatDifferFromTheNext) {
  ExpectChanges<uint8_t>(kernels_.changes8);
  ExpectChanges<uint16_t>(kernels_.changes16);
  ExpectChanges<uint32_t>(kernels_.changes32);
  ExpectChanges<uint64_t>(kernels_.changes64);
}

TEST_P(LanceEncodeKernelsTest, WriteClearBitsAsWords) {
  for (int64_t n = 0; n <= kMost; ++n) {
    const auto bits = RandomBytes(BytesForBits(n));
    const auto words = RandomBytes(n * 2);
    kernels_.nulls16(bits.data(), n, words.data());
    for (int64_t i = 0; i < n; ++i) {
      ASSERT_EQ(LoadLittle<uint16_t>(words.data() + i * 2), GetBit(bits.data(), i) ? 0 : 1)
          << n << ' ' << i;
    }
  }
}

TEST_P(LanceEncodeKernelsTest, SplitBytesIntoStreams) {
  ExpectSplit(4, kernels_.split4);
  ExpectSplit(8, kernels_.split8);
}

std::string LevelName(const testing::TestParamInfo<SimdLevel>& level) {
  static constexpr const char* kNames[] = {"Plain", "Avx2", "Avx512"};
  return kNames[static_cast<int>(level.param)];
}

INSTANTIATE_TEST_SUITE_P(Levels, LanceEncodeKernelsTest,
                         testing::ValuesIn(SupportedSimdLevels().begin(),
                                           SupportedSimdLevels().end()),
                         LevelName);

}  // namespace
}  // namespace tusk::lance
