#include "tusk/expr/integer_literal.h"

#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>

#include <arrow/builder.h>
#include <arrow/type_traits.h>

namespace tusk::expr {
namespace {

template <typename Builder>
Result<bool> AppendTo(int64_t number, arrow::ArrayBuilder* builder) {
  using Value = typename Builder::value_type;
  if (!std::in_range<Value>(number)) return false;
  ARROW_RETURN_NOT_OK(static_cast<Builder*>(builder)->Append(static_cast<Value>(number)));
  return true;
}

}  // namespace

Result<bool> AppendInteger(const Syntax& literal, arrow::ArrayBuilder* builder) {
  if (literal.kind != SyntaxKind::kNumber || !arrow::is_integer(builder->type()->id()))
    return false;
  int64_t number = 0;
  const char* end = literal.text.data() + literal.text.size();
  const auto parsed = std::from_chars(literal.text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return false;
  switch (builder->type()->id()) {
    case arrow::Type::INT8:
      return AppendTo<arrow::Int8Builder>(number, builder);
    case arrow::Type::INT16:
      return AppendTo<arrow::Int16Builder>(number, builder);
    case arrow::Type::INT32:
      return AppendTo<arrow::Int32Builder>(number, builder);
    case arrow::Type::INT64:
      return AppendTo<arrow::Int64Builder>(number, builder);
    case arrow::Type::UINT8:
      return AppendTo<arrow::UInt8Builder>(number, builder);
    case arrow::Type::UINT16:
      return AppendTo<arrow::UInt16Builder>(number, builder);
    case arrow::Type::UINT32:
      return AppendTo<arrow::UInt32Builder>(number, builder);
    case arrow::Type::UINT64:
      return AppendTo<arrow::UInt64Builder>(number, builder);
    default:
      return false;
  }
}

}  // namespace tusk::expr
