#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::expr {

/// The Arrow type of a SQL type: its name in small letters ("bigint"), whether UNSIGNED follows,
/// and what stands in parentheses behind it. InvalidArgument for what is no type.
Result<std::shared_ptr<arrow::DataType>> TypeOfName(std::string_view name, bool is_unsigned,
                                                    const std::vector<int>& parameters);

/// Whether a type begins with this word, in small letters.
bool IsTypeName(std::string_view name);

/// The type as SQL writes it where SQL has a name for it, else as Arrow does; for messages.
std::string NameOfType(const arrow::DataType& type);

}  // namespace tusk::expr
