#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/field_read.h"

namespace tusk::lance {

/// Reads that go step by step together.
class FieldReads {
 public:
  void Add(std::unique_ptr<FieldRead> read) { reads_.push_back(std::move(read)); }
  size_t size() const { return reads_.size(); }

  Status Plan(std::vector<io::ByteRange>* ranges);
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes);
  /// The result of read `i`, which is then gone.
  Result<std::shared_ptr<arrow::ArrayData>> Finish(size_t i);

 private:
  std::vector<std::unique_ptr<FieldRead>> reads_;
  std::vector<size_t> planned_;  ///< ranges that each read asked for last
};

}  // namespace tusk::lance
