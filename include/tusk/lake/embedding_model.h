#pragma once

#include <string>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/catalog/catalog.h"
#include "tusk/export.h"
#include "tusk/lake/lake.h"

namespace tusk::lake {

/// The model that made the vectors of a Lance table, as the table says and as the rows of its
/// metadata table say: vectors of another one cannot be compared with them. NotFound if nothing
/// says so; InvalidArgument if rows say different models, or if the table has no vectors. Reads the
/// bounds of the metadata's files and no rows where these tell enough.
TUSK_EXPORT Result<std::string> EmbeddingModel(const Lake& lake, const catalog::TableName& table,
                                               const OperationContext& context);

}  // namespace tusk::lake
