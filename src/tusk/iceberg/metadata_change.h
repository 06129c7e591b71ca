#pragma once

#include <cstdint>
#include <memory>
#include <set>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/append.h"
#include "tusk/iceberg/table.h"
#include "tusk/io/object_store.h"

// Commits that write no data: only the metadata file is new, and it is staged as an append's is.
namespace tusk::iceberg {

/// `base` brought back to the state `then` of the same table: its current snapshot, schema,
/// partition spec, sort order and properties. No snapshot is lost. NotFound if `base` does not know
/// the snapshot or schema of `then` any more; CommitConflict if it is another table.
Result<StagedMetadata> StageRestore(const std::shared_ptr<io::ObjectStore>& store,
                                    const std::shared_ptr<const Table>& base, const Table& then,
                                    const OperationContext& context);

/// `base` without its snapshots that are not in `kept`. The current one and those of branches and
/// tags stay in any case. Files are left where they are.
Result<StagedMetadata> StageExpire(const std::shared_ptr<io::ObjectStore>& store,
                                   const std::shared_ptr<const Table>& base,
                                   const std::set<int64_t>& kept, const OperationContext& context);

/// How many snapshots StageExpire would drop.
Result<int64_t> CountExpired(const Table& base, const std::set<int64_t>& kept);

}  // namespace tusk::iceberg
