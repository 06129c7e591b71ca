#pragma once

#include <cstdint>

#include "tusk/base/result.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// The first version of a table, made by `transaction`, an overwrite with read version 0.
Result<Manifest> BuildFirstManifest(const Transaction& transaction, bool stable_row_ids,
                                    int64_t timestamp_ns);

/// The version after `previous`, made by `transaction`, an append, delete or overwrite. Gives the
/// new fragments their ids, and their row ids if the table has stable ones. What the transaction
/// does not change stays as it is in `previous`, known to this build or not. The index section is
/// not part of the manifest: an overwrite drops it, the others keep it.
Result<Manifest> BuildNextManifest(const Transaction& transaction, const Manifest& previous,
                                   int64_t timestamp_ns);

/// The version after `previous` with the content of `restored`, an earlier one, made by
/// `transaction`, a restore. Fragment, field and row ids go on from the higher of both, so that
/// none is given twice.
Result<Manifest> BuildRestoredManifest(const Transaction& transaction, const Manifest& restored,
                                       const Manifest& previous, int64_t timestamp_ns);

}  // namespace tusk::lance
