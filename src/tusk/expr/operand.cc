#include "tusk/expr/operand.h"

#include <algorithm>

#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type_traits.h>

namespace tusk::expr {

Result<Operand> Operand::Make(const arrow::Datum& datum, arrow::MemoryPool* pool) {
  Operand operand;
  operand.is_scalar_ = datum.is_scalar();
  if (datum.is_scalar()) {
    ARROW_ASSIGN_OR_RAISE(operand.array_, arrow::MakeArrayFromScalar(*datum.scalar(), 1, pool));
  } else {
    operand.array_ = datum.make_array();
  }
  return operand;
}

Texts::Texts(Operand operand) : Operand(std::move(operand)) {
  if (arrow::is_large_binary_like(array().type_id())) {
    large_ = static_cast<const arrow::LargeBinaryArray*>(&array());
  } else {
    small_ = static_cast<const arrow::BinaryArray*>(&array());
  }
}

Result<arrow::Datum> ToResult(const std::shared_ptr<arrow::Array>& array, bool is_scalar) {
  if (!is_scalar) return arrow::Datum(array);
  ARROW_ASSIGN_OR_RAISE(auto scalar, array->GetScalar(0));
  return arrow::Datum(std::move(scalar));
}

int64_t RowsOf(const std::vector<arrow::Datum>& arguments, int64_t length) {
  return std::ranges::all_of(arguments, &arrow::Datum::is_scalar) ? 1 : length;
}

}  // namespace tusk::expr
