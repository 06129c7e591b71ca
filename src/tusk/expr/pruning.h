#pragma once

#include <map>
#include <string>

#include "tusk/base/result.h"
#include "tusk/expr/filter.h"
#include "tusk/expr/predicate.h"

namespace tusk::expr {

/// False only if no row whose columns lie in `ranges`, by name, satisfies `predicate`; what there
/// is no range of can have any value.
Result<bool> MayBeTrue(const Predicate& predicate,
                       const std::map<std::string, ColumnRange>& ranges);

}  // namespace tusk::expr
