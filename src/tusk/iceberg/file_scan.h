#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/plan.h"
#include "tusk/iceberg/position_deletes.h"
#include "tusk/iceberg/table.h"

namespace tusk::iceberg {

/// Reads the live rows of one data file after the other. Used by one thread; `context` must outlive
/// it.
class FileScan {
 public:
  /// Reads the columns of `schema`, which has field ids.
  FileScan(std::shared_ptr<const Table::State> table, std::shared_ptr<arrow::Schema> schema,
           int64_t batch_rows, const OperationContext& context);

  /// Begins with a file, whatever was read before.
  Status Open(const FileTask& task);
  /// The next batch of the file, deleted rows left out; null after the last, and before the first
  /// file.
  Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch();

 private:
  const std::shared_ptr<const Table::State> table_;
  const std::shared_ptr<arrow::Schema> schema_;
  const int64_t batch_rows_;
  const OperationContext& context_;
  PositionDeletes deletes_;
  std::shared_ptr<arrow::RecordBatchReader> file_;
  int64_t file_row_ = 0;          ///< of the next batch
  std::vector<int64_t> deleted_;  ///< rows of the file
};

}  // namespace tusk::iceberg
