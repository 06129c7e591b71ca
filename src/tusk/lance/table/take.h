#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/computed_columns.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {

/// As Dataset::TakeAddresses, of the columns of `read`, or of those that `computed` (may be null)
/// makes of them.
Result<std::shared_ptr<arrow::Table>> TakeAddressed(const Dataset::State& dataset,
                                                    std::span<const uint64_t> addresses,
                                                    std::shared_ptr<const Projection> read,
                                                    std::shared_ptr<const ComputedColumns> computed,
                                                    const OperationContext& context);

}  // namespace tusk::lance
