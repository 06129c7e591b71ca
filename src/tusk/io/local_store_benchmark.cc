// Measures reads of many ranges at random places of a 512 MiB file, until every cache line of them
// was looked at: by a plain loop of preads, through the local store, and through the local store
// with the file mapped; with the file in the page cache (warm) and out of it (cold, reopened before
// each read). The limits: what the memory copies (BM_Memcpy of chunk_benchmark.cc) when warm, what
// the disk does at depth when cold. The file lies in the folder for temporary files, which must be
// on a disk for the cold rows to mean anything.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include "tusk/base/uuid.h"
#include "tusk/io/object_store.h"

namespace tusk::io {
namespace {

constexpr int64_t kFileBytes = int64_t{512} << 20;

/// A file that is gone at the end.
class RandomFile {
 public:
  RandomFile()
      : path_(std::filesystem::temp_directory_path() / ("tusk-benchmark-" + RandomUuidString())),
        fd_(open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
    std::mt19937_64 random(1);
    std::vector<uint64_t> block((1 << 20) / sizeof(uint64_t));
    for (int64_t at = 0; at < kFileBytes; at += 1 << 20) {
      std::ranges::generate(block, std::ref(random));
      if (pwrite(fd_, block.data(), 1 << 20, at) != 1 << 20) std::abort();
    }
    // Only what is on the disk can leave the page cache.
    if (fsync(fd_) != 0) std::abort();
  }
  ~RandomFile() {
    close(fd_);
    std::filesystem::remove(path_);
  }
  const std::string& path() const { return path_; }
  int fd() const { return fd_; }
  void Drop() const { (void)posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED); }

 private:
  const std::string path_;
  const int fd_;
};

const RandomFile& File() {
  static const RandomFile file;
  return file;
}

enum class Way { kPreadLoop, kStore, kMapped };

int64_t LookAt(const uint8_t* bytes, int64_t size) {
  int64_t sum = 0;
  for (int64_t i = 0; i < size; i += 64) sum += bytes[i];
  return sum;
}

int64_t ReadByLoop(std::span<const ByteRange> ranges) {
  int64_t sum = 0;
  std::vector<std::unique_ptr<uint8_t[]>> buffers;
  buffers.reserve(ranges.size());
  for (const ByteRange& range : ranges) {
    buffers.push_back(std::make_unique_for_overwrite<uint8_t[]>(range.length));
    if (pread(File().fd(), buffers.back().get(), range.length, range.offset) != range.length) {
      std::abort();
    }
  }
  for (size_t i = 0; i < ranges.size(); ++i) sum += LookAt(buffers[i].get(), ranges[i].length);
  return sum;
}

int64_t ReadByStore(const ObjectReader& reader, std::span<const ByteRange> ranges) {
  int64_t sum = 0;
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  buffers.reserve(ranges.size());
  const auto handle = reader.Read(ranges, {}).ValueOrDie();
  for (size_t i = 0; i < ranges.size(); ++i) buffers.push_back(handle->Wait(i).ValueOrDie());
  for (const auto& buffer : buffers) sum += LookAt(buffer->data(), buffer->size());
  return sum;
}

void BM_ReadRanges(benchmark::State& state, Way way, bool is_cold) {
  const int64_t count = state.range(0);
  const int64_t length = state.range(1);
  const auto store = MakeLocalStore({.durable = false, .memory_map = way == Way::kMapped});
  const auto open = [&] { return store->Open(File().path(), 0, {}).ValueOrDie().reader; };
  std::shared_ptr<const ObjectReader> reader = open();
  std::mt19937_64 random(2);
  std::vector<ByteRange> ranges(count);
  const auto renew = [&] {
    for (ByteRange& range : ranges) {
      range = {.offset = static_cast<int64_t>(random() % (kFileBytes - length)), .length = length};
    }
    std::ranges::sort(ranges, {}, &ByteRange::offset);
  };
  const std::vector<ByteRange> whole = {{.offset = 0, .length = kFileBytes}};
  if (!is_cold) benchmark::DoNotOptimize(ReadByStore(*reader, whole));
  for (auto _ : state) {
    state.PauseTiming();
    renew();
    if (is_cold) {
      // What is mapped stays in the cache.
      reader = nullptr;
      File().Drop();
      reader = open();
    }
    state.ResumeTiming();
    benchmark::DoNotOptimize(way == Way::kPreadLoop ? ReadByLoop(ranges)
                                                    : ReadByStore(*reader, ranges));
  }
  state.SetItemsProcessed(state.iterations() * count);
  state.SetBytesProcessed(state.iterations() * count * length);
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"ranges", "bytes"})
      ->Args({1, 4096})
      ->Args({16, 4096})
      ->Args({1000, 4096})
      ->Args({1000, 144})
      ->Args({100, 1 << 20})
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(BM_ReadRanges, warm_pread_loop, Way::kPreadLoop, false)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_ReadRanges, warm_store, Way::kStore, false)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_ReadRanges, warm_mapped, Way::kMapped, false)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_ReadRanges, cold_pread_loop, Way::kPreadLoop, true)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_ReadRanges, cold_store, Way::kStore, true)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_ReadRanges, cold_mapped, Way::kMapped, true)->Apply(Sizes);

}  // namespace
}  // namespace tusk::io
