#pragma once

#include <arrow/type_fwd.h>

#include "tusk/expr/node.h"
#include "tusk/expr/predicate.h"

namespace arrow::compute {
class Expression;
}  // namespace arrow::compute

namespace tusk::expr {

/// The predicate of an Arrow expression that is bound to a schema, or of the condition of a text
/// over `schema`.
Predicate BuildPredicate(const arrow::compute::Expression& bound);
Predicate BuildPredicate(const Node& node, const arrow::Schema& schema);

/// The predicate of the rows for which the condition is not true: false or null.
Predicate BuildComplement(const arrow::compute::Expression& bound);
Predicate BuildComplement(const Node& node, const arrow::Schema& schema);

}  // namespace tusk::expr
