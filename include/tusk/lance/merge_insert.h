#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/expr/filter.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/base_targets.h"
#include "tusk/lance/commit_lock.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// What becomes of a row of the table whose key a row of the source has too.
enum class WhenMatched {
  kKeep,
  kUpdate,  ///< the row of the source takes its place
  kDelete,
  kFail,  ///< the whole operation is an error
};

/// How rows that are updated are written.
enum class MergeWriteMode {
  kRewriteRows,  ///< as whole rows, into new fragments: costs by the rows that match
  /// The source's columns of all rows of the fragments that have a match; nothing is read or
  /// written of the others, and rows stay where they are. Only for updates by a source that has
  /// some of the columns.
  kRewriteColumns,
};

struct MergeInsertOptions {
  /// Columns that make up the key, in any case; empty takes the table's primary key. A key with a
  /// null in it matches none, and floats match by their bits.
  std::vector<std::string> on = {};
  WhenMatched when_matched = WhenMatched::kKeep;
  /// kUpdate: over "source.x" and "target.x"; rows for which it is not true are kept. May be null.
  std::shared_ptr<const expr::Filter> update_condition = {};
  bool insert_not_matched = false;            ///< rows of the source that match none
  bool delete_not_matched_by_source = false;  ///< rows of the table that match none
  /// Only those for which it is true. May be null.
  std::shared_ptr<const expr::Filter> delete_condition = {};
  MergeWriteMode write_mode = MergeWriteMode::kRewriteRows;
  /// How often all is done again because another writer changed or moved rows in between.
  int max_retries = 10;
  std::chrono::milliseconds retry_timeout = std::chrono::seconds(30);  ///< no try begins after it
  std::optional<std::string> data_storage_version = {};  ///< of new files; absent: as the table is
  std::map<std::string, std::string> transaction_properties = {};
  CommitLock commit_lock = nullptr;  ///< may be null
  /// Where new fragments go; files that change those that are there go to the table's root.
  BaseTargets bases = {};
  /// Of the source: if it has more, it is written to files of its own first.
  int64_t source_bytes_in_memory = int64_t{256} << 20;
  /// For keys of the source: if they need more, the table's keys are read several times.
  int64_t key_bytes_in_memory = int64_t{256} << 20;
};

struct MergeInsertResult {
  std::shared_ptr<const Dataset> dataset;  ///< the version that the merge made; null if it is not
  std::string transaction;                 ///< of PrepareMergeInsert, as JSON; else empty
  int64_t num_inserted_rows = 0;
  int64_t num_updated_rows = 0;
  int64_t num_deleted_rows = 0;
  int num_attempts = 0;
};

/// The columns that make up the key of a merge, as the table calls them: those of `on`, which may
/// be in any case, or those of the primary key if it is empty. InvalidArgument if there are none.
TUSK_EXPORT Result<std::vector<std::string>> FindMergeKey(const Dataset& table,
                                                          const std::vector<std::string>& on);

/// Merges the rows of `source` into the newest version of a table, as one new version. Columns go
/// by name; those that the source does not have stay as they are in rows that are updated and are
/// null in those that are inserted. Updated rows stand behind all others afterwards, with their
/// stable row ids, and inserted ones behind these, in the order of the source. What needs none of
/// its values takes a source with the key alone. Appends of other writers go together with it; if
/// they changed rows that change here too, all is done anew.
/// NotFound without a table; InvalidArgument for a source, key or condition that does not fit, if
/// nothing is to be done, if several rows of the source match one that is to change, and for kFail;
/// CommitConflict if other writers were first too often. A failure leaves the table as it was.
TUSK_EXPORT Result<MergeInsertResult> MergeInsert(arrow::RecordBatchReader* source,
                                                  const io::StorePath& table,
                                                  const MergeInsertOptions& options,
                                                  const OperationContext& context);

/// The same without the commit: the files are written, and the transaction that names them is given
/// for CommitTransaction (tusk/lance/transactions.h). Until that is committed the table is as it
/// was.
TUSK_EXPORT Result<MergeInsertResult> PrepareMergeInsert(arrow::RecordBatchReader* source,
                                                         const io::StorePath& table,
                                                         const MergeInsertOptions& options,
                                                         const OperationContext& context);

/// What a merge of a source with these columns would read and write, step by step, the last one
/// first. Reads and writes nothing. InvalidArgument as MergeInsert.
TUSK_EXPORT Result<std::string> ExplainMergeInsert(const Dataset& table,
                                                   const arrow::Schema& source,
                                                   const MergeInsertOptions& options);

/// The same, with what each step did: does all of the merge but its commit, and removes its files.
TUSK_EXPORT Result<std::string> AnalyzeMergeInsert(arrow::RecordBatchReader* source,
                                                   const io::StorePath& table,
                                                   const MergeInsertOptions& options,
                                                   const OperationContext& context);

}  // namespace tusk::lance
