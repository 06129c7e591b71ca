#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/merge_insert.h"
#include "tusk/lance/table/merge_join.h"
#include "tusk/lance/table/merge_source.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// InvalidArgument if a merge of a source with the columns `source` into a table cannot be done by
/// writing columns anew, or if that would be of no use: it may only update rows, and the source
/// must bring some columns beside its key, but not all.
Status CheckColumnsCanChange(const Schema& table, const Schema& source,
                             const std::vector<std::string>& on, const MergeInsertOptions& options);

/// Writes a file for each fragment that has matches to `target`, the table, by the store through
/// which new files are written, with the source's columns of all its rows:
/// the values of the source where a row matches, and those that it had elsewhere. Gives the update
/// that puts them in the place of the columns that are there. After a failure no file is left.
/// Memory: that of `matches`, and batches on their way.
Result<UpdateRows> WriteMatchedColumns(const Dataset& dataset, const MergeSource& source,
                                       const std::vector<std::string>& on,
                                       std::vector<MergeJoin::Match> matches,
                                       uint16_t minor_version, const io::StorePath& target,
                                       const OperationContext& context);

/// Removes the files that WriteMatchedColumns has written. Best effort; cannot be stopped.
void RemoveMatchedColumns(const Dataset& dataset, const UpdateRows& update,
                          const OperationContext& context);

}  // namespace tusk::lance
