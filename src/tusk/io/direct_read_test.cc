#include "tusk/io/direct_read.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tusk/io/read_plan.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::io {
namespace {

constexpr int64_t kFileBytes = 6'000'011;

std::string RandomBytes() {
  std::mt19937_64 random(3);
  std::string bytes(kFileBytes, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

/// A store of one kind, and how much of the file its page cache has.
struct Case {
  std::string_view name;
  std::shared_ptr<ObjectStore> (*make)();
  int64_t cached_bytes = kFileBytes;
};

class DirectReadTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    ASSERT_OK(store_->Put(path_, bytes_, {}));
    ASSERT_OK_AND_ASSIGN(const OpenedObject object, store_->Open(path_, 0, {}));
    reader_ = object.reader;
    SetCached();
  }

  /// Has the kernel keep the first bytes only.
  void SetCached() const {
    const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    EXPECT_EQ(posix_fadvise(fd, GetParam().cached_bytes, 0, POSIX_FADV_DONTNEED), 0);
    close(fd);
  }

  /// Reads both, the targets to places in another order than in the file, and compares all bytes.
  void Check(const std::vector<ByteRange>& ranges, const std::vector<ByteRange>& wanted) {
    int64_t size = 0;
    std::vector<int64_t> places(wanted.size());
    for (size_t i = wanted.size(); i-- > 0; size += wanted[i].length) places[i] = size;
    std::string memory(size + 8, '#');
    std::vector<ReadTarget> targets;
    for (size_t i = 0; i < wanted.size(); ++i) {
      targets.push_back({.offset = wanted[i].offset,
                         .into = {reinterpret_cast<uint8_t*>(memory.data()) + places[i],
                                  static_cast<size_t>(wanted[i].length)}});
    }
    ASSERT_OK_AND_ASSIGN(const auto buffers, ReadStep(*reader_, ranges, targets, {}));
    ASSERT_EQ(buffers.size(), ranges.size());
    for (size_t i = 0; i < ranges.size(); ++i) {
      ASSERT_EQ(std::string_view(*buffers[i]), Bytes(ranges[i])) << i;
    }
    for (size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_EQ(std::string_view(memory).substr(places[i], wanted[i].length), Bytes(wanted[i]))
          << i;
    }
    EXPECT_EQ(memory.substr(size), "########");
  }
  std::string_view Bytes(ByteRange range) const {
    return std::string_view(bytes_).substr(range.offset, range.length);
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "file";
  const std::string bytes_ = RandomBytes();
  const std::shared_ptr<ObjectStore> store_ = GetParam().make();
  std::shared_ptr<const ObjectReader> reader_;
};

std::vector<ByteRange> RandomRanges(size_t count, int64_t most, bool is_sorted) {
  std::mt19937_64 random(count);
  std::vector<ByteRange> ranges(count);
  for (ByteRange& range : ranges) {
    range.length = static_cast<int64_t>(random() % (most + 1));
    range.offset = static_cast<int64_t>(random() % (kFileBytes - range.length + 1));
  }
  if (is_sorted) std::ranges::sort(ranges, {}, &ByteRange::offset);
  return ranges;
}

TEST_P(DirectReadTest, GivesTheBytesOfRangesAndTargets) {
  for (const int64_t most : {100, 4000, 200'000}) {
    for (const size_t count : {1, 2, 40, 700}) {
      for (const bool is_sorted : {false, true}) {
        const auto some = RandomRanges(count, most, is_sorted);
        Check({}, some);
        Check(RandomRanges(count / 2, most, is_sorted), some);
        SetCached();
      }
    }
  }
  Check({}, {});
}

TEST_P(DirectReadTest, GivesTheBytesOfTargetsThatTouchOrNearlyDo) {
  for (const int64_t gap : {int64_t{0}, int64_t{1}, ReadPlan::kMostGap, ReadPlan::kMostGap + 1}) {
    for (const int64_t length : {1, 700, 3000}) {
      std::vector<ByteRange> ranges;
      for (int64_t at = 5; at + length < kFileBytes && ranges.size() < 3000; at += length + gap) {
        ranges.push_back({.offset = at, .length = length});
      }
      Check({}, ranges);
      SetCached();
    }
  }
}

TEST_P(DirectReadTest, RefusesTargetsOutsideTheFile) {
  std::string memory(200, '#');
  const std::span<uint8_t> into(reinterpret_cast<uint8_t*>(memory.data()), memory.size());
  for (const int64_t offset : {int64_t{-1}, kFileBytes - 199, kFileBytes, int64_t{1} << 62}) {
    const std::vector<ReadTarget> targets = {{.offset = 7, .into = into.first(3)},
                                             {.offset = offset, .into = into}};
    EXPECT_THAT(ReadStep(*reader_, {}, targets, {}), FailsWith(ErrorCode::kCorrupt)) << offset;
  }
}

TEST_P(DirectReadTest, StopsWhenAskedTo) {
  std::stop_source source;
  source.request_stop();
  OperationContext context;
  context.stop = source.get_token();
  std::string memory(1000, '#');
  for (const size_t count : {1, 2, 1000}) {
    std::vector<ReadTarget> targets;
    for (size_t i = 0; i < count; ++i) {
      targets.push_back({.offset = static_cast<int64_t>(i * 5000),
                         .into = {reinterpret_cast<uint8_t*>(memory.data()) + i, 1}});
    }
    EXPECT_THAT(ReadStep(*reader_, {}, targets, context), FailsWith(ErrorCode::kCancelled));
  }
}

INSTANTIATE_TEST_SUITE_P(
    , DirectReadTest,
    testing::Values(
        Case{.name = "Warm", .make = [] { return MakeLocalStore(); }},
        Case{.name = "Cold", .make = [] { return MakeLocalStore(); }, .cached_bytes = 0},
        Case{.name = "HalfCached",
             .make = [] { return MakeLocalStore(); },
             .cached_bytes = kFileBytes / 2},
        Case{.name = "Mapped", .make = [] { return MakeLocalStore({.memory_map = true}); }},
        Case{.name = "Memory", .make = [] { return MakeMemoryStore(); }}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(DirectReadCountTest, NeighboursAreOneRequestWithWhatLiesBetween) {
  const TemporaryFolder folder;
  const auto store = MakeLocalStore();
  ASSERT_OK(store->Put(folder / "file", std::string(100'000, 'x'), {}));
  ASSERT_OK_AND_ASSIGN(const OpenedObject object, store->Open(folder / "file", 0, {}));
  IoCounters counters;
  OperationContext context;
  context.io = &counters;
  std::string memory(300, '#');
  auto* into = reinterpret_cast<uint8_t*>(memory.data());
  const std::vector<ReadTarget> targets = {{.offset = 0, .into = {into + 200, 100}},
                                           {.offset = 150, .into = {into, 50}},
                                           {.offset = 50'000, .into = {into + 50, 10}}};
  const std::vector<ByteRange> ranges = {{90'000, 10}, {90'010, 10}};
  ASSERT_OK(ReadStep(*object.reader, ranges, targets, context).status());
  EXPECT_EQ(counters.read_requests, 3);
  EXPECT_EQ(counters.read_bytes, 200 + 10 + 20);
  EXPECT_EQ(memory, std::string(60, 'x') + std::string(140, '#') + std::string(100, 'x'));
}

TEST(DirectReadCountTest, WhatTouchesIsOneRequestOfAStoreThatReadsRanges) {
  const auto store = MakeMemoryStore();
  ASSERT_OK(store->Put("/file", "0123456789", {}));
  ASSERT_OK_AND_ASSIGN(const OpenedObject object, store->Open("/file", 0, {}));
  IoCounters counters;
  OperationContext context;
  context.io = &counters;
  std::string memory(8, '#');
  auto* into = reinterpret_cast<uint8_t*>(memory.data());
  const std::vector<ReadTarget> targets = {{.offset = 1, .into = {into + 6, 2}},
                                           {.offset = 3, .into = {into, 3}},
                                           {.offset = 7, .into = {into + 4, 1}}};
  const ByteRange range = {.offset = 0, .length = 1};
  ASSERT_OK_AND_ASSIGN(const auto bytes, ReadStep(*object.reader, {&range, 1}, targets, context));
  EXPECT_EQ(bytes[0]->ToString(), "0");
  EXPECT_EQ(memory, "345#7#12");
  EXPECT_EQ(counters.read_requests, 3);
  EXPECT_EQ(counters.read_bytes, 1 + 5 + 1);
}

TEST(DirectReadErrorTest, TellsOfAFileThatWasCutShort) {
  const TemporaryFolder folder;
  const auto store = MakeLocalStore();
  std::string memory(600'000, '#');
  auto* into = reinterpret_cast<uint8_t*>(memory.data());
  // One that reaches beyond the end alone, in a group, among many, and in large ones.
  for (const auto& [count, length, step] : {std::tuple{1, 20, 0},
                                            {4, 20, 100},
                                            {500, 20, 5000},
                                            {40, 1000, 1000},
                                            {5, 60'000, 60'000}}) {
    ASSERT_OK(store->Put(folder / "file", std::string(3'000'000, 'x'), {}));
    ASSERT_OK_AND_ASSIGN(const OpenedObject object, store->Open(folder / "file", 0, {}));
    const int64_t last = int64_t{step} * (count - 1);
    std::filesystem::resize_file(folder / "file", last + length / 2);
    std::vector<ReadTarget> targets;
    for (int i = 0; i < count; ++i) {
      targets.push_back({.offset = int64_t{i} * step,
                         .into = {into + int64_t{i} * length, static_cast<size_t>(length)}});
    }
    const auto read = ReadStep(*object.reader, {}, targets, {});
    EXPECT_THAT(read, FailsWith(ErrorCode::kIo)) << count;
    EXPECT_THAT(read.status().message(),
                testing::HasSubstr("ended at byte " + std::to_string(last + length / 2)));
  }
}

}  // namespace
}  // namespace tusk::io
