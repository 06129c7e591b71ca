#pragma once

#include <map>
#include <string>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/filter.h"
#include "tusk/expr/node.h"

namespace tusk::expr {

/// False only if the condition `node` is true for no row of `schema` whose columns lie in `ranges`.
Result<bool> MayBeTrue(const Node& node, const arrow::Schema& schema,
                       const std::map<std::string, ColumnRange>& ranges);

}  // namespace tusk::expr
