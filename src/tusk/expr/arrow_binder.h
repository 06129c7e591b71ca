#pragma once

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/binder.h"
#include "tusk/expr/node.h"

namespace arrow::compute {
class Expression;
}  // namespace arrow::compute

namespace tusk::expr {

/// Gives a condition that is an Arrow expression, not bound, the meaning that texts have: one order
/// of floats with NaN above all, exact comparisons of numbers of different kinds, columns by name.
/// Literals keep the type that they come with, and functions that texts do not share are Arrow's.
/// `schema` is the binder's. InvalidArgument for unknown columns and functions, for functions that
/// do not judge each row on its own, and for what is no condition.
Result<NodePtr> BindArrowCondition(const arrow::compute::Expression& expression,
                                   const Binder& binder, const arrow::Schema& schema);

}  // namespace tusk::expr
