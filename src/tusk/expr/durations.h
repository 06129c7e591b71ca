#pragma once

#include <string>

#include "tusk/base/result.h"
#include "tusk/expr/function.h"

namespace tusk::expr {

/// date_part of a duration or an interval, which has parts from years to nanoseconds and an epoch.
/// A duration is counted in units of the part: of 90 minutes the hour is 1 and the minute 90. An
/// interval has its months, days and nanoseconds apart: years are twelve months, hours are those of
/// the nanoseconds, and minutes and seconds what hours leave of them. Its epoch has months of 30
/// days. Fractions are cut.
Result<NodePtr> BindDurationPart(const Binder& binder, const Call& call, const std::string& part);

/// to_char of a duration: 'iso8601', any other format is the text that a cast gives.
Result<NodePtr> BindDurationText(const Binder& binder, const Call& call);

}  // namespace tusk::expr
