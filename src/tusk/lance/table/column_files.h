#pragma once

#include <cstdint>
#include <memory>
#include <set>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// `rows`, which has those of `fragment` that are not deleted, in their order, with rows for the
/// deleted ones between them, whose values mean nothing: those of a neighbour, and of columns of
/// `schema` that have blobs nulls, if these may have some. InvalidArgument from the reader if there
/// are more or fewer rows. `rows` and `schema` must outlive it.
Result<std::shared_ptr<arrow::RecordBatchReader>> WithDeletedRows(arrow::RecordBatchReader* rows,
                                                                  const Dataset::State& state,
                                                                  const Fragment& fragment,
                                                                  const Schema& schema,
                                                                  const OperationContext& context);

/// Writes the columns of `schema` (with their ids) of all rows of a fragment, deleted ones
/// included, to a file of its own in `target`, the table by the store through which new files are
/// written. Answers it as a file of the fragment; nobody names it yet. A failure leaves no file. If
/// `rows` have their addresses, some of their blobs are those of the version `state`
/// (BlobWriteScope).
Result<DataFile> WriteColumnFile(arrow::RecordBatchReader* rows, const Dataset::State& state,
                                 const Fragment& fragment, const Schema& schema,
                                 uint16_t minor_version, const io::StorePath& target,
                                 const OperationContext& context);

/// The fragment with `file` in the place of its columns of these fields. Files without a field left
/// are not among its files any more.
Fragment WithColumnFile(Fragment fragment, DataFile file, const std::set<int32_t>& fields);

}  // namespace tusk::lance
