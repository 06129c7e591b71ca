#include "tusk/lance/file/range_cache.h"

#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/buffer.h>
#include <gtest/gtest.h>

namespace tusk::lance {
namespace {

using io::ByteRange;

/// The bytes that a file has in a range, other ones for every offset.
std::shared_ptr<arrow::Buffer> BytesAt(uint64_t file, ByteRange range) {
  std::string bytes(range.length, static_cast<char>('a' + (file * 7 + range.offset) % 26));
  return arrow::Buffer::FromString(std::move(bytes));
}

void Offer(RangeCache* cache, uint64_t file, ByteRange range) {
  const auto bytes = BytesAt(file, range);
  cache->Offer(file, {&range, 1}, {&bytes, 1});
}

std::shared_ptr<arrow::Buffer> Find(RangeCache* cache, uint64_t file, ByteRange range) {
  return cache->Find(file, {&range, 1})[0];
}

TEST(RangeCacheTest, KeepsWhatIsOfferedTwice) {
  RangeCache cache(1 << 20);
  const ByteRange range{.offset = 100, .length = 50};
  EXPECT_EQ(Find(&cache, 1, range), nullptr);
  Offer(&cache, 1, range);
  EXPECT_EQ(Find(&cache, 1, range), nullptr);
  Offer(&cache, 1, range);
  const auto found = Find(&cache, 1, range);
  ASSERT_NE(found, nullptr);
  EXPECT_TRUE(found->Equals(*BytesAt(1, range)));
  EXPECT_EQ(Find(&cache, 2, range), nullptr) << "of another file";
  EXPECT_EQ(Find(&cache, 1, {.offset = 100, .length = 51}), nullptr) << "a longer range";
}

TEST(RangeCacheTest, HoldsNoMemoryOfWhatItWasOffered) {
  RangeCache cache(1 << 20);
  const ByteRange range{.offset = 0, .length = 8};
  std::string text = "12345678";
  const auto borrowed = std::make_shared<arrow::Buffer>(text);
  for (int i = 0; i < 2; ++i) cache.Offer(1, {&range, 1}, {&borrowed, 1});
  text = "........";
  EXPECT_EQ(std::string_view(*Find(&cache, 1, range)), "12345678");
}

TEST(RangeCacheTest, StaysWithinItsBytesAndKeepsWhatIsAskedForOften) {
  constexpr int64_t kBytes = 100'000;
  RangeCache cache(kBytes);
  const ByteRange often{.offset = 7, .length = 1000};
  for (int i = 0; i < 2; ++i) Offer(&cache, 1, often);
  for (int64_t i = 1; i <= 5000; ++i) {
    const ByteRange range{.offset = i * 1000, .length = 1000};
    for (int j = 0; j < 2; ++j) Offer(&cache, 1, range);
    ASSERT_LE(cache.num_bytes(), kBytes);
    if (i % 5 == 0) {
      ASSERT_NE(Find(&cache, 1, often), nullptr) << i;
    }
  }
  EXPECT_GT(cache.num_bytes(), kBytes / 4);
}

TEST(RangeCacheTest, NeverGivesBytesOfAnotherRange) {
  // Few places for many keys: they stand behind one another and are dropped in between.
  constexpr int64_t kBytes = 200'000;
  std::mt19937 random(20261127);
  for (const int64_t most_length : {1, 40, 3000}) {
    RangeCache cache(kBytes);
    int64_t num_found = 0;
    for (int i = 0; i < 300; ++i) {
      const uint64_t file = random() % 3;
      std::vector<ByteRange> ranges;
      std::vector<std::shared_ptr<arrow::Buffer>> bytes;
      for (int j = 0; j < 200; ++j) {
        const int64_t offset = random() % 1000;
        ranges.push_back({.offset = offset, .length = 1 + (offset * 31 + i / 100) % most_length});
        bytes.push_back(BytesAt(file, ranges.back()));
      }
      const auto found = cache.Find(file, ranges);
      ASSERT_EQ(found.size(), ranges.size());
      for (size_t j = 0; j < ranges.size(); ++j) {
        if (found[j] == nullptr) continue;
        ++num_found;
        ASSERT_TRUE(found[j]->Equals(*bytes[j])) << ranges[j].offset;
      }
      cache.Offer(file, ranges, bytes);
      ASSERT_LE(cache.num_bytes(), kBytes);
    }
    EXPECT_GT(num_found, 300);
  }
}

TEST(RangeCacheTest, FindsAllThatFits) {
  RangeCache cache(10 << 20);
  std::vector<ByteRange> ranges;
  std::vector<std::shared_ptr<arrow::Buffer>> bytes;
  for (int64_t i = 0; i < 5000; ++i) {
    ranges.push_back({.offset = i * 4096, .length = 100});
    bytes.push_back(BytesAt(1, ranges.back()));
  }
  for (int i = 0; i < 2; ++i) cache.Offer(1, ranges, bytes);
  const auto found = cache.Find(1, ranges);
  for (size_t i = 0; i < ranges.size(); ++i) {
    ASSERT_NE(found[i], nullptr) << i;
    ASSERT_TRUE(found[i]->Equals(*bytes[i])) << i;
  }
}

TEST(RangeCacheTest, KeepsNothingWithoutRoomAndNoLongRanges) {
  RangeCache none(0);
  RangeCache some(1 << 20);
  const ByteRange longest{.offset = 0, .length = RangeCache::kLongest + 1};
  for (int i = 0; i < 3; ++i) {
    Offer(&none, 1, {.offset = 0, .length = 10});
    Offer(&some, 1, longest);
  }
  EXPECT_EQ(none.num_bytes(), 0);
  EXPECT_EQ(some.num_bytes(), 0);
}

}  // namespace
}  // namespace tusk::lance
