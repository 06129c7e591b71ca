#include "tusk/testing/bounded_pool.h"

#include <algorithm>

namespace tusk {

arrow::Status BoundedPool::Count(int64_t before, int64_t size) {
  largest_request_ = std::max(largest_request_, size);
  if (size > limit_ - (allocated_ - before)) {
    return arrow::Status::OutOfMemory(size, " bytes on top of ", allocated_ - before,
                                      " exceed the limit of ", limit_);
  }
  allocated_ += size - before;
  most_ = std::max(most_, allocated_);
  total_ += std::max<int64_t>(size - before, 0);
  ++count_;
  return arrow::Status::OK();
}

arrow::Status BoundedPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  ARROW_RETURN_NOT_OK(Count(0, size));
  return arrow::system_memory_pool()->Allocate(size, alignment, out);
}

arrow::Status BoundedPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                      uint8_t** ptr) {
  ARROW_RETURN_NOT_OK(Count(old_size, new_size));
  return arrow::system_memory_pool()->Reallocate(old_size, new_size, alignment, ptr);
}

void BoundedPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  allocated_ -= size;
  arrow::system_memory_pool()->Free(buffer, size, alignment);
}

}  // namespace tusk
