#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::expr {

/// The type as pylance's arrow_typeof writes it: Int64, Timestamp(µs, "UTC"), List(Utf8),
/// Struct("a": Int64, "b": non-null Utf8).
std::string ToArrowTypeText(const arrow::DataType& type);

/// The type that such a text says, also as earlier versions wrote it: Timestamp(Second, None).
/// InvalidArgument for what is none.
Result<std::shared_ptr<arrow::DataType>> ParseArrowTypeText(std::string_view text);

}  // namespace tusk::expr
