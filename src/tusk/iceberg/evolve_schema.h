#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/iceberg/changes.h"

namespace tusk::iceberg {

struct EvolvedSchema {
  std::shared_ptr<arrow::Schema> schema;
  int32_t last_column_id = 0;
};

/// `schema` after `changes`; new fields get ids from `last_column_id` + 1. InvalidArgument if a
/// column is unknown or there already, a promotion could change values, a key of a map would
/// change, or a column of `needed`, field ids that a partition spec uses, would go. Unsupported
/// names a type that cannot be kept.
Result<EvolvedSchema> EvolveSchema(const std::shared_ptr<arrow::Schema>& schema,
                                   int32_t last_column_id, const std::vector<SchemaChange>& changes,
                                   const std::set<int32_t>& needed);

}  // namespace tusk::iceberg
