#pragma once

#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/merge_insert.h"

namespace tusk::lance {

/// The columns of the primary key in its order.
std::vector<std::string> PrimaryKey(const Schema& schema);

/// What a merge joins by, and what it needs of its source.
struct MergePlan {
  std::vector<std::string> on;  ///< as the table calls them
  Schema source;                ///< fields of the table, in its order
};

/// InvalidArgument for options that do not go together, and for a source that does not fit them.
Result<MergePlan> PlanMerge(const Dataset& table, const arrow::Schema& source,
                            const MergeInsertOptions& options);

}  // namespace tusk::lance
