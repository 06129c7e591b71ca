#pragma once

#include <memory>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/changes.h"
#include "tusk/iceberg/staging.h"
#include "tusk/iceberg/table.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

/// Stages `base` with `update`; nothing but a metadata file is written. InvalidArgument if a change
/// makes no sense for the table; NotFound for an unknown snapshot, reference or partition field.
Result<StagedMetadata> StageUpdate(const std::shared_ptr<io::ObjectStore>& store,
                                   const std::shared_ptr<const Table>& base,
                                   const TableUpdate& update, const OperationContext& context);

}  // namespace tusk::iceberg
