#include "tusk/io/read_plan.h"

#include <vector>

#include <arrow/memory_pool.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"

namespace tusk::io {
namespace {

constexpr int64_t kLarge = ReadPlan::kSmall;
constexpr int64_t kGap = ReadPlan::kMostGap;

struct Read {
  int64_t offset;
  int64_t length;
  bool operator==(const Read&) const = default;
};

std::vector<Read> PlannedReads(const std::vector<ByteRange>& ranges) {
  auto plan = ReadPlan::Make(ranges, arrow::default_memory_pool());
  std::vector<Read> reads;
  for (const FileRead& read : plan->reads()) reads.push_back({read.offset, read.length});
  return reads;
}

using testing::ElementsAre;

TEST(ReadPlanTest, JoinsRangesThatNearlyTouch) {
  EXPECT_THAT(PlannedReads({{100, 50}, {150, 50}, {200 + kGap, 8}}),
              ElementsAre(Read{100, 108 + kGap}));
  EXPECT_THAT(PlannedReads({{100, 50}, {151 + kGap, 50}}),
              ElementsAre(Read{100, 50}, Read{151 + kGap, 50}));
}

TEST(ReadPlanTest, JoinsRangesWithinOneAnother) {
  EXPECT_THAT(PlannedReads({{100, 500}, {100, 500}, {200, 50}, {550, 100}}),
              ElementsAre(Read{100, 550}));
}

TEST(ReadPlanTest, NeverReadsBackwards) {
  EXPECT_THAT(PlannedReads({{100, 50}, {99, 10}}), ElementsAre(Read{100, 50}, Read{99, 10}));
}

TEST(ReadPlanTest, LeavesLargeRangesAlone) {
  EXPECT_THAT(PlannedReads({{0, 10}, {10, kLarge}, {10 + kLarge, 10}}),
              ElementsAre(Read{0, 10}, Read{10, kLarge}, Read{10 + kLarge, 10}));
  EXPECT_THAT(PlannedReads({{0, kLarge - 10}, {kLarge - 10, 10}}),
              ElementsAre(Read{0, kLarge - 10}, Read{kLarge - 10, 10}));
}

TEST(ReadPlanTest, HandsOutEveryRangeWithItsBytes) {
  // Each byte of the file is its own place.
  const auto byte_at = [](int64_t place) { return static_cast<uint8_t>(place * 131 >> 3); };
  std::vector<ByteRange> ranges = {{7, 0}, {3, 300}, {200, 1000}, {kLarge, 2 * kLarge}, {0, 1}};
  for (int64_t i = 0; i < 2000; ++i) ranges.push_back({.offset = i * 977, .length = i * 7 % 600});
  ASSERT_OK_AND_ASSIGN(ReadPlan plan, ReadPlan::Make(ranges, arrow::default_memory_pool()));
  int64_t bytes = 0;
  for (const FileRead& read : plan.reads()) {
    bytes += read.length;
    for (int64_t i = 0; i < read.length; ++i) read.into[i] = byte_at(read.offset + i);
  }
  EXPECT_EQ(plan.bytes(), bytes);
  const auto buffers = plan.Buffers(ranges);
  ASSERT_EQ(buffers.size(), ranges.size());
  for (size_t r = 0; r < ranges.size(); ++r) {
    ASSERT_EQ(buffers[r]->size(), ranges[r].length);
    for (int64_t i = 0; i < ranges[r].length; ++i) {
      ASSERT_EQ(buffers[r]->data()[i], byte_at(ranges[r].offset + i)) << r << " " << i;
    }
  }
}

TEST(ReadPlanTest, BeginsAtMultiplesOf64Bytes) {
  const auto is_aligned = [](const std::shared_ptr<arrow::Buffer>& buffer) {
    return reinterpret_cast<uintptr_t>(buffer->data()) % 64 == 0;
  };
  // Read alone: wherever they are in the file.
  const std::vector<ByteRange> far = {{1, 100}, {100'001, 100}, {200'001, 10}, {300'003, kLarge}};
  ASSERT_OK_AND_ASSIGN(const ReadPlan alone, ReadPlan::Make(far, arrow::default_memory_pool()));
  for (const auto& buffer : alone.Buffers(far)) EXPECT_TRUE(is_aligned(buffer));
  // Read together: if they are aligned in the file.
  const std::vector<ByteRange> near = {{8, 100}, {128, 100}, {256, 10}};
  ASSERT_OK_AND_ASSIGN(const ReadPlan joined, ReadPlan::Make(near, arrow::default_memory_pool()));
  const auto buffers = joined.Buffers(near);
  EXPECT_TRUE(is_aligned(buffers[1]));
  EXPECT_TRUE(is_aligned(buffers[2]));
}

TEST(ReadPlanTest, MemoryOfLargeRangesIsTheirOwn) {
  arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
  const std::vector<ByteRange> ranges = {{0, 100}, {100'000, kLarge}, {500'000, 100}};
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  {
    ASSERT_OK_AND_ASSIGN(const ReadPlan plan, ReadPlan::Make(ranges, &pool));
    buffers = plan.Buffers(ranges);
  }
  EXPECT_EQ(pool.num_allocations(), 3);
  buffers[0].reset();
  buffers[2].reset();
  EXPECT_EQ(pool.bytes_allocated(), kLarge);
}

TEST(ReadPlanTest, SmallReadsShareBlocks) {
  arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
  std::vector<ByteRange> ranges;
  for (int64_t i = 0; i < 1000; ++i) ranges.push_back({.offset = i * 100'000, .length = 4000});
  ASSERT_OK_AND_ASSIGN(const ReadPlan plan, ReadPlan::Make(ranges, &pool));
  EXPECT_LE(pool.num_allocations(), 1000 * 4032 / (ReadPlan::kBlock - 4032) + 1);
  EXPECT_LE(pool.bytes_allocated(), 1000 * 4032);
}

/// Gives nothing.
class EmptyPool final : public arrow::ProxyMemoryPool {
 public:
  EmptyPool() : arrow::ProxyMemoryPool(arrow::default_memory_pool()) {}
  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    if (size > 0) return arrow::Status::OutOfMemory("nothing left");
    return arrow::ProxyMemoryPool::Allocate(size, alignment, out);
  }
};

TEST(ReadPlanTest, FailsWhereThePoolRefuses) {
  EmptyPool pool;
  const std::vector<ByteRange> ranges = {{0, 100}, {100'000, 100}};
  EXPECT_TRUE(ReadPlan::Make(ranges, &pool).status().IsOutOfMemory());
}

}  // namespace
}  // namespace tusk::io
