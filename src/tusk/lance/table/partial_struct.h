#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// Whether data of type `part` has values for a field of type `whole`: it is stored like it, or is
/// a struct of which that is true at any depth, with its fields in any order, or some of them only.
bool IsPartOf(const arrow::DataType& part, const arrow::DataType& whole);

/// Whether it also has all fields of all structs, in their order.
bool IsWhole(const arrow::DataType& part, const arrow::DataType& whole);

/// The field with those children that data of this type has, in the order of the data.
Field PartOf(Field field, const arrow::DataType& part);

/// The type of `part` with what it lacks of `whole`, in the order of that.
std::shared_ptr<arrow::DataType> CompletedType(const arrow::DataType& part,
                                               const std::shared_ptr<arrow::DataType>& whole);

/// Rows of that type: the values of `part`, and of fields that it lacks those of `before`, the same
/// rows as they were, of type `whole`; nulls if that is null. A struct is null where both are, as
/// pylance has it.
Result<std::shared_ptr<arrow::Array>> Complete(const std::shared_ptr<arrow::Array>& part,
                                               const std::shared_ptr<arrow::DataType>& whole,
                                               const std::shared_ptr<arrow::Array>& before,
                                               arrow::MemoryPool* pool);

}  // namespace tusk::lance
