#pragma once

#include <cstdint>
#include <string_view>

#include <arrow/type.h>

#include "tusk/base/result.h"

namespace tusk::expr {

using Interval = arrow::MonthDayNanoIntervalType::MonthDayNanos;

/// The interval of a text such as "1 day", "2 years 3 months" or "-1.5 hours". InvalidArgument for
/// a text that is none, and if it is out of range.
Result<Interval> ParseInterval(std::string_view text);

/// `value`, in units of which a day has `per_day` and which are `nanoseconds` long, plus
/// `interval`; a day that the month does not have becomes its last. InvalidArgument if that is out
/// of range.
Result<int64_t> AddInterval(int64_t value, const Interval& interval, int64_t per_day,
                            int64_t nanoseconds);

}  // namespace tusk::expr
