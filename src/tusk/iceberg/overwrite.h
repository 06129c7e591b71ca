#pragma once

#include <memory>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/changes.h"
#include "tusk/iceberg/staging.h"
#include "tusk/iceberg/table.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

/// Stages `base` with one more snapshot, in which the rows of the filter are gone and those of
/// `overwrite.data` have come. Files of which no row can pass the filter are kept and not opened,
/// files of which every row must pass it go without being opened, and of the others the rows that
/// stay are written anew. InvalidArgument if the filter or the data do not fit the table.
Result<StagedMetadata> StageOverwrite(const std::shared_ptr<io::ObjectStore>& store,
                                      const std::shared_ptr<const Table>& base,
                                      const Overwrite& overwrite, const OperationContext& context);

}  // namespace tusk::iceberg
