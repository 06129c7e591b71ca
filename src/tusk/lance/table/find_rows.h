#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/filter.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/rebase.h"

namespace tusk::lance {

/// Where the rows are for which `filter` is true: in these fragments, or in all of them.
Result<AffectedRows> FindRows(const Dataset& dataset,
                              const std::shared_ptr<const expr::Filter>& filter,
                              const std::optional<std::vector<uint64_t>>& fragments,
                              const OperationContext& context);

}  // namespace tusk::lance
