#pragma once

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
#include "tusk/io/object_store.h"
#include "tusk/lance/commit_lock.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

// Each of these makes one version of the table out of its newest one. The data files that are there
// stay as they are: new values go to further files of the same fragments. NotFound without a table;
// CommitConflict if another writer changed what the call was based on. A failure leaves the table
// as it was.

struct ChangeColumnsOptions {
  int64_t batch_rows = 8192;                             ///< of what is read at a time
  std::optional<std::string> data_storage_version = {};  ///< of new files, as in WriteOptions
  std::map<std::string, std::string> transaction_properties = {};
  /// How often values are made anew because another writer changed rows. Not for AddColumnsFrom.
  int max_retries = 3;
  CommitLock commit_lock = nullptr;  ///< may be null
};

/// Adds columns whose values are made of those of the same row, each by an SQL expression.
/// Fragments are worked on in parallel. InvalidArgument if a name is taken, or no column may have
/// it.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> AddColumns(
    const io::StorePath& table, const std::vector<NamedExpression>& columns,
    const ChangeColumnsOptions& options, const OperationContext& context);

/// Adds the columns of `schema`, all null, without a data file. InvalidArgument also if one must
/// not be null. A struct that the table has too brings it the children that it lacks.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> AddNullColumns(
    const io::StorePath& table, const std::shared_ptr<arrow::Schema>& schema,
    const ChangeColumnsOptions& options, const OperationContext& context);

/// Adds the columns of `data`, which has the rows of `base` in the order of a scan, as many of
/// them. InvalidArgument if it has more or fewer. Structs as in AddNullColumns. `base` is a version
/// of the table; it is a CommitConflict if rows came, went or moved since. Reads `data` once, on
/// the calling thread.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> AddColumnsFrom(
    const Dataset& base, arrow::RecordBatchReader* data, const ChangeColumnsOptions& options,
    const OperationContext& context);

/// Drops the fields that these paths name ("s.a"), with all below them; a struct without a child
/// left goes too. Nothing is read or written but the manifest. NotFound for a path that is none;
/// InvalidArgument if no column would be left.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> DropColumns(
    const io::StorePath& table, const std::vector<std::string>& paths,
    const ChangeColumnsOptions& options, const OperationContext& context);

/// What becomes of a field. What is absent stays.
struct ColumnAlteration {
  std::string path = {};  ///< "s.a"
  std::optional<std::string> name = {};
  std::optional<bool> nullable = {};
  std::shared_ptr<arrow::DataType> type = {};  ///< may be null
};

/// Renames fields, lets them be null or not, and gives them other types. To forbid nulls reads the
/// column, and is an InvalidArgument if it has some. Another type writes this column anew; it must
/// be of the same family (integers, floats, texts, bytes, times, decimals, lists of these) and hold
/// every value, and no index may have the column: else InvalidArgument.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> AlterColumns(
    const io::StorePath& table, const std::vector<ColumnAlteration>& alterations,
    const ChangeColumnsOptions& options, const OperationContext& context);

/// Puts the top-level columns into this order, which names each of them once.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> ReorderColumns(
    const io::StorePath& table, const std::vector<std::string>& names,
    const ChangeColumnsOptions& options, const OperationContext& context);

}  // namespace tusk::lance
