#pragma once

#include "tusk/base/result.h"
#include "tusk/expr/function.h"

namespace tusk::expr {

/// date_bin(stride, moment[, origin]): where the bin begins that the moment is in. Bins are as long
/// as the stride, of months or of days and less, and one begins at the origin, 1970 if there is
/// none. Of a time of the day, stride and origin are shorter than a day, and the bin may have begun
/// on the day before. Stride and origin must be constants.
Result<NodePtr> BindDateBin(const Binder& binder, const Call& call);

}  // namespace tusk::expr
