#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/expr/filter.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/commit_lock.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

struct DeleteOptions {
  /// How often rows are looked for again because another writer changed or moved some in between.
  int max_retries = 10;
  std::chrono::milliseconds retry_timeout = std::chrono::seconds(30);  ///< no try begins after it
  std::map<std::string, std::string> transaction_properties = {};
  CommitLock commit_lock = nullptr;  ///< may be null
};

struct DeleteResult {
  std::shared_ptr<const Dataset> dataset;  ///< the version that the deletion made
  int64_t num_deleted_rows = 0;
};

/// Deletes the rows of the newest version for which `filter` is true, as one new version, also if
/// there is none. Data files stay as they are: which rows are gone stands beside them. Appends of
/// other writers go together with it; if they changed rows, those to delete are found anew.
/// NotFound without a table; InvalidArgument for a filter that does not fit it; CommitConflict if
/// other writers were first too often. A failure leaves the table as it was. Memory: 24 bytes for
/// each run of deleted rows.
TUSK_EXPORT Result<DeleteResult> DeleteRows(const io::StorePath& table,
                                            const std::shared_ptr<const expr::Filter>& filter,
                                            const DeleteOptions& options,
                                            const OperationContext& context);

}  // namespace tusk::lance
