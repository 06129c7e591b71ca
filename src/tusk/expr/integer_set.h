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
/// these are too many for their number; `other`, which gives the same, is then to be used, and is
/// what a scalar is given to.
Result<std::optional<Kernel>> MakeIntegerSet(const arrow::Array& values, Kernel other,
                                             arrow::MemoryPool* pool);

}  // namespace tusk::expr
