#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/node.h"

namespace tusk::expr {

/// The types to which the two sides of a comparison are cast before CompareFunction, so that no
/// value is changed by it. InvalidArgument if they cannot be compared.
struct ComparedTypes {
  std::shared_ptr<arrow::DataType> left;
  std::shared_ptr<arrow::DataType> right;
};
Result<ComparedTypes> TypesToCompare(const std::shared_ptr<arrow::DataType>& left,
                                     const std::shared_ptr<arrow::DataType>& right);

/// Compares values of types that TypesToCompare gave: null where either is. Floats are in one
/// order, in which NaN equals itself and is above all others, and 0.0 equals -0.0. Texts and bytes
/// go by their bytes, lists, structs and maps by their parts, with nulls inside below all others.
Result<Kernel> CompareFunction(Comparison comparison, const ComparedTypes& types,
                               arrow::compute::ExecContext* compute);

/// The comparison with its sides exchanged, and the one that is true where this is false.
Comparison Mirrored(Comparison comparison);
Comparison Opposite(Comparison comparison);

}  // namespace tusk::expr
