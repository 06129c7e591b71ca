#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/data_writer.h"
#include "tusk/iceberg/staging.h"
#include "tusk/iceberg/table.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

struct AppendOptions {
  std::map<std::string, std::string> summary = {};  ///< further entries of the snapshot's summary
  std::map<std::string, std::string> properties = {};  ///< of the table, only when it is made
  std::vector<std::string> partition_by = {};  ///< partition terms, only when the table is made
  std::string branch = kMainBranch;
  int64_t target_file_bytes = 512 << 20;
};

/// Writes `data` as Parquet files under `location`/data, each of one partition of the table's
/// current spec, and stages metadata (format version 2) for a table with one more snapshot. `base`
/// null makes the table at `location` with the schema of `data`. Values are converted as the type
/// table says. InvalidArgument if the schema of `data` differs from the table's. A failure leaves
/// only files that nothing refers to.
Result<StagedMetadata> StageAppend(arrow::RecordBatchReader* data,
                                   const std::shared_ptr<io::ObjectStore>& store,
                                   std::string_view location,
                                   const std::shared_ptr<const Table>& base,
                                   const AppendOptions& options, const OperationContext& context);

/// After the catalog's compare-and-set failed: stages the snapshot of `staged` (an append to an
/// existing table) again on top of `base`, a later state of the same table. The data files and the
/// manifest that lists them are kept; manifest list and metadata file are written anew and the old
/// ones removed, so that only the result is left to commit or abort. CommitConflict if `base` has
/// another current schema or partition spec than the files were written with, or another uuid.
Result<StagedMetadata> Restage(const std::shared_ptr<io::ObjectStore>& store,
                               const StagedMetadata& staged,
                               const std::shared_ptr<const Table>& base,
                               const OperationContext& context);

/// Removes the staged metadata file and what only it refers to. No error if it is gone.
Status AbortStaged(const std::shared_ptr<io::ObjectStore>& store, const StagedMetadata& staged,
                   const OperationContext& context);

}  // namespace tusk::iceberg
