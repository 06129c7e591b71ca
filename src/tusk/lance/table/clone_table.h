#pragma once

#include <memory>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// Makes the table at `target` that `clone` says. AlreadyExists if there is one.
Result<std::shared_ptr<const Dataset>> CloneTo(const Dataset& source, const io::StorePath& target,
                                               const CloneTable& clone,
                                               const OperationContext& context);

}  // namespace tusk::lance
