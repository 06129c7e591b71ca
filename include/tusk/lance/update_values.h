#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/expr/filter.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/commit_lock.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

struct UpdateOptions {
  /// How often rows are looked for again because another writer changed or moved some in between.
  int max_retries = 10;
  std::chrono::milliseconds retry_timeout = std::chrono::seconds(30);  ///< no try begins after it
  std::optional<std::string> data_storage_version = {};  ///< of new files; absent: as the table is
  std::map<std::string, std::string> transaction_properties = {};
  CommitLock commit_lock = nullptr;  ///< may be null
};

struct UpdateResult {
  std::shared_ptr<const Dataset> dataset;  ///< the version that the update made
  int64_t num_updated_rows = 0;
};

/// Sets columns to values that are computed from the row as it was, in the rows of the newest
/// version for which `filter` is true (all if it is null), as one new version, also if there is no
/// such row. A value takes the column's type: InvalidArgument, naming the column, if it would not
/// be the same there (1.5 as a whole number, a text that is no number, a null that must not be).
/// The rows are written to new files, stand behind all others afterwards and keep their stable row
/// ids. Memory: batches on their way, 24 bytes for each run of rows and 8 for each stable id.
/// Appends of other writers go together with it; if they changed the same rows, all is done anew.
/// NotFound without a table; InvalidArgument for columns, expressions and a filter that do not fit
/// it; Unsupported for a table with blobs; CommitConflict if other writers were first too often. A
/// failure leaves the table as it was.
TUSK_EXPORT Result<UpdateResult> UpdateValues(const io::StorePath& table,
                                              const std::vector<NamedExpression>& values,
                                              const std::shared_ptr<const expr::Filter>& filter,
                                              const UpdateOptions& options,
                                              const OperationContext& context);

}  // namespace tusk::lance
