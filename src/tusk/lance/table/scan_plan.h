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
#include "tusk/lance/table/row_map.h"

namespace tusk::lance {

/// What a scan reads, put together once and then shared by its threads.
struct ScanPlan {
  std::shared_ptr<const Dataset::State> dataset;
  std::vector<const Fragment*> fragments;  ///< in the order to read them; live in `dataset`
  std::vector<int64_t> first_rows;         ///< rows before each of them, and in the end all rows
  bool include_deleted = false;
  bool use_statistics = true;
  bool reads_once = false;                     ///< as FragmentReader::Options has it
  std::optional<int64_t> read_ahead_bytes;     ///< as BatchStreamOptions has it, which decides else
  std::shared_ptr<ScanStatistics> statistics;  ///< never null
  std::shared_ptr<const Projection> output;
  std::shared_ptr<const ComputedColumns> computed;  ///< from `output`; null: it is given as it is
  std::shared_ptr<const RowMap> map;                ///< of what is given else; may be null
  std::shared_ptr<const RowTest> test;              ///< which rows are kept; may be null
  std::shared_ptr<const Projection> test_columns;   ///< what the test reads
  std::shared_ptr<const Projection> rest;           ///< what of `output` the test does not read
  /// Of each output column: where in the test's batch it is; if not there, it is the next of
  /// `rest`.
  std::vector<std::optional<Projection::Place>> places;

  /// InvalidArgument and NotFound as Dataset::Scan.
  static Result<ScanPlan> Make(std::shared_ptr<const Dataset::State> dataset,
                               const ScanOptions& options, const OperationContext& context);
  /// For rows that `test` keeps, by these columns.
  void SetTest(std::shared_ptr<const RowTest> row_test, std::shared_ptr<const Projection> columns);

  /// Of what the scan gives.
  const std::shared_ptr<arrow::Schema>& schema() const {
    if (map != nullptr) return map->schema();
    return computed != nullptr ? computed->schema() : output->schema;
  }
  int64_t num_rows() const { return first_rows.back(); }
  /// What a row takes in the files, by the manifest.
  int64_t StoredRowBytes() const;
  /// Where in `fragments` the one is that holds the row.
  size_t FindFragment(int64_t row) const;
};

/// As Dataset::Scan of rows that nobody reads again, as those that are written anew: of many small
/// files few are open at a time.
Result<std::shared_ptr<arrow::RecordBatchReader>> ScanOnce(
    const std::shared_ptr<const Dataset>& dataset, const ScanOptions& options,
    const OperationContext& context);

}  // namespace tusk::lance
