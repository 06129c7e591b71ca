#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <arrow/type.h>

#include "tusk/base/result.h"

namespace tusk::expr {

using Interval = arrow::MonthDayNanoIntervalType::MonthDayNanos;

/// What a unit of time is called, from "century" to "nanosecond", of which `word` is a name in any
/// case, such as "yrs". Nothing for other words.
std::optional<std::string_view> NameOfUnit(std::string_view word);

/// The interval of a text such as "1 day", "2 years 3 months", "15min" or "-1.5 hours"; a number
/// alone is of seconds. A fraction of a month is one of 30 days, a fraction of a day one of 24
/// hours. InvalidArgument for a text that is none, if it is out of range, and if something would be
/// lost.
Result<Interval> ParseInterval(std::string_view text);

/// `value`, in units of which a day has `per_day` and which are `nanoseconds` long, plus
/// `interval`; a day that the month does not have becomes its last. InvalidArgument if that is out
/// of range.
Result<int64_t> AddInterval(int64_t value, const Interval& interval, int64_t per_day,
                            int64_t nanoseconds);

}  // namespace tusk::expr
