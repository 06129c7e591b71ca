#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/filter.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/computed_columns.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {

/// What a scan reads, put together once and then shared by its threads.
struct ScanPlan {
  std::shared_ptr<const Dataset::State> dataset;
  std::vector<const Fragment*> fragments;  ///< in the order to read them; live in `dataset`
  std::vector<int64_t> first_rows;         ///< rows before each of them, and in the end all rows
  bool include_deleted = false;
  bool use_statistics = true;
  bool reads_once = false;                     ///< as FragmentReader::Options has it
  std::shared_ptr<ScanStatistics> statistics;  ///< never null
  std::shared_ptr<const Projection> output;
  std::shared_ptr<const ComputedColumns> computed;    ///< from `output`; null: it is given as it is
  std::shared_ptr<const expr::Filter::Bound> filter;  ///< may be null
  std::shared_ptr<const Projection> filter_columns;   ///< what the filter reads
  std::shared_ptr<const Projection> rest;             ///< what of `output` the filter does not read
  /// Of each output column: where in the filter's batch it is; if not there, it is the next of
  /// `rest`.
  std::vector<std::optional<Projection::Place>> places;

  /// InvalidArgument and NotFound as Dataset::Scan.
  static Result<ScanPlan> Make(std::shared_ptr<const Dataset::State> dataset,
                               const ScanOptions& options, const OperationContext& context);

  /// Of what the scan gives.
  const std::shared_ptr<arrow::Schema>& schema() const {
    return computed != nullptr ? computed->schema() : output->schema;
  }
  int64_t num_rows() const { return first_rows.back(); }
  /// Where in `fragments` the one is that holds the row.
  size_t FindFragment(int64_t row) const;
};

/// As Dataset::Scan of rows that nobody reads again, as those that are written anew: of many small
/// files few are open at a time.
Result<std::shared_ptr<arrow::RecordBatchReader>> ScanOnce(
    const std::shared_ptr<const Dataset>& dataset, const ScanOptions& options,
    const OperationContext& context);

}  // namespace tusk::lance
