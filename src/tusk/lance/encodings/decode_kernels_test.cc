#include "tusk/lance/encodings/decode_kernels.h"

#include <algorithm>
#include <cstring>
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

/// The kernels of a level, each against a plain loop, for every number of values up to kMost.
class LanceDecodeKernelsTest : public testing::TestWithParam<SimdLevel> {
 protected:
  LanceDecodeKernelsTest() : forced_(GetParam()) {}

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
  static T At(std::span<const uint8_t> words, int64_t i) {
    return LoadLittle<T>(words.data() + i * sizeof(T));
  }

  template <typename T>
  void ExpectMax(T (*max)(const uint8_t*, int64_t)) {
    for (int64_t n = 0; n <= kMost; ++n) {
      const auto words = RandomBytes(n * sizeof(T));
      T expected = 0;
      for (int64_t i = 0; i < n; ++i) expected = std::max(expected, At<T>(words, i));
      EXPECT_EQ(max(words.data(), n), expected) << n;
    }
  }

  template <typename T>
  void ExpectAscends(bool (*ascends)(const uint8_t*, int64_t)) {
    for (int64_t n = 0; n <= kMost; ++n) {
      const auto words = RandomBytes(n * sizeof(T));
      // From both ends of the range of T, so that the order is that of unsigned words.
      std::vector<T> sorted(n);
      for (T& word : sorted) {
        word = static_cast<T>(random_() % 4) << (8 * sizeof(T) - 2) | static_cast<T>(random_() % 9);
      }
      std::ranges::sort(sorted);
      if (n > 0) std::memcpy(words.data(), sorted.data(), words.size());
      EXPECT_TRUE(ascends(words.data(), n)) << n;
      for (int64_t i = 0; i + 1 < n; ++i) {
        if (sorted[i] == 0) continue;
        StoreLittle<T>(sorted[i] - 1, words.data() + (i + 1) * sizeof(T));
        EXPECT_FALSE(ascends(words.data(), n)) << n << " with a fall behind " << i;
        StoreLittle<T>(sorted[i + 1], words.data() + (i + 1) * sizeof(T));
      }
    }
  }

  template <typename From, typename To>
  void ExpectAdd(void (*add)(const uint8_t*, int64_t, uint64_t, uint8_t*)) {
    for (int64_t n = 0; n <= kMost; ++n) {
      const auto words = RandomBytes(n * sizeof(From));
      const auto sums = RandomBytes(n * sizeof(To));
      const uint64_t delta = random_();
      add(words.data(), n, delta, sums.data());
      for (int64_t i = 0; i < n; ++i) {
        ASSERT_EQ(At<To>(sums, i), static_cast<To>(At<From>(words, i) + delta)) << n << ' ' << i;
      }
    }
  }

  void ExpectJoin(int64_t width, void (*join)(const uint8_t*, int64_t, int64_t, uint8_t*)) {
    for (int64_t n = 0; n <= kMost; ++n) {
      const auto before = static_cast<int64_t>(random_() % 5);
      const int64_t stride = before + n + static_cast<int64_t>(random_() % 5);
      const auto streams = RandomBytes(stride * (width - 1) + before + n);
      const auto values = RandomBytes(n * width);
      join(streams.data() + before, stride, n, values.data());
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t byte = 0; byte < width; ++byte) {
          ASSERT_EQ(values[i * width + byte], streams[byte * stride + before + i]) << n << ' ' << i;
        }
      }
    }
  }

  template <typename T>
  void ExpectUnpack(void (*unpack)(const uint8_t*, int, uint8_t*)) {
    for (int width = 0; width <= kWordBits<T>; ++width) {
      const auto packed = RandomBytes(PackedBytes(width));
      const auto values = RandomBytes(kPackedBlock * sizeof(T));
      unpack(packed.data(), width, values.data());
      for (int64_t i = 0; i < kPackedBlock; ++i) {
        ASSERT_EQ(At<T>(values, i), UnpackOne<T>(packed.data(), width, i)) << width << ' ' << i;
      }
    }
  }

  std::mt19937_64 random_{11};

 private:
  ForcedSimdLevel forced_;
  std::vector<std::unique_ptr<uint8_t[]>> blocks_;
};

TEST_P(LanceDecodeKernelsTest, UnpackEveryWidth) {
  ExpectUnpack<uint8_t>(Kernels().unpack8);
  ExpectUnpack<uint16_t>(Kernels().unpack16);
  ExpectUnpack<uint32_t>(Kernels().unpack32);
  ExpectUnpack<uint64_t>(Kernels().unpack64);
}

TEST_P(LanceDecodeKernelsTest, JoinBytesOfStreams) {
  ExpectJoin(4, Kernels().join4);
  ExpectJoin(8, Kernels().join8);
}

TEST_P(LanceDecodeKernelsTest, TellAscendingWordsFromOthers) {
  ExpectAscends<uint32_t>(Kernels().ascends32);
  ExpectAscends<uint64_t>(Kernels().ascends64);
}

TEST_P(LanceDecodeKernelsTest, AddToWords) {
  ExpectAdd<uint32_t, uint32_t>(Kernels().add32to32);
  ExpectAdd<uint32_t, uint64_t>(Kernels().add32to64);
  ExpectAdd<uint64_t, uint32_t>(Kernels().add64to32);
  ExpectAdd<uint64_t, uint64_t>(Kernels().add64to64);
}

TEST_P(LanceDecodeKernelsTest, FindTheLargestWord) {
  ExpectMax<uint16_t>(Kernels().max16);
  ExpectMax<uint32_t>(Kernels().max32);
}

TEST_P(LanceDecodeKernelsTest, CompareWordsWithALimit) {
  for (int64_t n = 0; n <= kMost; ++n) {
    const auto words = RandomBytes(n * 2);
    for (int64_t i = 0; i < n; i += 3) StoreLittle<uint16_t>(i % 4, words.data() + i * 2);
    for (const uint16_t limit : {0, 1, 2, 3, 30000, 32768, 65535}) {
      const auto bits = RandomBytes(BytesForBits(n));
      Kernels().below16(words.data(), n, limit, bits.data());
      for (int64_t i = 0; i < static_cast<int64_t>(bits.size()) * 8; ++i) {
        ASSERT_EQ(GetBit(bits.data(), i), i < n && At<uint16_t>(words, i) < limit)
            << n << ' ' << i << " below " << limit;
      }
    }
  }
}

TEST_P(LanceDecodeKernelsTest, CountBits) {
  for (int64_t n = 0; n <= kMost; ++n) {
    const auto bytes = RandomBytes(n);
    int64_t expected = 0;
    for (int64_t i = 0; i < n * 8; ++i) expected += GetBit(bytes.data(), i) ? 1 : 0;
    EXPECT_EQ(Kernels().count_ones(bytes.data(), n), expected) << n;
  }
}

std::string LevelName(const testing::TestParamInfo<SimdLevel>& level) {
  static constexpr const char* kNames[] = {"Plain", "Avx2", "Avx512"};
  return kNames[static_cast<int>(level.param)];
}

INSTANTIATE_TEST_SUITE_P(Levels, LanceDecodeKernelsTest,
                         testing::ValuesIn(SupportedSimdLevels().begin(),
                                           SupportedSimdLevels().end()),
                         LevelName);

}  // namespace
}  // namespace tusk::lance
