#pragma once

#include <cstdint>

#include "tusk/base/result.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// Whether `ours`, an append, delete, overwrite or restore, may be committed on top of `theirs`,
/// which was committed as `their_version` after the version that ours has read. CommitConflict,
/// naming both, if not. Source: docs/format/lance_table.md, "Conflicts".
Status CheckConflict(const Transaction& ours, const Transaction& theirs, uint64_t their_version);

}  // namespace tusk::lance
