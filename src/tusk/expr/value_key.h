#pragma once

#include <cstdint>
#include <string>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::expr {

/// Appends bytes that value `i` of `array` has in common with those values only that it equals, of
/// arrays of the same type. Nulls equal each other; floats are equal by their bits, but NaN is one.
Status AppendKey(const arrow::Array& array, int64_t i, std::string* key);

}  // namespace tusk::expr
