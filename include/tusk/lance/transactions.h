#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/commit_lock.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// How a transaction is committed.
struct TransactionOptions {
  /// How often a commit that another writer was faster than is tried again, if the two go together.
  /// An overwrite with 0 is strict: it is a CommitConflict if there is any version that it has not
  /// read, or one at all if it has read none.
  int max_retries = 20;
  std::chrono::milliseconds timeout{30'000};  ///< no attempt begins later
  CommitLock lock = nullptr;                  ///< may be null
  /// Makes a version that stands beside the history: it is the latest for nobody, and is opened by
  /// its number, which has bit 63.
  bool detached = false;
  bool enable_v2_manifest_paths = true;  ///< of a table that is made
  bool enable_stable_row_ids = false;    ///< of a table that is made
};

/// Commits a transaction, given as JSON in the form of docs/format/transaction_json.md, whose files
/// are written. `schema` stands for the schema of an overwrite, merge or project whose JSON has
/// none, with ids 0, 1, ... in depth-first order; else null. Without a read version it is made for
/// the latest one. NotFound without a table, unless it is an overwrite; InvalidArgument for JSON
/// that is no transaction and for one that does not fit the table; CommitConflict, naming the other
/// transaction, if one that was committed since does not go with it, or others were first too
/// often. A failure leaves the table as it was; the files stay.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> CommitTransaction(
    const io::StorePath& table, std::string_view transaction,
    const std::shared_ptr<arrow::Schema>& schema, const TransactionOptions& options,
    const OperationContext& context);

/// The transaction that made this version, as JSON. NotFound if the version does not say.
TUSK_EXPORT Result<std::string> DescribeTransaction(const Dataset& dataset,
                                                    const OperationContext& context);

/// The numbers of all versions that the table has now, on the branch of this one, ascending. Reads
/// no manifest.
TUSK_EXPORT Result<std::vector<uint64_t>> ListVersionNumbers(const Dataset& dataset,
                                                             const OperationContext& context);

/// The fragments of this version as a JSON array, and its schema with field ids as a JSON object,
/// in the forms that they have in transactions.
TUSK_EXPORT std::string DescribeFragments(const Dataset& dataset);
TUSK_EXPORT std::string DescribeSchema(const Dataset& dataset);
/// The same of an Arrow schema, with ids 0, 1, ... in depth-first order. Unsupported for a type
/// that cannot be stored.
TUSK_EXPORT Result<std::string> DescribeSchema(const arrow::Schema& schema);
/// What this version says of the table besides: a JSON object with `branch` (null on the main
/// line), `table_metadata`, `base_paths` and `has_indices`, which is false if there is none.
TUSK_EXPORT std::string DescribeTable(const Dataset& dataset);

/// Renames the manifests of a table of the old scheme (<version>.manifest) to the new one, in which
/// the latest sorts first. No error if they are; may be repeated after a failure. There must be no
/// other writer meanwhile.
TUSK_EXPORT Status MigrateManifestPaths(const io::StorePath& table,
                                        const OperationContext& context);

}  // namespace tusk::lance
