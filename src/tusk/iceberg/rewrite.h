#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/changes.h"
#include "tusk/iceberg/staging.h"
#include "tusk/iceberg/table.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

struct StagedRewrite {
  StagedMetadata staged;
  int64_t files_removed = 0;  ///< data and delete files
  int64_t files_added = 0;
};

/// Whether StageRewrite would do anything. Reads manifests, and those delete files that may name
/// rows.
Result<bool> NeedsRewrite(const std::shared_ptr<const Table>& base, const DataFileRewrite& options,
                          const OperationContext& context);

/// Stages `base` with one more snapshot ("replace") that has the same rows in fewer files. Memory:
/// some 200 bytes a data file, and as a scan and a write. Nothing if there is nothing to do.
Result<std::optional<StagedRewrite>> StageRewrite(const std::shared_ptr<io::ObjectStore>& store,
                                                  const std::shared_ptr<const Table>& base,
                                                  const DataFileRewrite& options,
                                                  const OperationContext& context);

}  // namespace tusk::iceberg
