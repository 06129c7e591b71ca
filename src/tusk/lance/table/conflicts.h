#pragma once

#include <cstdint>

#include "tusk/base/result.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// What a commit of another writer means for ours, which has not seen it.
enum class Verdict {
  kCompatible,
  kRetryable,     ///< the same call on the newer version may succeed
  kIncompatible,  ///< what the call was based on is gone
};

/// Whether `ours` may be committed on top of `theirs`. `knows_rows`: it is known which rows `ours`
/// deletes, so that a delete or an update can be committed over one of other rows of the same
/// fragments; whether they are others is found out later. Not symmetric. Source:
/// docs/format/lance_table.md, "Conflicts".
Verdict JudgeConflict(const Transaction& ours, const Transaction& theirs, bool knows_rows);

/// The same as an error: CommitConflict, naming both operations and the version, kind and uuid of
/// theirs, unless they are compatible; a final one (tusk/base/final_error.h) if they are
/// incompatible.
Status CheckConflict(const Transaction& ours, const Transaction& theirs, uint64_t their_version,
                     bool knows_rows);

}  // namespace tusk::lance
