#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// A version and where its manifest is.
struct TableVersion {
  Manifest manifest;
  std::string path;  ///< relative to the table's root
  ManifestNaming naming = ManifestNaming::kV2;

  /// The version that is open.
  static TableVersion Of(const Dataset::State& state);
};

/// The manifest file of the version that `transaction` makes on top of `previous` (none for a new
/// table, which then has stable row ids or not). All but an overwrite carry the index section over.
struct NextVersion {
  Manifest manifest;
  std::string file;
};
Result<NextVersion> BuildNextVersion(const io::StorePath& table, const Transaction& transaction,
                                     const std::optional<TableVersion>& previous,
                                     bool stable_row_ids, const OperationContext& context);

/// What a look at the versions after `transaction`'s read version found.
struct Rebase {
  std::optional<TableVersion> latest;  ///< none if there is no table
  /// The version that holds this very transaction, by its uuid.
  std::optional<TableVersion> already_committed;
};

/// Checks `transaction` against all versions above `checked` (at least its read version).
/// CommitConflict under the conflict matrix, or if one of them was cleaned up.
Result<Rebase> RebaseOnLatest(const io::StorePath& table, const Transaction& transaction,
                              uint64_t checked, const OperationContext& context);

/// Writes `transaction` where the manifests that name it expect it.
Status WriteTransactionFile(const io::StorePath& table, const Transaction& transaction,
                            const OperationContext& context);

/// Removes it again. Best effort; cannot be stopped.
void RemoveTransactionFile(const io::StorePath& table, const Transaction& transaction,
                           const OperationContext& context);

/// Tells those who look for a hint that `version` is there. Best effort.
void WriteVersionHint(const io::StorePath& table, uint64_t version,
                      const OperationContext& context);

/// Whether the manifest at `path` was made by the transaction `uuid`. NotFound if there is none.
Result<bool> HoldsTransaction(const io::StorePath& table, const std::string& path,
                              std::string_view uuid, const OperationContext& context);

/// Puts the version that `transaction` makes under its final name, on top of `base`, the version
/// that it has read. A lost race is checked against the winner and tried again, up to 20 times.
/// After a failure `outcome_known` is false if the version may be there all the same: the files
/// that it names must then stay.
Result<TableVersion> CommitTransaction(const io::StorePath& table, const Transaction& transaction,
                                       std::optional<TableVersion> base, bool stable_row_ids,
                                       const OperationContext& context, bool* outcome_known);

}  // namespace tusk::lance
