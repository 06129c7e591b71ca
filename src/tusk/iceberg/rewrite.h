#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/changes.h"
#include "tusk/iceberg/plan.h"
#include "tusk/iceberg/staging.h"
#include "tusk/iceberg/table.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

struct StagedRewrite {
  StagedMetadata staged;
  int64_t files_removed = 0;  ///< data and delete files
  int64_t files_added = 0;
};

/// What StageRewrite does to one state of a table. Memory: some 200 bytes a data file.
struct RewritePlan {
  std::string metadata_location = {};    ///< of the state
  std::vector<FileTask> rewritten = {};  ///< those of a partition together
  /// Delete files that no file which stays needs.
  std::vector<std::shared_ptr<const DeleteFile>> needless = {};
};

/// Plans what StageRewrite does. Reads manifests, and those delete files that may name rows.
/// Nothing is rewritten if there is nothing to do.
Result<RewritePlan> PlanRewrite(const std::shared_ptr<const Table>& base,
                                const DataFileRewrite& options, const OperationContext& context);

/// Stages `base` with one more snapshot ("replace") that has the same rows in fewer files, by
/// `plan`, which is of this state. Memory: as a scan and a write.
Result<StagedRewrite> StageRewrite(const std::shared_ptr<io::ObjectStore>& store,
                                   const std::shared_ptr<const Table>& base,
                                   const RewritePlan& plan, const DataFileRewrite& options,
                                   const OperationContext& context);

/// Plans and stages. Nothing if there is nothing to do.
Result<std::optional<StagedRewrite>> StageRewrite(const std::shared_ptr<io::ObjectStore>& store,
                                                  const std::shared_ptr<const Table>& base,
                                                  const DataFileRewrite& options,
                                                  const OperationContext& context);

}  // namespace tusk::iceberg
