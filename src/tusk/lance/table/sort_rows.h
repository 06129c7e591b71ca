#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// The numbers (uint64) of the first `most` rows of `table` in order, or of all if there are fewer;
/// equal ones as they come. `by` names columns of the table. InvalidArgument for columns whose type
/// has no order.
Result<std::shared_ptr<arrow::Array>> SortRows(const arrow::Table& table,
                                               const std::vector<Ordering>& by, int64_t most,
                                               const OperationContext& context);

}  // namespace tusk::lance
