#pragma once

#include <memory>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/filter.h"
#include "tusk/iceberg/manifest.h"

namespace tusk::iceberg {

/// The value of a bound in single-value serialization as a scalar of `type`, a stored type. Bounds
/// carry no type: those from before int became long, float double, or a decimal wider are told by
/// their length. Null if the bytes are no value of the type; a bound that nobody understands
/// prunes nothing.
std::shared_ptr<arrow::Scalar> ParseBound(std::string_view bytes,
                                          const std::shared_ptr<arrow::DataType>& type);

/// False only if no row of `file` can pass `filter`, by its counts and bounds. `columns` are those
/// that the filter reads, with field ids.
Result<bool> MayMatch(const expr::Filter::Bound& filter, const arrow::Schema& columns,
                      const DataFile& file);

}  // namespace tusk::iceberg
