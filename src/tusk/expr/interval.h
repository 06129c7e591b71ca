#pragma once

#include <string_view>

#include <arrow/type.h>

#include "tusk/base/result.h"

namespace tusk::expr {

/// The interval of a text such as "1 day", "2 years 3 months" or "-1.5 hours". InvalidArgument for
/// a text that is none, and if it is out of range.
Result<arrow::MonthDayNanoIntervalType::MonthDayNanos> ParseInterval(std::string_view text);

}  // namespace tusk::expr
