#pragma once

#include <cstdint>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lake/lake.h"
#include "tusk/lake/lake_parts.h"

namespace tusk::lake {

/// Stages all `appends`, commits them in one transaction of the catalog, publishes. Everything
/// about it: docs/decisions/002-joint-commit.md. Gives the joint version as soon as the commit is
/// true, whether or not the publication after it succeeds. Errors as Lake::Append.
Result<int64_t> AppendJointly(const LakeParts& parts, std::vector<TableAppend> appends,
                              const CommitInfo& info, const OperationContext& context);

}  // namespace tusk::lake
