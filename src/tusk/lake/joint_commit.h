#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lake/lake.h"
#include "tusk/lake/lake_parts.h"
#include "tusk/lake/table_stage.h"

namespace tusk::lake {

/// Through which a joint commit is staged: what its stages write becomes durable all at once,
/// before the catalog makes it true. Their parts are those of `lake`, which is borrowed, but for
/// the store.
class Staging {
 public:
  explicit Staging(const LakeParts& lake);
  const LakeParts& lake() const { return lake_; }
  const LakeParts& parts() const { return parts_; }
  /// Makes durable what was written through the parts.
  Status Sync(const OperationContext& context) const;

 private:
  const LakeParts& lake_;
  LakeParts parts_;
  std::shared_ptr<io::DeferringStore> deferring_;  ///< null if the store cannot defer
};

/// Stages every one of `stages`, which were made for `staging`, commits them in one transaction of
/// the catalog, publishes. Everything about it: docs/decisions/002-joint-commit.md. Gives the joint
/// version as soon as the commit is true, whether or not the publication after it succeeds. `doing`
/// begins the text of errors ("appending to"). `uses_version` is a joint version whose files are
/// used again.
Result<int64_t> CommitJointly(const Staging& staging,
                              const std::vector<std::unique_ptr<TableStage>>& stages,
                              const CommitInfo& info, std::string_view doing,
                              std::optional<int64_t> uses_version, const OperationContext& context);

/// Errors as Lake::CommitLance.
Result<int64_t> ChangeJointly(const LakeParts& parts, const std::vector<LanceChange>& changes,
                              std::vector<TableAppend> appends, const CommitInfo& info,
                              const OperationContext& context);

/// Appends to all the tables in one joint commit. Errors as Lake::Append.
Result<int64_t> AppendJointly(const LakeParts& parts, std::vector<TableAppend> appends,
                              const CommitInfo& info, const OperationContext& context);

}  // namespace tusk::lake
