#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/binder.h"
#include "tusk/expr/node.h"

namespace tusk::expr {

/// Makes the kernel for given keys, such as a pattern; it takes texts and gives a value of each.
using MakeKeyed = std::function<Result<Kernel>(const std::vector<std::string>& keys)>;

/// Binds a call of a text and of keys that need not be constants: the texts of each combination of
/// keys go through a kernel of its own. Null where an argument is. InvalidArgument if one batch of
/// rows has more than a thousand combinations.
Result<NodePtr> MakeKeyedCall(const Binder& binder, Span span, std::vector<NodePtr> arguments,
                              const std::shared_ptr<arrow::DataType>& type, MakeKeyed make);

}  // namespace tusk::expr
