#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/change_columns.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

// What one process writes and another one commits. Each function writes files and answers the
// transaction that names them, as JSON (docs/format/transaction_json.md). CommitTransaction takes
// it as it is, or one that is made of the fragments of several. Until then no version has the
// files; a failure leaves none. InvalidArgument for a fragment that `base` does not have.

/// The rows of `data` as new fragments: the transaction that WriteDataset would commit, with its
/// errors.
TUSK_EXPORT Result<std::string> PrepareWrite(arrow::RecordBatchReader* data,
                                             const io::StorePath& table,
                                             const WriteOptions& options,
                                             const OperationContext& context);

/// A merge of one fragment, which gets the columns of `data`: as many rows as it has, in the order
/// of a scan. The ids of the new fields are the same for each fragment of a version. Errors of
/// AddColumnsFrom.
TUSK_EXPORT Result<std::string> AddFragmentColumns(const Dataset& base, uint64_t fragment,
                                                   arrow::RecordBatchReader* data,
                                                   const ChangeColumnsOptions& options,
                                                   const OperationContext& context);

/// A merge of one fragment, which gets the columns of `data` by key. As JoinColumns, with its
/// errors.
TUSK_EXPORT Result<std::string> JoinFragmentColumns(const Dataset& base, uint64_t fragment,
                                                    arrow::RecordBatchReader* data,
                                                    const std::string& left_on,
                                                    const std::string& right_on,
                                                    const OperationContext& context);

/// An update of one fragment by columns: rows with a match get the values that `data` has for them
/// in its columns other than `right_on`, of the last of several, and the others stay. These columns
/// are written anew, all rows of them. Errors of JoinColumns; InvalidArgument for a column that the
/// table does not have or has with another type.
TUSK_EXPORT Result<std::string> UpdateFragmentColumns(const Dataset& base, uint64_t fragment,
                                                      arrow::RecordBatchReader* data,
                                                      const std::string& left_on,
                                                      const std::string& right_on,
                                                      const OperationContext& context);

/// A delete of rows of one fragment: those for which `filter` is true, or, without one, those at
/// these offsets, which count deleted rows too. The fragment stands among those that are gone if no
/// row is left, and is as it was if no row is deleted.
TUSK_EXPORT Result<std::string> DeleteFragmentRows(
    const Dataset& base, uint64_t fragment, const std::shared_ptr<const expr::Filter>& filter,
    std::span<const int64_t> offsets, const OperationContext& context);

/// A data file that somebody has put below data/ of the table, as a fragment in JSON: its columns
/// are those of the table with their names. InvalidArgument for a column that the table does not
/// have or has with another type; the errors of opening a file.
TUSK_EXPORT Result<std::string> DescribeDataFile(const Dataset& base, std::string_view path,
                                                 const OperationContext& context);

/// The same of a file at the base path `base_id` of the table. InvalidArgument if there is none.
TUSK_EXPORT Result<std::string> DescribeDataFile(const Dataset& base, std::string_view path,
                                                 std::optional<uint32_t> base_id,
                                                 const OperationContext& context);

}  // namespace tusk::lance
