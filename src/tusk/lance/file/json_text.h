#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// Rows of `field` in its Arrow form with JsonForm::kBytes, made into that with JsonForm::kText:
/// json at any depth becomes text. The rest is shared; all of it if there is no json. The errors of
/// JsonTextOf, with the name of the field.
Result<std::shared_ptr<arrow::ArrayData>> WithJsonText(const Field& field,
                                                       std::shared_ptr<arrow::ArrayData> rows,
                                                       arrow::MemoryPool* pool);

}  // namespace tusk::lance
