#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <arrow/record_batch.h>

#include "tusk/base/result.h"

namespace tusk::lance {

/// Batches that a function gives, one in each call; null ends them.
class FunctionReader final : public arrow::RecordBatchReader {
 public:
  using Function = std::function<Result<std::shared_ptr<arrow::RecordBatch>>()>;
  FunctionReader(std::shared_ptr<arrow::Schema> schema, Function next)
      : schema_(std::move(schema)), next_(std::move(next)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override { return next_().Value(out); }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  Function next_;
};

}  // namespace tusk::lance
