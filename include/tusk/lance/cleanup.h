#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// Which versions go: those that all of the rules that are set agree on.
struct CleanupOptions {
  std::optional<int64_t> older_than_ms = int64_t{14} * 24 * 60 * 60 * 1000;
  std::optional<int64_t> keep_last = {};               ///< all but the newest so many, at least 1
  std::optional<std::vector<uint64_t>> versions = {};  ///< these only, at least one
  /// Removes files that no version has ever named, whatever their age. Only where no other writer
  /// is at work: one that is loses what it is about to commit.
  bool delete_unverified = false;
  /// Fails if a version that would go has a tag; else that version stays.
  bool error_if_tagged = true;
  bool dry_run = false;                            ///< only says what would go
  std::optional<int64_t> deletes_per_second = {};  ///< at most; at least 1
};

enum class TableFileKind {
  kManifest,
  kData,
  kTransaction,
  kIndex,
  kDeletion,
  kUnfinished,  ///< a staged manifest or a file that a writer did not finish
};

/// "manifest", "data", "transaction", "index", "deletion", "unfinished".
TUSK_EXPORT std::string_view TableFileKindName(TableFileKind kind);

struct RemovableFile {
  std::string path = {};  ///< relative to the table
  TableFileKind kind = TableFileKind::kData;
  /// No version has named it, as far as is known: it goes for its age, or with delete_unverified.
  bool is_unverified = false;
  int64_t size_bytes = 0;
};

struct TableCleanupReport {
  std::vector<RemovableFile> files = {};  ///< that are gone or, in a dry run, would be; by path
  int64_t failed_deletes = 0;             ///< the next cleanup finds these files again
  std::string first_failure = {};
};

/// Removes old versions of the table, and the files that only they name. Never: the version of
/// `dataset` and newer ones, what they name, tagged versions, versions at which branches begin,
/// what branches and detached versions name, folders that are not the format's. The versions are
/// those of the branch that `dataset` is on. Files that no version names stay for a week, since a
/// writer may be about to commit them. Versions go before their files, so that none is ever there
/// in part. InvalidArgument for rules out of range and for tagged versions (error_if_tagged);
/// Unsupported if what a version needs cannot be told: nothing is removed then. Shallow clones
/// elsewhere are not known here: their files go.
TUSK_EXPORT Result<TableCleanupReport> CleanUp(const Dataset& dataset,
                                               const CleanupOptions& options,
                                               const OperationContext& context);

}  // namespace tusk::lance
