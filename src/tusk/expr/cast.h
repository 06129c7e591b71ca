#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/node.h"

namespace tusk::expr {

/// Casts values of `from` to `to` as CAST does: fractions are cut for whole numbers and times and
/// rounded for decimals, bool is 0 and 1, dates and timestamps are days and units since 1970. A
/// value that `to` has no place for, and a text that is none of its values, is InvalidArgument, or
/// null if `is_try`. InvalidArgument at once for types that are never cast.
Result<Kernel> CastFunction(const std::shared_ptr<arrow::DataType>& from,
                            const std::shared_ptr<arrow::DataType>& to, bool is_try);

/// The same, but a value that would be another one as `to` is InvalidArgument too: 1.5 as a whole
/// number, a time of day as a date. Floats are as near as they can be.
Result<Kernel> ExactCastFunction(const std::shared_ptr<arrow::DataType>& from,
                                 const std::shared_ptr<arrow::DataType>& to);

/// Casts values to a type that has room for all of them. A naive timestamp that becomes a zoned one
/// is the local time of the zone.
Result<Kernel> WidenFunction(const std::shared_ptr<arrow::DataType>& from,
                             const std::shared_ptr<arrow::DataType>& to);

}  // namespace tusk::expr
