#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/table/fragment_reuse.h"
#include "tusk/lance/table/index_metadata.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// What a version says: its manifest and the indices of its index section.
struct VersionContent {
  Manifest manifest;
  std::vector<IndexMetadata> indices;
  /// `account.reuse` is what the version says of moved rows, if that is more than its index of them
  /// does.
  MovedRowsAccount account = {};
};

/// The first version of a table, made by `transaction`, an overwrite with read version 0.
Result<Manifest> BuildFirstManifest(const Transaction& transaction, bool stable_row_ids,
                                    int64_t timestamp_ns);

/// Whether the next version has the indices of the one before as they were, so that its index
/// section can be copied unread.
bool KeepsIndices(const Transaction& transaction);

/// The version after `previous`, which has `indices`, made by `transaction`: any operation but a
/// restore and a clone. Gives new fragments their ids, and their row ids if the table has stable
/// ones. What the transaction does not change stays as it is in `previous`, known to this build or
/// not. If KeepsIndices, `indices` may be left out. InvalidArgument for an operation that does not
/// fit the table, Unsupported for one that this build does not know, CommitConflict if a fragment
/// that it changes is gone. `account` is what the indices of `previous` say of moved rows, and what
/// the transaction adds.
Result<VersionContent> BuildNextManifest(const Transaction& transaction, Manifest previous,
                                         std::vector<IndexMetadata> indices, int64_t timestamp_ns,
                                         MovedRowsAccount account = {});

/// The version after `previous` with the content of `restored`, an earlier one, made by
/// `transaction`, a restore. Fragment, field and row ids go on from the higher of both, so that
/// none is given twice. InvalidArgument if the table had no stable row ids then and has them now.
Result<Manifest> BuildRestoredManifest(const Transaction& transaction, const Manifest& restored,
                                       const Manifest& previous, int64_t timestamp_ns);

/// The first version of the table that `transaction`, a clone, makes of `source`, under its number.
/// A shallow one finds all files at their places by a base path; in a deep one they are its own.
VersionContent BuildClonedManifest(const Transaction& transaction, const VersionContent& source,
                                   int64_t timestamp_ns);

}  // namespace tusk::lance
