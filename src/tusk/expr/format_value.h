#pragma once

#include <cstdint>
#include <string>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::expr {

/// The shortest text that gives the number again: 1.0, 0.1, 1e300, NaN, inf.
std::string FormatReal(double value);

/// The shortest digits that give the number again, without an exponent, and without a point if it
/// is whole: 1, 0.5, 1000000, NaN, inf.
std::string FormatPlainReal(double value);
std::string FormatPlainReal(float value);

/// A number of units of time: "1 days 3 hours 46 mins 40.5 secs", with all digits that the unit has
/// and a sign at each part, and "PT100000.5S".
std::string FormatDuration(int64_t value, arrow::TimeUnit::type unit);
std::string FormatIsoDuration(int64_t value, arrow::TimeUnit::type unit);

/// What the clock of a zone shows, and how far it is from UTC: 2021-12-31T23:59:59.500+01:00, with
/// Z for no distance. `local` is `value` plus that distance.
std::string FormatZoned(int64_t value, int64_t local, arrow::TimeUnit::type unit);

/// Appends value `i`, which is not null, as casts to string write it, which is as pylance does:
/// 12, 1.5, true, 2021-12-31, 2021-12-31T23:59:59.500, 2021-12-31T22:59:59.500Z for all zones,
/// which casts do by FormatZoned. InvalidArgument for types that have no text.
Status AppendValue(const arrow::Array& array, int64_t i, std::string* out);

}  // namespace tusk::expr
