#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/buffer.h>

#include "tusk/io/file_read.h"
#include "tusk/io/object_store.h"

namespace tusk::io {

/// What to read from a file so that given ranges of it are there. Small ranges that follow each
/// other closely become one read, and small reads share blocks of memory; a large range is one read
/// into memory of its own, so that who keeps it keeps no neighbours alive.
class ReadPlan {
 public:
  /// Ranges of less are small.
  static constexpr int64_t kSmall = 64 << 10;
  /// Bytes between two ranges that are read along: copying them costs less than a further call.
  static constexpr int64_t kMostGap = 4 << 10;
  /// Small reads share blocks of at most so much.
  static constexpr int64_t kBlock = 256 << 10;

  /// Plans to read `ranges`, which lie inside the file, into memory of `pool`. A range begins at a
  /// multiple of 64 bytes in memory if it is read alone; otherwise if it does so in the file.
  static Result<ReadPlan> Make(std::span<const ByteRange> ranges, arrow::MemoryPool* pool);

  std::span<FileRead> reads() { return reads_; }
  int64_t bytes() const;  ///< of all reads
  /// The buffers of the ranges, in their order.
  std::vector<std::shared_ptr<arrow::Buffer>> Buffers(std::span<const ByteRange> ranges) const;

 private:
  /// Gives the small reads from `begin` on memory, as many as a block holds; the next is returned.
  Result<size_t> AllocateBlock(size_t begin, arrow::MemoryPool* pool);

  std::vector<FileRead> reads_;
  std::vector<int64_t> counts_;                         ///< ranges of each read
  std::vector<std::shared_ptr<arrow::Buffer>> memory_;  ///< of each read; neighbours share it
};

}  // namespace tusk::io
