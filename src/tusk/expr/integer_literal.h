#pragma once

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/syntax.h"

namespace tusk::expr {

/// Appends a literal to a builder if it is a number of digits alone and the builder one of whole
/// numbers, whose type holds it: the short way for the most of long lists. False if not; nothing is
/// appended then.
Result<bool> AppendInteger(const Syntax& literal, arrow::ArrayBuilder* builder);

}  // namespace tusk::expr
