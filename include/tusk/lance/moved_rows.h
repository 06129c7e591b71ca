#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/commit_lock.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

// Compactions with `defer_index_remap` leave the indices of a table as they are and have it keep
// account of where rows moved, until its indices were made anew.

/// Where the rows at `addresses` (uint64) are after the compactions that the version keeps account
/// of: null for those that these dropped, the address itself for those that did not move. Null
/// instead of an array if the version keeps no account. InvalidArgument for another type.
TUSK_EXPORT Result<std::shared_ptr<arrow::Array>> RemapRowAddresses(
    const Dataset& dataset, const std::shared_ptr<arrow::Array>& addresses,
    const OperationContext& context);

/// Drops the account of compactions that no index of the newest version needs any more. Makes a
/// version if there is one; gives the newest. CommitConflict if another writer changed the account
/// three times in a row. `lock` may be null.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> CleanUpMovedRows(
    const io::StorePath& table, const CommitLock& lock, const OperationContext& context);

}  // namespace tusk::lance
