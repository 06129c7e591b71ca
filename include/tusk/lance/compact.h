#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/commit_lock.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// How rows get from old files into new ones.
enum class CompactionMode {
  kReencode,  ///< they are read and written again
  /// Pages are copied as they lie in the files, which takes no more than to read and write these
  /// bytes, but leaves small pages small. Where pages cannot stand in one file (blobs, deleted
  /// rows, columns that not every fragment has, other data versions), as kReencode.
  kTryCopy,
  kForceCopy,  ///< as kTryCopy, but Unsupported where it cannot be
};

/// The mode that pylance calls "reencode", "try_binary_copy" or "force_binary_copy", in any case.
/// InvalidArgument for another name.
TUSK_EXPORT Result<CompactionMode> ParseCompactionMode(std::string_view name);

/// Which fragments are rewritten, and how.
struct CompactionOptions {
  /// Neighbours with fewer rows are put together until they have so many. Larger fragments stay.
  int64_t target_rows_per_fragment = 1 << 20;
  int64_t max_bytes_per_file = int64_t{90} << 30;  ///< as in WriteOptions
  /// Rewrites a fragment on its own account if more than this share of its rows is deleted.
  bool materialize_deletions = true;
  double materialize_deletions_threshold = 0.1;
  /// Leaves a fragment out that has more rows than all that it would be put together with. Then
  /// a row is rewritten no more than log2(target) times, however often small appends and
  /// compactions take turns.
  bool keep_large = false;
  /// Fragments are rewritten whose rows an index has by their addresses. The index stays as it is,
  /// and the table keeps account of where the rows went (tusk/lance/moved_rows.h), as it goes by
  /// pylance. Only without stable row ids. Without it such fragments stay.
  bool defer_index_remap = false;
  int64_t batch_rows = 8192;  ///< of what is read at a time
  /// Threads that work at the same time, if fewer than the operation's executor has.
  std::optional<int64_t> num_threads = {};
  CompactionMode mode = CompactionMode::kReencode;
  /// Bytes of pages that are read at a time to be copied; of one page if that is larger.
  int64_t copy_read_bytes = 16 << 20;
  /// At the most for one compaction: tasks are taken in order until the next would go beyond.
  std::optional<int64_t> max_source_fragments = {};
  std::optional<int64_t> max_source_rows = {};           ///< without deleted ones
  std::optional<int64_t> max_source_bytes = {};          ///< of the data files
  std::vector<uint64_t> excluded_fragments = {};         ///< neighbours on both sides stay apart
  std::optional<std::string> data_storage_version = {};  ///< of the new files, as in WriteOptions
  std::map<std::string, std::string> transaction_properties = {};
  /// How often a compaction is planned anew because another writer changed its fragments.
  int max_retries = 3;
  CommitLock commit_lock = nullptr;  ///< may be null
};

/// `options` with what a table's config says under "lance.compaction.", by pylance's names of the
/// options. InvalidArgument for a value that is none of the option's.
TUSK_EXPORT Result<CompactionOptions> WithConfig(CompactionOptions options,
                                                 const std::map<std::string, std::string>& config);

/// Fragments that become one, or several of the target's size; neighbours, in their order.
struct CompactionTask {
  uint64_t read_version = 0;
  std::vector<uint64_t> fragments = {};  ///< ids
};

struct CompactionMetrics {
  int64_t fragments_removed = 0;
  int64_t fragments_added = 0;
  int64_t files_removed = 0;  ///< that the new version does not name: data and deletion files
  int64_t files_added = 0;
};

/// What a task has written, to be committed, by another process if need be.
struct CompactedFragments {
  uint64_t read_version = 0;
  CompactionMetrics metrics = {};
  /// A transaction with the fragments before and after, as JSON: docs/format/transaction_json.md.
  std::string rewrite = {};
};

struct CompactionResult {
  std::shared_ptr<const Dataset> dataset = {};  ///< the version before if there was nothing to do
  CompactionMetrics metrics = {};
};

/// The tasks of a compaction of this version. Fragments that an index covers, which would have to
/// learn of the rows' new addresses, stay as they are unless row ids are stable or the index may
/// follow later (defer_index_remap). InvalidArgument for options out of range.
TUSK_EXPORT Result<std::vector<CompactionTask>> PlanCompaction(const Dataset& dataset,
                                                               const CompactionOptions& options,
                                                               const OperationContext& context);

/// Writes the rows of a task, without deleted ones, in their order, to new files, which nobody
/// names yet. `dataset` is the version that the task was planned on. A failure leaves no file.
/// Memory: as a scan and a write, and 8 bytes a row if row ids are stable.
TUSK_EXPORT Result<CompactedFragments> ExecuteCompaction(const Dataset& dataset,
                                                         const CompactionTask& task,
                                                         const CompactionOptions& options,
                                                         const OperationContext& context);

/// Puts new fragments in the place of old ones, as one version; fragments are ordered by id, so
/// rows that were rewritten come behind the others. Appends of others go together with it; if they
/// changed rows of the same fragments that is a CommitConflict. The new files stay after a failure:
/// nobody knows whether an earlier call has committed them. A cleanup removes them. What was
/// planned with defer_index_remap must be committed with it: InvalidArgument.
TUSK_EXPORT Result<CompactionResult> CommitCompaction(const io::StorePath& table,
                                                      const std::vector<CompactedFragments>& done,
                                                      const CompactionOptions& options,
                                                      const OperationContext& context);

/// The transaction that CommitCompaction would commit, as CommitTransaction takes it: for a joint
/// commit. InvalidArgument if there is none.
TUSK_EXPORT Result<std::string> CompactionTransaction(const std::vector<CompactedFragments>& done,
                                                      const CompactionOptions& options);

/// Plans, executes and commits a compaction of the newest version. Files are only added: the old
/// ones stay until a cleanup.
TUSK_EXPORT Result<CompactionResult> Compact(const io::StorePath& table,
                                             const CompactionOptions& options,
                                             const OperationContext& context);

}  // namespace tusk::lance
