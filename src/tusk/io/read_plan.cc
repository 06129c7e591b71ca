#include "tusk/io/read_plan.h"

#include <algorithm>

namespace tusk::io {
namespace {

constexpr int64_t kAlignment = 64;

int64_t RoundUp(int64_t value) { return (value + kAlignment - 1) / kAlignment * kAlignment; }

/// Whether a read that goes on to the end of `range` is better than one more.
bool Continues(const FileRead& read, const ByteRange& range) {
  const int64_t end = read.offset + read.length;
  return range.offset >= read.offset && range.offset - end <= ReadPlan::kMostGap &&
         range.length < ReadPlan::kSmall &&
         range.offset + range.length - read.offset < ReadPlan::kSmall;
}

}  // namespace

Result<ReadPlan> ReadPlan::Make(std::span<const ByteRange> ranges, arrow::MemoryPool* pool) {
  ReadPlan plan;
  plan.reads_.reserve(ranges.size());
  plan.counts_.reserve(ranges.size());
  for (const ByteRange& range : ranges) {
    if (!plan.reads_.empty() && Continues(plan.reads_.back(), range)) {
      FileRead& read = plan.reads_.back();
      read.length = std::max(read.length, range.offset + range.length - read.offset);
      ++plan.counts_.back();
    } else {
      plan.reads_.push_back({.offset = range.offset, .length = range.length});
      plan.counts_.push_back(1);
    }
  }
  plan.memory_.resize(plan.reads_.size());
  for (size_t next = 0; next < plan.reads_.size();) {
    ARROW_ASSIGN_OR_RAISE(next, plan.AllocateBlock(next, pool));
  }
  return plan;
}

Result<size_t> ReadPlan::AllocateBlock(size_t begin, arrow::MemoryPool* pool) {
  // Where a read goes in the block, which ends at `size`.
  const auto place = [this](size_t i, int64_t size) {
    return RoundUp(size) + (counts_[i] > 1 ? reads_[i].offset % kAlignment : 0);
  };
  int64_t size = 0;
  size_t end = begin;
  while (end < reads_.size()) {
    const int64_t with_next = place(end, size) + reads_[end].length;
    const bool is_large = reads_[end].length >= kSmall;
    if (end > begin && (is_large || with_next > kBlock)) break;
    size = with_next;
    ++end;
    if (is_large) break;
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> block, arrow::AllocateBuffer(size, pool));
  size = 0;
  for (size_t i = begin; i < end; ++i) {
    const int64_t at = place(i, size);
    reads_[i].into = block->mutable_data() + at;
    size = at + reads_[i].length;
    memory_[i] = block;
  }
  return end;
}

int64_t ReadPlan::bytes() const {
  int64_t bytes = 0;
  for (const FileRead& read : reads_) bytes += read.length;
  return bytes;
}

std::vector<std::shared_ptr<arrow::Buffer>> ReadPlan::Buffers(
    std::span<const ByteRange> ranges) const {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  buffers.reserve(ranges.size());
  size_t next = 0;
  for (size_t i = 0; i < reads_.size(); ++i) {
    for (int64_t n = 0; n < counts_[i]; ++n, ++next) {
      const int64_t at =
          reads_[i].into - memory_[i]->data() + ranges[next].offset - reads_[i].offset;
      const bool is_whole = at == 0 && ranges[next].length == memory_[i]->size();
      buffers.push_back(is_whole ? memory_[i]
                                 : arrow::SliceBuffer(memory_[i], at, ranges[next].length));
    }
  }
  return buffers;
}

}  // namespace tusk::io
