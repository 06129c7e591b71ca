#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// The rows that a delete or an update takes from fragments, by fragment id; without those that
/// were deleted before.
using AffectedRows = std::map<uint64_t, DeletedRows>;

/// Deletion files that a rebase wrote, and those in place of which it did. Paths are relative to
/// the table's root.
struct RebasedFiles {
  std::vector<std::string> written;
  std::vector<std::string> replaced;
};

/// Whether RebaseContent looks at the version `before` of such a transaction.
bool NeedsVersionBefore(const Transaction& transaction);

/// Makes `transaction`, which was made for version `before` and goes with all commits since, fit
/// version `latest`: a delete or an update gets deletion files that have the rows which others have
/// deleted, too; new indices do not cover fragments whose values have changed. `rows` is null if
/// nobody knows what rows are concerned. CommitConflict, after which the same call on the latest
/// version may succeed, if both concern the same row. What was written stands in `files` also after
/// an error.
Status RebaseContent(const io::StorePath& table, const Manifest& before, const Manifest& latest,
                     const AffectedRows* rows, Transaction* transaction, RebasedFiles* files,
                     const OperationContext& context);

}  // namespace tusk::lance
