#pragma once

#include <cstdint>
#include <string>

#include <arrow/memory_pool.h>

namespace tusk {

/// The system's memory, up to `limit` bytes at a time: what is asked beyond fails with OutOfMemory.
/// For one thread.
class BoundedPool final : public arrow::MemoryPool {
 public:
  explicit BoundedPool(int64_t limit) : limit_(limit) {}

  using MemoryPool::Allocate;
  using MemoryPool::Free;
  using MemoryPool::Reallocate;
  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** ptr) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;

  int64_t bytes_allocated() const override { return allocated_; }
  int64_t max_memory() const override { return most_; }
  int64_t total_bytes_allocated() const override { return total_; }
  int64_t num_allocations() const override { return count_; }
  std::string backend_name() const override { return "bounded"; }

  /// The most bytes that were asked for at once, whether they were given or not.
  int64_t largest_request() const { return largest_request_; }

 private:
  /// Counts `size` bytes in the place of `before`, if they fit.
  arrow::Status Count(int64_t before, int64_t size);

  int64_t limit_;
  int64_t allocated_ = 0;
  int64_t most_ = 0;
  int64_t total_ = 0;
  int64_t count_ = 0;
  int64_t largest_request_ = 0;
};

}  // namespace tusk
