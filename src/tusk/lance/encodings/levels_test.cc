// Levels as they are stored; what is read of them is tested in chunk_test.cc.

#include "tusk/lance/encodings/levels.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/decode_kernels.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using Kind = ValueEncoding::Kind;
using Levels = std::vector<uint16_t>;

std::string Encode(const LevelEncoder& encoder, std::span<const uint16_t> levels) {
  arrow::BufferBuilder out;
  EXPECT_OK(encoder.EncodeChunk(levels, &out));
  return out.Finish().ValueOrDie()->ToString();
}

void ExpectReadBack(const LevelEncoder& encoder, const Levels& levels, int64_t chunk_levels) {
  ASSERT_OK_AND_ASSIGN(const auto decoder, LevelDecoder::Make(encoder.encoding()));
  for (size_t begin = 0; begin < levels.size(); begin += chunk_levels) {
    const auto count = std::min<size_t>(chunk_levels, levels.size() - begin);
    const auto chunk = std::span(levels).subspan(begin, count);
    const std::string bytes = Encode(encoder, chunk);
    EXPECT_LE(bytes.size(), 8 + 3 * count);
    const std::span<const uint8_t> stored(reinterpret_cast<const uint8_t*>(bytes.data()),
                                          bytes.size());
    const auto declared = static_cast<uint16_t>(count);
    ASSERT_EQ(decoder.CountLevels(stored, declared).ValueOrDie(), static_cast<int64_t>(count));
    Levels decoded;
    ASSERT_OK(decoder.Decode(stored, static_cast<int64_t>(count), arrow::default_memory_pool(),
                             &decoded));
    decoded.resize(count);
    ASSERT_EQ(decoded, Levels(chunk.begin(), chunk.end()))
        << EncodingName(encoder.encoding().kind) << " of " << count;
  }
}

class LanceLevelEncoderTest : public testing::TestWithParam<SimdLevel> {
 protected:
  ForcedSimdLevel forced_{GetParam()};
  std::mt19937_64 random_{14};

  /// Levels up to `highest`, another one every `mean_run`.
  Levels RandomLevels(int64_t count, uint64_t highest, uint64_t mean_run) {
    Levels levels(count);
    uint16_t level = 0;
    for (uint16_t& next : levels) {
      if (random_() % mean_run == 0) level = static_cast<uint16_t>(random_() % (highest + 1));
      next = level;
    }
    return levels;
  }
};

TEST_P(LanceLevelEncoderTest, StoresLevelsThatAreReadBack) {
  std::vector<bool> was_used(20);
  for (const int64_t count : {1, 2, 3, 63, 64, 65, 1023, 1024, 1025, 4095, 4096, 4097, 30000}) {
    for (int width = 1; width <= 16; ++width) {
      for (const uint64_t mean_run : {1, 10, 2000}) {
        const Levels levels = RandomLevels(count, (uint64_t{1} << width) - 1, mean_run);
        for (const int minor_version : {1, 2}) {
          for (const int64_t chunk_levels : {32, 1024, 4096, 40000}) {
            const auto encoder = LevelEncoder::Make(levels, minor_version, chunk_levels);
            const Kind kind = encoder.encoding().kind;
            EXPECT_TRUE(minor_version > 1 || kind != Kind::kRle);
            was_used[static_cast<size_t>(kind)] = true;
            ASSERT_NO_FATAL_FAILURE(ExpectReadBack(encoder, levels, chunk_levels));
          }
        }
      }
    }
  }
  for (const Kind kind : {Kind::kFlat, Kind::kOutOfLineBitpacking, Kind::kRle}) {
    EXPECT_TRUE(was_used[static_cast<size_t>(kind)]) << EncodingName(kind);
  }
}

TEST_P(LanceLevelEncoderTest, FindsTheLevelsOfNulls) {
  for (const int64_t count : {0, 1, 2, 3, 64, 65, 1023, 1024, 1025, 4096, 4097, 9000}) {
    const Levels expected = RandomLevels(count, 1, 10);
    for (const int64_t first_bit : {0, 1, 13}) {
      std::vector<uint8_t> validity(BytesForBits(count + first_bit), 0xFF);
      for (int64_t i = 0; i < count; ++i) {
        if (expected[i] == 1) ClearBit(validity.data(), first_bit + i);
      }
      Levels levels(count, 7);
      NullLevels(validity.data(), first_bit, count, levels.data());
      EXPECT_EQ(levels, expected) << count;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, LanceLevelEncoderTest,
                         testing::ValuesIn(SupportedSimdLevels().begin(),
                                           SupportedSimdLevels().end()));

TEST(LanceLevelEncoderTest, TakesTheEncodingOfFewestBytes) {
  Levels levels(4096);
  const auto kind = [&](int minor_version, int64_t chunk_levels) {
    return LevelEncoder::Make(levels, minor_version, chunk_levels).encoding().kind;
  };
  levels[1000] = 1;
  EXPECT_EQ(kind(2, 4096), Kind::kRle);
  EXPECT_EQ(kind(1, 4096), Kind::kOutOfLineBitpacking);
  for (size_t i = 0; i < levels.size(); i += 2) levels[i] = 1;
  EXPECT_EQ(kind(2, 4096), Kind::kOutOfLineBitpacking);
  // A block would have to be filled for 32 levels.
  EXPECT_EQ(kind(2, 32), Kind::kFlat);
}

// [1], 3,000 empty lists and [2, 3], as docs/format/lance_encodings.md has them under "Blocks".
TEST(LanceLevelEncoderTest, StoresRunsAsTheReferenceWriterDoes) {
  Levels repetition(3003, 1);
  repetition[3002] = 0;
  const auto encoder = LevelEncoder::Make(repetition, 2, 4096);
  std::string expected("\x1a\0\0\0\0\0\0\0", 8);
  for (int run = 0; run < 12; ++run) expected += std::string("\1\0", 2);
  expected += std::string("\0\0", 2) + std::string(11, '\xff') + "\xc5\1";
  EXPECT_EQ(Encode(encoder, repetition), expected);
}

TEST(LanceLevelEncoderTest, StoresLevelsThatAreAllZero) {
  for (const int64_t count : {1, 100, 5000}) {
    for (const int minor_version : {1, 2}) {
      const Levels levels(count);
      ExpectReadBack(LevelEncoder::Make(levels, minor_version, 1024), levels, 1024);
    }
  }
}

}  // namespace
}  // namespace tusk::lance
