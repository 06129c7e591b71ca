#pragma once

#include "tusk/base/result.h"
#include "tusk/expr/binder.h"
#include "tusk/expr/node.h"

namespace tusk::expr {

/// A date, timestamp or text as a timestamp, a time of the day as it is. InvalidArgument, with the
/// place, for what is none.
Result<NodePtr> AsMoment(const Binder& binder, const NodePtr& node);

}  // namespace tusk::expr
