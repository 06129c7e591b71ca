#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// How rows are ordered, and which are given in the end.
struct RowOrder {
  std::shared_ptr<arrow::Schema> columns;  ///< to give, by name
  std::vector<Ordering> by;                ///< names of columns of the rows
  int64_t offset = 0;
  std::optional<int64_t> limit;
  int64_t batch_rows = 8192;
};

/// The rows of `input` in order; equal ones in the order in which they come. Reads all of it at the
/// first call, and keeps no more than the rows that may still be given, twice. InvalidArgument for
/// columns whose type has no order.
std::shared_ptr<arrow::RecordBatchReader> MakeOrderedReader(
    std::shared_ptr<arrow::RecordBatchReader> input, RowOrder order, OperationContext context);

}  // namespace tusk::lance
