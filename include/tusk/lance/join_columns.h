#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/commit_lock.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

struct JoinColumnsOptions {
  /// How often all is done again because another writer changed rows or columns in between.
  int max_retries = 10;
  std::chrono::milliseconds retry_timeout = std::chrono::seconds(30);  ///< no try begins after it
  std::map<std::string, std::string> transaction_properties = {};
  CommitLock commit_lock = nullptr;  ///< may be null
  /// Of the data: if it has more, it is written to files of its own first.
  int64_t source_bytes_in_memory = int64_t{256} << 20;
};

/// Adds the columns of `data`, all but `right_on`, to the newest version of a table, as one new
/// version. A row gets the values of the row of `data` whose `right_on` equals its `left_on` (a
/// column, `_rowid`, `_rowaddr` or `_rowoffset`), of the last of several, and nulls if there is
/// none. Here a null equals a null. Files that are there stay; each fragment gets one more. Memory:
/// the keys of `data`, 48 bytes for each beside those of texts.
/// NotFound without a table; InvalidArgument for a key that one side lacks or has with another
/// type, for data without rows or other columns, for a column that is there already, and for one
/// that must not be null where a row has no match; Unsupported for types that are no keys or cannot
/// be stored; CommitConflict if other writers were first too often. A failure leaves the table as
/// it was.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> JoinColumns(arrow::RecordBatchReader* data,
                                                               const io::StorePath& table,
                                                               const std::string& left_on,
                                                               const std::string& right_on,
                                                               const JoinColumnsOptions& options,
                                                               const OperationContext& context);

}  // namespace tusk::lance
