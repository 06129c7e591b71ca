#include "tusk/lance/table/ordered_scan.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "tusk/lance/table/sort_rows.h"

namespace tusk::lance {
namespace {

namespace cp = arrow::compute;

/// So many rows more than those that may be given are gathered before the others are dropped.
constexpr int64_t kMostSurplus = 64 << 10;

class OrderedReader final : public arrow::RecordBatchReader {
 public:
  OrderedReader(std::shared_ptr<arrow::RecordBatchReader> input, RowOrder order,
                OperationContext context)
      : input_(std::move(input)), order_(std::move(order)), context_(std::move(context)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return order_.columns; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    if (failure_.ok() && input_ != nullptr) failure_ = ReadAll();
    ARROW_RETURN_NOT_OK(failure_);
    return batches_ == nullptr ? Status::OK() : batches_->ReadNext(out);
  }

  Status Close() override {
    input_.reset();
    batches_.reset();
    return Status::OK();
  }

 private:
  int64_t most_rows() const {
    constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
    if (!order_.limit) return kAll;
    return *order_.limit > kAll - order_.offset ? kAll : order_.offset + *order_.limit;
  }

  Status ReadAll() {
    const int64_t most = most_rows();
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    int64_t num_rows = 0;
    while (most > 0) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      ARROW_ASSIGN_OR_RAISE(auto batch, input_->Next());
      if (batch == nullptr) break;
      num_rows += batch->num_rows();
      batches.push_back(std::move(batch));
      if (num_rows - most <= std::max(most, kMostSurplus)) continue;
      ARROW_ASSIGN_OR_RAISE(auto first, Sort(std::exchange(batches, {}), 0, most));
      num_rows = first->num_rows();
      batches.push_back(std::move(first));
    }
    ARROW_ASSIGN_OR_RAISE(const auto sorted, Sort(std::move(batches), order_.offset, most));
    input_.reset();
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& field : order_.columns->fields()) {
      columns.push_back(sorted->GetColumnByName(field->name()));
    }
    const auto given =
        arrow::RecordBatch::Make(order_.columns, sorted->num_rows(), std::move(columns));
    ARROW_ASSIGN_OR_RAISE(const auto table,
                          arrow::Table::FromRecordBatches(order_.columns, {given}));
    auto reader = std::make_shared<arrow::TableBatchReader>(table);
    reader->set_chunksize(order_.batch_rows);
    batches_ = std::move(reader);
    return Status::OK();
  }

  /// The rows [begin, end), as far as there are so many, once all are in order.
  Result<std::shared_ptr<arrow::RecordBatch>> Sort(
      std::vector<std::shared_ptr<arrow::RecordBatch>> batches, int64_t begin, int64_t end) const {
    ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches(input_->schema(), batches));
    batches.clear();
    begin = std::min(begin, table->num_rows());
    end = std::clamp(end, begin, table->num_rows());
    ARROW_ASSIGN_OR_RAISE(const auto order, SortRows(*table, order_.by, end, context_));
    cp::ExecContext exec(context_.pool);
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum rows,
                          cp::Take(std::move(table), order->Slice(begin, end - begin),
                                   cp::TakeOptions::NoBoundsCheck(), &exec));
    if (rows.table()->num_columns() > 0) return rows.table()->CombineChunksToBatch(context_.pool);
    return arrow::RecordBatch::Make(input_->schema(), end - begin, arrow::ArrayVector());
  }

  std::shared_ptr<arrow::RecordBatchReader> input_;  ///< null once it was read
  const RowOrder order_;
  const OperationContext context_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  Status failure_;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> MakeOrderedReader(
    std::shared_ptr<arrow::RecordBatchReader> input, RowOrder order, OperationContext context) {
  return std::make_shared<OrderedReader>(std::move(input), std::move(order), std::move(context));
}

}  // namespace tusk::lance
