#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// The fields of `table` that `data` brings, in the order of the table, to append `data` to it.
/// Columns are matched by name, in any order; a nullable column may be left out, and view types
/// stand for the types with offsets. InvalidArgument, naming the column, for one that the table
/// does not have, has with another type, or needs; Unsupported for a type that cannot be stored.
Result<Schema> MatchAppend(const arrow::Schema& data, const Schema& table);

/// Writes all rows of `data` to new data files of the table, of data version 2.`minor_version`, as
/// fragments that have no id yet. `schema` has the fields to write with their ids; `data` has each
/// of them by name. InvalidArgument if a column that must not be null has nulls, and for options
/// out of range. A failure leaves no file.
Result<std::vector<Fragment>> WriteFragments(arrow::RecordBatchReader* data,
                                             const io::StorePath& table, const Schema& schema,
                                             uint16_t minor_version, const WriteOptions& options,
                                             const OperationContext& context);

/// Removes the data files of fragments that no manifest names; `bases` are those that files of them
/// may name. Best effort; cannot be stopped.
void RemoveDataFiles(const io::StorePath& table, const std::vector<Fragment>& fragments,
                     const OperationContext& context, std::span<const BasePath> bases = {});

}  // namespace tusk::lance
