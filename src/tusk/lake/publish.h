#pragma once

#include <cstdint>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/catalog/catalog.h"
#include "tusk/lake/lake_parts.h"

namespace tusk::lake {

/// Publishes a Lance table's part of joint version `number`: gives the staged manifest
/// `change.next` its final name, records that, removes the staged one. Repeating it, and racing
/// others at it, is harmless. CommitConflict if a foreign version holds the name and cannot be
/// followed by this one; then everything stays as it is.
Status PublishChange(const LakeParts& parts, int64_t number, const catalog::TableChange& change,
                     const OperationContext& context);

/// Publishes everything that waits. A table that fails does not hold up the others; the first
/// error is given.
Status PublishAll(const LakeParts& parts, const OperationContext& context);

/// The table's entry, published first if it waits. NotFound as the catalog says.
Result<catalog::TableEntry> LoadPublished(const LakeParts& parts, const catalog::TableName& name,
                                          const OperationContext& context);

}  // namespace tusk::lake
