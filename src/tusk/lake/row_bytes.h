#pragma once

#include <cstdint>
#include <string>

#include <arrow/type_fwd.h>

namespace tusk::lake {

/// Appends bytes that two values of one type share if and only if they are equal, whatever arrays
/// they stand in. Floats are compared by their bits.
void AppendValueBytes(const arrow::Array& array, int64_t row, std::string* out);

}  // namespace tusk::lake
