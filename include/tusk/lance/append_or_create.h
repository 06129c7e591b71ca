#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// As WriteDataset to append, but makes the table if there is none: then as to create, also in its
/// errors. `options.mode` counts for nothing.
TUSK_EXPORT Result<std::shared_ptr<const Dataset>> AppendOrCreate(arrow::RecordBatchReader* data,
                                                                  io::StorePath table,
                                                                  WriteOptions options,
                                                                  const OperationContext& context);

}  // namespace tusk::lance
