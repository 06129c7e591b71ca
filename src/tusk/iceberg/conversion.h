#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"

namespace tusk::iceberg {

/// Table properties that keep what Iceberg types cannot say; the field id follows.
inline constexpr std::string_view kFixedSizeListProperty = "tusk.fixed-size-list.";
inline constexpr std::string_view kTimezoneProperty = "tusk.timezone.";

/// The properties above for data of the schema `given` that is kept as `stored`, which has the same
/// fields in the same order, with ids.
std::map<std::string, std::string> TypeProperties(const arrow::Schema& given,
                                                  const arrow::Schema& stored);

/// `array` as `type`, both Arrow types of the type table; used to store data and to read files
/// whose types were promoted or spelled otherwise (large strings, views, dictionaries). Struct
/// fields are matched by position if `by_id` is false, else by field id, those that `type` lacks
/// being dropped and those that `array` lacks being null.
/// InvalidArgument if a value does not fit, text is not UTF-8 or a null meets a required field;
/// Unsupported if there is no such conversion. Buffers are shared where nothing changes.
Result<std::shared_ptr<arrow::Array>> ConvertArray(const std::shared_ptr<arrow::Array>& array,
                                                   const arrow::Field& field, bool by_id,
                                                   const OperationContext& context);

}  // namespace tusk::iceberg
