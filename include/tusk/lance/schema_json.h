#pragma once

#include <memory>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/export.h"

namespace tusk::lance {

/// The Arrow schema of a table's schema in the JSON form that it has in transactions
/// (docs/format/transaction_json.md). InvalidArgument if it is none; Unsupported, naming the field,
/// for a type that is not covered.
TUSK_EXPORT Result<std::shared_ptr<arrow::Schema>> ReadSchemaJson(std::string_view json);

}  // namespace tusk::lance
