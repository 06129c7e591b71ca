#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tusk/io/object_store.h"

namespace tusk::io {

/// Reads that a store completed inline.
class CompletedReads final : public ReadHandle {
 public:
  explicit CompletedReads(std::vector<std::shared_ptr<arrow::Buffer>> buffers)
      : buffers_(std::move(buffers)) {}
  Result<std::shared_ptr<arrow::Buffer>> Wait(size_t i) override;
  void Cancel() override { cancelled_ = true; }

 private:
  std::vector<std::shared_ptr<arrow::Buffer>> buffers_;
  bool cancelled_ = false;
};

/// Corrupt unless every range lies inside the `size` bytes of the object `path`.
Status CheckRanges(std::span<const ByteRange> ranges, std::string_view path, int64_t size);

}  // namespace tusk::io
