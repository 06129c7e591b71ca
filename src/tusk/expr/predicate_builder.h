#pragma once

#include <arrow/type_fwd.h>

#include "tusk/expr/node.h"
#include "tusk/expr/predicate.h"

namespace tusk::expr {

/// The predicate of a condition over `schema`.
Predicate BuildPredicate(const Node& node, const arrow::Schema& schema);

/// The predicate of the rows for which the condition is not true: false or null.
Predicate BuildComplement(const Node& node, const arrow::Schema& schema);

}  // namespace tusk::expr
