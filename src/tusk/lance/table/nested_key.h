#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::lance {

/// Whether a column of this type is a struct or a list, at any depth, of values that can be keys.
bool IsNestedKey(const arrow::DataType& type);

/// The rows of such a column as large_binary: null where they are, else bytes that are the same iff
/// the rows have the same values, of which nulls inside equal each other.
Result<std::shared_ptr<arrow::ArrayData>> EncodeNestedKey(
    const std::shared_ptr<arrow::ArrayData>& column, arrow::MemoryPool* pool);

}  // namespace tusk::lance
