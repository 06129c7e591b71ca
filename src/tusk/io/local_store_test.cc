#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tusk/io/object_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::io {
namespace {

constexpr int64_t kFileBytes = 4'000'037;

std::string RandomBytes(int64_t size) {
  std::mt19937_64 random(1);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

/// A file in the page cache, out of it, or half of each, read plainly or through a map.
struct Case {
  bool memory_map;
  int64_t cached_bytes;
  std::string_view name;
};

class LocalReadTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    ASSERT_OK(store_->Put(path_, bytes_, {}));
    SetCached();
  }

  /// Has the kernel keep the first bytes only, as far as its file system has a cache to leave.
  void SetCached() const {
    const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(posix_fadvise(fd, GetParam().cached_bytes, 0, POSIX_FADV_DONTNEED), 0);
    close(fd);
  }

  std::shared_ptr<const ObjectReader> Open() {
    auto object = store_->Open(path_, 0, {});
    EXPECT_OK(object.status());
    return object->reader;
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "file";
  const std::string bytes_ = RandomBytes(kFileBytes);
  const std::shared_ptr<ObjectStore> store_ =
      MakeLocalStore({.durable = true, .memory_map = GetParam().memory_map});
};

std::vector<ByteRange> RandomRanges(size_t count, int64_t most, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<ByteRange> ranges(count);
  for (ByteRange& range : ranges) {
    range.length = static_cast<int64_t>(random() % (most + 1));
    range.offset = static_cast<int64_t>(random() % (kFileBytes - range.length + 1));
  }
  return ranges;
}

TEST_P(LocalReadTest, GivesTheBytesOfManyRanges) {
  for (const int64_t most : {200, 9000, 200'000}) {
    for (const size_t count : {1, 2, 30, 1000}) {
      auto ranges = RandomRanges(count, most, count);
      for (const bool is_sorted : {false, true}) {
        if (is_sorted) std::ranges::sort(ranges, {}, &ByteRange::offset);
        SetCached();
        ASSERT_OK_AND_ASSIGN(const auto handle, Open()->Read(ranges, {}));
        for (size_t i = 0; i < count; ++i) {
          ASSERT_OK_AND_ASSIGN(const auto buffer, handle->Wait(i));
          ASSERT_EQ(std::string_view(*buffer),
                    std::string_view(bytes_).substr(ranges[i].offset, ranges[i].length));
        }
      }
    }
  }
}

TEST_P(LocalReadTest, ServesThreads) {
  const auto reader = Open();
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (uint64_t seed = 0; seed < 4; ++seed) {
      threads.emplace_back([&, seed] {
        const auto ranges = RandomRanges(300, 5000, seed);
        const auto handle = reader->Read(ranges, {});
        if (!handle.ok()) return;
        for (size_t i = 0; i < ranges.size(); ++i) {
          const auto buffer = (*handle)->Wait(i);
          right += buffer.ok() &&
                   std::string_view(**buffer) ==
                       std::string_view(bytes_).substr(ranges[i].offset, ranges[i].length);
        }
      });
    }
  }
  EXPECT_EQ(right, 4 * 300);
}

TEST_P(LocalReadTest, BuffersOutliveReaderAndHandle) {
  std::shared_ptr<arrow::Buffer> buffer;
  {
    const std::vector<ByteRange> ranges = {{17, 1000}, {900'000, 10}};
    ASSERT_OK_AND_ASSIGN(const auto handle, Open()->Read(ranges, {}));
    ASSERT_OK_AND_ASSIGN(buffer, handle->Wait(0));
  }
  std::filesystem::remove(path_);
  EXPECT_EQ(std::string_view(*buffer), std::string_view(bytes_).substr(17, 1000));
}

TEST_P(LocalReadTest, StopsWhenAskedTo) {
  const auto reader = Open();
  std::stop_source source;
  source.request_stop();
  OperationContext context;
  context.stop = source.get_token();
  for (const size_t count : {1, 2, 500}) {
    EXPECT_THAT(reader->Read(RandomRanges(count, 100, 1), context),
                FailsWith(ErrorCode::kCancelled));
  }
}

TEST_P(LocalReadTest, CancelGivesUpWhatWasNotFetched) {
  const std::vector<ByteRange> ranges = {{0, 10}, {90'000, 10}};
  ASSERT_OK_AND_ASSIGN(const auto handle, Open()->Read(ranges, {}));
  handle->Cancel();
  EXPECT_THAT(handle->Wait(1), FailsWith(ErrorCode::kCancelled));
}

TEST_P(LocalReadTest, CountsWhatItAsksFor) {
  IoCounters counters;
  OperationContext context;
  context.io = &counters;
  const std::vector<ByteRange> ranges = {{0, 100}, {200, 100}, {50'000, 10}};
  ASSERT_OK(Open()->Read(ranges, context).status());
  EXPECT_EQ(counters.read_requests, GetParam().memory_map ? 3 : 2);
  EXPECT_EQ(counters.read_bytes, GetParam().memory_map ? 210 : 310);
}

TEST_P(LocalReadTest, OpensAnEmptyFile) {
  ASSERT_OK(store_->Put(folder_ / "empty", "", {}));
  ASSERT_OK_AND_ASSIGN(const OpenedObject object, store_->Open(folder_ / "empty", 100, {}));
  EXPECT_EQ(object.reader->size(), 0);
  EXPECT_EQ(object.tail->size(), 0);
  ASSERT_OK_AND_ASSIGN(const auto buffer, object.reader->ReadOne({.offset = 0, .length = 0}, {}));
  EXPECT_EQ(buffer->size(), 0);
}

INSTANTIATE_TEST_SUITE_P(, LocalReadTest,
                         testing::Values(Case{false, kFileBytes, "Warm"}, Case{false, 0, "Cold"},
                                         Case{false, 2'000'000, "HalfCached"},
                                         Case{true, kFileBytes, "MappedWarm"},
                                         Case{true, 0, "MappedCold"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(LocalStoreTest, TellsOfAFileThatWasCutShort) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  const auto store = MakeLocalStore();
  ASSERT_OK(store->Put(path, std::string(100'000, 'x'), {}));
  ASSERT_OK_AND_ASSIGN(const OpenedObject object, store->Open(path, 0, {}));
  std::filesystem::resize_file(path, 50'000);
  const std::vector<ByteRange> ranges = {
      {0, 10}, {20'000, 10}, {49'990, 20}, {70'000, 10}, {99'990, 10}};
  for (const size_t first : {0, 2, 3}) {
    for (const size_t count : {1, 2}) {
      const auto read = object.reader->Read(std::span(ranges).subspan(first, count), {});
      if (first == 0) {
        EXPECT_OK(read.status());
        continue;
      }
      EXPECT_THAT(read, FailsWith(ErrorCode::kIo));
      EXPECT_THAT(read.status().message(), testing::HasSubstr("ended at byte 50000"));
    }
  }
}

// Nothing to list and no way to look are not the same.
TEST(LocalStoreTest, FilesOfAnySizeTakeTheRoomOfTheirBytes) {
  TemporaryFolder folder;
  const auto store = MakeLocalStore();
  const std::string piece(700'000, 'x');
  for (const int pieces : {1, 2, 20, 45}) {
    const std::string path = folder / std::to_string(pieces);
    auto writer = *store->Create(path, {});
    for (int i = 0; i < pieces; ++i) {
      ASSERT_OK(writer->Append({reinterpret_cast<const uint8_t*>(piece.data()), piece.size()}));
    }
    ASSERT_OK(writer->Finish());
    struct stat state = {};
    ASSERT_EQ(stat(path.c_str(), &state), 0);
    EXPECT_EQ(state.st_size, pieces * std::ssize(piece));
    // The last block of a file and what describes them.
    EXPECT_LE(state.st_blocks * 512, state.st_size + (1 << 20));
  }
}

TEST(LocalStoreTest, AFolderThatCannotBeLookedAtIsNotAnEmptyOne) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("loop", folder / "loop");
  const auto store = MakeLocalStore();
  EXPECT_THAT(store->List(folder / "loop/below", {}), FailsWith(ErrorCode::kIo));
  ASSERT_OK_AND_ASSIGN(const auto none, store->List(folder / "none", {}));
  EXPECT_THAT(none, testing::IsEmpty());
}

}  // namespace
}  // namespace tusk::io
