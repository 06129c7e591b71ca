#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// Commits `transaction` on top of `base`, the version that it has read; none to make a table.
/// After a failure that surely left no version its own file is removed, and `remove_files` (may be
/// null) called, which removes the others that it names.
Result<TableVersion> CommitOrRemove(const io::StorePath& table, const Transaction& transaction,
                                    std::optional<TableVersion> base, const CommitOptions& options,
                                    const std::function<void()>& remove_files,
                                    const OperationContext& context);

/// The same on top of a version that is open; opens the one that it makes.
Result<std::shared_ptr<const Dataset>> CommitChange(const Dataset& base,
                                                    const Transaction& transaction,
                                                    const CommitOptions& options,
                                                    const std::function<void()>& remove_files,
                                                    const OperationContext& context);

}  // namespace tusk::lance
