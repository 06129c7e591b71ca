#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <arrow/record_batch.h>

namespace tusk::lake {

/// Passes batches through and counts their rows.
class CountingReader final : public arrow::RecordBatchReader {
 public:
  explicit CountingReader(std::shared_ptr<arrow::RecordBatchReader> reader)
      : reader_(std::move(reader)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(reader_->ReadNext(batch));
    if (*batch != nullptr) rows_ += (*batch)->num_rows();
    return arrow::Status::OK();
  }
  int64_t rows() const { return rows_; }

 private:
  std::shared_ptr<arrow::RecordBatchReader> reader_;
  int64_t rows_ = 0;
};

}  // namespace tusk::lake
