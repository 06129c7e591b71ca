#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/rebase.h"
#include "tusk/lance/table/transaction.h"
#include "tusk/lance/transactions.h"

namespace tusk::lance {

/// A version and where its manifest is.
struct TableVersion {
  Manifest manifest;
  std::string path;  ///< relative to the table's root
  ManifestNaming naming = ManifestNaming::kV2;
  std::chrono::steady_clock::time_point read_at = std::chrono::steady_clock::now();

  /// The version that is open.
  static TableVersion Of(const Dataset::State& state);
};

/// How the next version is made.
struct NextVersionOptions {
  bool stable_row_ids = false;  ///< of a new table
  /// As CommitOptions has it.
  const std::vector<std::string>* moved_rows = nullptr;
  uint64_t version = 0;  ///< its number, unless that is 0
};

/// The manifest file of the version that `transaction` makes on top of `previous`, none for a new
/// table.
struct NextVersion {
  Manifest manifest;
  std::string file;
};
/// What was written for it stands in `written` by paths relative to the table's root, also after an
/// error.
Result<NextVersion> BuildNextVersion(const io::StorePath& table, const Transaction& transaction,
                                     std::optional<TableVersion> previous,
                                     const NextVersionOptions& options,
                                     std::vector<std::string>* written,
                                     const OperationContext& context);

/// What a look at the versions after `transaction`'s read version found.
struct Rebase {
  std::optional<TableVersion> latest;  ///< none if there is no table
  /// The version that holds this very transaction, by its uuid.
  std::optional<TableVersion> already_committed;
};

/// Checks `transaction` against all versions above `checked` (at least its read version).
/// `knows_rows` as in JudgeConflict. CommitConflict under the conflict matrix, or if one of them
/// was cleaned up.
Result<Rebase> RebaseOnLatest(const io::StorePath& table, const Transaction& transaction,
                              uint64_t checked, bool knows_rows, const OperationContext& context);

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

/// The config key of tables all of whose writers have to hold a lock; its value says which one.
constexpr std::string_view kCommitLockKey = "tusk.commit_lock";

/// InvalidArgument if the table at `path` asks for a lock that the writer does not have.
Status CheckCommitLock(const Manifest& manifest, bool has_lock, std::string_view path);

struct CommitOptions {
  bool stable_row_ids = false;                  ///< of a table that is made
  ManifestNaming naming = ManifestNaming::kV2;  ///< of a table that is made
  /// What rows a delete or an update concerns; null: not known, so that it never goes with another
  /// change of the same fragments.
  const AffectedRows* affected_rows = nullptr;
  /// Of a rewrite that leaves indices as they are: MovedRowsAccount::moved. May be null.
  const std::vector<std::string>* moved_rows = nullptr;
  CommitLock lock = nullptr;  ///< may be null
  /// Through what the files that the transaction names were written, if they are not durable yet:
  /// they then become so together with the manifest. Null if they are.
  std::shared_ptr<io::ObjectStore> written = nullptr;
  /// Commits on top of the base or not at all: it is a CommitConflict if any other version came.
  bool is_strict = false;
  int max_attempts = 20;
  std::chrono::milliseconds timeout{30'000};  ///< no attempt begins later
};

/// Puts the version that `transaction` makes under its final name, on top of `base`, the version
/// that it has read. A lost race is checked against the winner, and the transaction is rebased and
/// tried again, as often and as long as `options` say. Then does the cleanup that the table's
/// config asks for, if it is due. After a failure `outcome_known` is false if the version may be
/// there all the same: the files that it names must then stay.
Result<TableVersion> CommitTransaction(const io::StorePath& table, const Transaction& transaction,
                                       std::optional<TableVersion> base,
                                       const CommitOptions& options,
                                       const OperationContext& context, bool* outcome_known);

}  // namespace tusk::lance
