#pragma once

#include <functional>
#include <memory>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// Commits `transaction`, which was made for the version `base`, and opens the version that it
/// makes. After a failure that surely left none its own file is removed, and `remove_files` (may be
/// null) called, which removes the others that it names.
Result<std::shared_ptr<const Dataset>> CommitChange(const Dataset& base,
                                                    const Transaction& transaction,
                                                    const CommitOptions& options,
                                                    const std::function<void()>& remove_files,
                                                    const OperationContext& context);

}  // namespace tusk::lance
