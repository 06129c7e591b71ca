#pragma once

#include <memory>
#include <optional>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/node.h"

namespace tusk::expr {

/// A kernel of one argument of an integer type that is true where the argument is one of `values`,
/// which are of the same type and not null, and null where it is null. It looks up a bit for each
/// number from the least to the greatest value, which costs a tenth of a hash table. Nothing if
/// these are too many for their number.
Result<std::optional<Kernel>> MakeIntegerSet(const arrow::Array& values, arrow::MemoryPool* pool);

}  // namespace tusk::expr
