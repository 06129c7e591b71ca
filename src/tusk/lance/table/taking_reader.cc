#include "tusk/lance/table/taking_reader.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/take.h"

namespace tusk::lance {
namespace {

/// About so many bytes are taken at once: of rows that lie close together each costs less.
constexpr int64_t kStepBytes = 32 << 20;

class TakingReader final : public arrow::RecordBatchReader {
 public:
  TakingReader(std::shared_ptr<const Dataset::State> dataset,
               std::shared_ptr<arrow::RecordBatchReader> addresses, TakenColumns columns,
               OperationContext context)
      : dataset_(std::move(dataset)),
        addresses_(std::move(addresses)),
        columns_(std::move(columns)),
        context_(std::move(context)),
        row_bytes_(std::max<int64_t>(1, columns_.row_bytes)) {}

  std::shared_ptr<arrow::Schema> schema() const override {
    return columns_.computed != nullptr ? columns_.computed->schema() : columns_.read->schema;
  }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    if (taken_ == nullptr || given_ == taken_->num_rows()) ARROW_RETURN_NOT_OK(TakeMore());
    if (taken_ == nullptr) return Status::OK();
    const int64_t most = std::clamp<int64_t>(columns_.batch_bytes / row_bytes_, 1,
                                             std::max<int64_t>(1, columns_.batch_rows));
    *out = taken_->Slice(given_, most);
    given_ += (*out)->num_rows();
    return Status::OK();
  }

  Status Close() override {
    addresses_.reset();
    wanted_.reset();
    taken_.reset();
    return Status::OK();
  }

 private:
  /// Takes the next rows, as many as a step is worth; leaves null if there are no more.
  Status TakeMore() {
    taken_.reset();
    given_ = 0;
    while (addresses_ != nullptr && (wanted_ == nullptr || next_ == wanted_->num_rows())) {
      next_ = 0;
      ARROW_ASSIGN_OR_RAISE(wanted_, addresses_->Next());
      if (wanted_ == nullptr) addresses_.reset();
    }
    if (wanted_ == nullptr) return Status::OK();
    int64_t rows = std::min(
        {std::max<int64_t>(1, kStepBytes / row_bytes_), most_rows_, wanted_->num_rows() - next_});
    while (true) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      const Status taken = Take(rows);
      if (taken.ok()) break;
      if (!taken.IsOutOfMemory() || rows == 1) return taken;
      rows = most_rows_ = rows / 4 + 1;
    }
    next_ += rows;
    return Status::OK();
  }

  /// Takes so many of the rows that are wanted next.
  Status Take(int64_t rows) {
    const auto& column = static_cast<const arrow::UInt64Array&>(*wanted_->column(0));
    const std::span addresses(column.raw_values() + next_, static_cast<size_t>(rows));
    ARROW_ASSIGN_OR_RAISE(const auto table, TakeAddressed(*dataset_, addresses, columns_.read,
                                                          columns_.computed, context_));
    if (table->num_columns() == 0) {
      taken_ = arrow::RecordBatch::Make(table->schema(), rows, arrow::ArrayVector());
      return Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(taken_, table->CombineChunksToBatch(context_.pool));
    row_bytes_ = std::max<int64_t>(1, arrow::util::TotalBufferSize(*taken_) / rows);
    return Status::OK();
  }

  const std::shared_ptr<const Dataset::State> dataset_;
  std::shared_ptr<arrow::RecordBatchReader> addresses_;  ///< null once it was read
  const TakenColumns columns_;
  const OperationContext context_;
  int64_t row_bytes_;
  int64_t most_rows_ = std::numeric_limits<int64_t>::max();  ///< that have room at once
  std::shared_ptr<arrow::RecordBatch> wanted_;               ///< addresses
  int64_t next_ = 0;                                         ///< of these
  std::shared_ptr<arrow::RecordBatch> taken_;
  int64_t given_ = 0;  ///< rows of it
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> MakeTakingReader(
    std::shared_ptr<const Dataset::State> dataset,
    std::shared_ptr<arrow::RecordBatchReader> addresses, TakenColumns columns,
    OperationContext context) {
  return std::make_shared<TakingReader>(std::move(dataset), std::move(addresses),
                                        std::move(columns), std::move(context));
}

}  // namespace tusk::lance
