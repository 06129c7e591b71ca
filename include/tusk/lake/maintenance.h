#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/iceberg/changes.h"
#include "tusk/lake/lake.h"
#include "tusk/lance/compact.h"

namespace tusk::lake {

/// What is not as it should be, or not needed.
enum class FindingKind {
  kUnpublished,  ///< a commit is true but a Lance manifest waits for its final name
  kDrift,        ///< another client changed a table alone; `Lake::Adopt` takes it in
  kMissing,      ///< a file that a version needs is gone: rows are lost
  kUnclear,      ///< what a table needs cannot be told; nothing of it is ever removed
  kLeftover,     ///< a file that no version needs
};

/// "unpublished", "drift", "missing", "unclear", "leftover".
TUSK_EXPORT std::string_view FindingKindName(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::kLeftover;
  std::string table = {};  ///< its name; empty if it belongs to none
  std::string path = {};   ///< of the file, relative to the lake
  int64_t size_bytes = 0;
  std::string detail = {};  ///< what it is and what to do
  bool is_young = false;    ///< a leftover that a writer may still be about to commit
  bool removed = false;
};

struct DoctorOptions {
  bool clean = false;  ///< removes the leftovers that are not young
  /// Leftovers younger than this stay: a writer that is at work may be about to commit them. It
  /// must be longer than any commit takes.
  int64_t min_age_ms = int64_t{24} * 60 * 60 * 1000;
};

struct TUSK_EXPORT DoctorReport {
  std::vector<Finding> findings;  ///< by kind, then by path
  int64_t leftover_files = 0;
  int64_t leftover_bytes = 0;
  int64_t removed_files = 0;
  int64_t removed_bytes = 0;

  /// True if rows are lost or a table cannot be judged.
  bool is_damaged() const;
};

/// Compares every file below the lake's tables with what the joint versions, the versions of the
/// Lance tables and the snapshots of the Iceberg tables need. Completes publications first. With
/// `clean` removes leftovers; files that any version needs are never touched.
TUSK_EXPORT Result<DoctorReport> Examine(Lake* lake, const DoctorOptions& options,
                                         const OperationContext& context);

/// What a cleanup goes by where neither it nor the lake says something else.
inline constexpr int64_t kDefaultOlderThanMs = int64_t{14} * 24 * 60 * 60 * 1000;
inline constexpr int64_t kDefaultKeepLast = 1;

struct CleanupOptions {
  /// Joint versions that have not been the newest for longer than this go, with the Lance versions
  /// and Iceberg snapshots that only they need, unless a tag or `keep_last` keeps them. Absent:
  /// what is written down in the lake (Lake::SetRetention), or kDefaultOlderThanMs.
  std::optional<int64_t> older_than_ms = std::nullopt;
  /// The newest so many joint versions stay whatever their age. Absent: as written down in the
  /// lake, or kDefaultKeepLast.
  std::optional<int64_t> keep_last = std::nullopt;
  bool dry_run = false;                               ///< only says what would go
  int64_t min_age_ms = int64_t{24} * 60 * 60 * 1000;  ///< of leftovers, as in DoctorOptions
  std::string author = {};
};

struct CleanupReport {
  int64_t older_than_ms = 0;      ///< what it went by
  int64_t keep_last = 0;          ///< the same
  std::vector<int64_t> given_up;  ///< joint versions, ascending
  int64_t lance_versions = 0;     ///< removed
  int64_t iceberg_snapshots = 0;  ///< expired
  int64_t removed_files = 0;
  int64_t removed_bytes = 0;
  std::vector<std::string> skipped;  ///< tables that were left alone, and why
};

/// Gives up old joint versions and removes what only they needed, on both sides. Kept on either
/// side: what a joint version that stays needs, what tags and branches of the formats' own name,
/// and what other clients committed within `older_than_ms`. If Iceberg snapshots expire, that is a
/// joint version of its own.
TUSK_EXPORT Result<CleanupReport> CleanUp(Lake* lake, const CleanupOptions& options,
                                          const OperationContext& context);

struct OptimizeOptions {
  std::vector<catalog::TableName> tables = {};  ///< none: all tables of the lake
  /// The config of a table goes before it ("lance.compaction.target_rows_per_fragment" and so on),
  /// but for defer_index_remap: fragments that an index covers stay.
  lance::CompactionOptions lance = {.keep_large = true};
  /// Of Lance tables; goes before their config.
  std::optional<int64_t> target_rows_per_fragment = {};
  iceberg::DataFileRewrite iceberg = {};
  /// What is cleaned up after the files are put together; absent: nothing.
  std::optional<CleanupOptions> cleanup = CleanupOptions();
  std::string author = {};
};

/// What came of one table.
struct TableOptimization {
  catalog::TableName name;
  catalog::TableKind kind = catalog::TableKind::kLance;
  std::optional<int64_t> version = std::nullopt;  ///< the joint version, if anything was to do
  int64_t files_removed = 0;                      ///< that the table does not name any more
  int64_t files_added = 0;
  Status error = {};  ///< why it stays as it was
};

struct OptimizeReport {
  std::vector<TableOptimization> tables;  ///< ascending by name
  std::optional<CleanupReport> cleanup;   ///< absent if it was not asked for, or failed
  Status cleanup_error = {};
};

/// Keeps a lake fast: puts small files of each table together and drops deleted rows from them, a
/// joint version for each table of either kind, then cleans up. What fails at one table is
/// reported and keeps nothing else from being done; only a stop ends it. NotFound, before anything
/// is done, for a table that is not there. May be called after every append: bytes are rewritten
/// no more than some log2(rows) times.
TUSK_EXPORT Result<OptimizeReport> Optimize(Lake* lake, const OptimizeOptions& options,
                                            const OperationContext& context);

}  // namespace tusk::lake
