#pragma once

#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// Gives the rows of `after`, which are those of `before` that are not deleted, in their order, the
/// row ids and versions that they have there; nothing to do in a table without stable row ids.
/// Unsupported if a fragment keeps versions of its rows in a column.
Status CarryLineage(const Dataset::State& state, const std::vector<Fragment>& before,
                    std::vector<Fragment>* after, const OperationContext& context);

}  // namespace tusk::lance
