#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::lance {

/// The logical type by which Lance stores `type`, as in "timestamp:us:UTC". Of a nested type it is
/// the outer word, as in "list.struct": the rest is in the child fields. Unsupported for what Lance
/// cannot store; the text names the type, not the field.
/// Source: docs/format/lance_file.md, "Schema".
Result<std::string> ToLogicalType(const arrow::DataType& type);

/// The Arrow type behind a logical type that needs no child fields; "json" and "blob" are
/// large_binary, as their bytes are stored. Unsupported for every other text.
Result<std::shared_ptr<arrow::DataType>> FromLogicalType(std::string_view logical_type);

/// Whether it is the logical type of a list, or of a large list, of anything.
bool IsListName(std::string_view logical_type);
bool IsLargeListName(std::string_view logical_type);

/// The number N of "fixed_size_list:struct:N", the only fixed-size list with a child field; 0 for
/// every other text and for an N that is not positive.
int32_t StructListSize(std::string_view logical_type);

}  // namespace tusk::lance
