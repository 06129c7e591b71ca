#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/computed_columns.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {

/// What a TakingReader reads of each row, in what pieces.
struct TakenColumns {
  std::shared_ptr<const Projection> read;
  std::shared_ptr<const ComputedColumns> computed;  ///< from `read`; null: it is given as it is
  int64_t row_bytes = 1;                            ///< about so many, before any was read
  int64_t batch_rows = 8192;
  int64_t batch_bytes = 64 << 20;
};

/// The rows whose addresses the one column of `addresses` has, in this order. They are taken step
/// by step: no more than some 32 MiB of them are in memory, or one row.
std::shared_ptr<arrow::RecordBatchReader> MakeTakingReader(
    std::shared_ptr<const Dataset::State> dataset,
    std::shared_ptr<arrow::RecordBatchReader> addresses, TakenColumns columns,
    OperationContext context);

}  // namespace tusk::lance
