#include "tusk/expr/row_kernel.h"

#include <algorithm>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Appends to `builder` what `append` gives of each row without nulls.
template <typename Builder, typename Append>
Result<Datum> BuildRows(const std::vector<Datum>& arguments, const Evaluation& evaluation,
                        Builder* builder, const Append& append) {
  ARROW_ASSIGN_OR_RAISE(const Rows rows, Rows::Make(arguments, evaluation));
  ARROW_RETURN_NOT_OK(builder->Reserve(rows.length()));
  for (int64_t row = 0; row < rows.length(); ++row) {
    if (row % 4096 == 0) ARROW_RETURN_NOT_OK(evaluation.context->CheckStop());
    if (rows.HasNull(row)) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(append(rows, row));
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto array, builder->Finish());
  return ToResult(array, rows.is_scalar());
}

template <typename Builder>
Kernel TextKernel(TextOfRow function) {
  return [function = std::move(function)](const std::vector<Datum>& arguments,
                                          const Evaluation& evaluation) -> Result<Datum> {
    Builder builder(evaluation.context->pool);
    std::string text;
    return BuildRows(arguments, evaluation, &builder, [&](const Rows& rows, int64_t row) -> Status {
      text.clear();
      ARROW_RETURN_NOT_OK(function(rows, row, &text));
      return builder.Append(text);
    });
  };
}

template <typename Builder, typename Integer>
Kernel IntegerKernel(IntegerOfRow function) {
  return [function = std::move(function)](const std::vector<Datum>& arguments,
                                          const Evaluation& evaluation) -> Result<Datum> {
    Builder builder(evaluation.context->pool);
    return BuildRows(arguments, evaluation, &builder, [&](const Rows& rows, int64_t row) -> Status {
      ARROW_ASSIGN_OR_RAISE(const int64_t value, function(rows, row));
      return builder.Append(static_cast<Integer>(value));
    });
  };
}

}  // namespace

Result<Rows> Rows::Make(const std::vector<Datum>& arguments, const Evaluation& evaluation) {
  Rows rows;
  rows.length_ = RowsOf(arguments, evaluation.length());
  rows.is_scalar_ = std::ranges::all_of(arguments, &Datum::is_scalar);
  for (const Datum& datum : arguments) {
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(datum, evaluation.context->pool));
    Argument argument;
    if (arrow::is_base_binary_like(operand.array().type_id())) {
      argument.texts.emplace(std::move(operand));
    } else {
      argument.integers.emplace(std::move(operand));
    }
    rows.arguments_.push_back(std::move(argument));
  }
  return rows;
}

bool Rows::IsNull(size_t argument, int64_t row) const {
  const Argument& one = arguments_[argument];
  return one.texts ? one.texts->IsNull(row) : one.integers->IsNull(row);
}

bool Rows::HasNull(int64_t row) const {
  for (size_t i = 0; i < arguments_.size(); ++i) {
    if (IsNull(i, row)) return true;
  }
  return false;
}

Result<NodePtr> MakeTextCall(const Binder& binder, Span span, std::vector<NodePtr> arguments,
                             TextOfRow function) {
  const bool is_large = std::ranges::any_of(arguments, [](const NodePtr& argument) {
    return arrow::is_large_binary_like(argument->type->id());
  });
  Kernel kernel = is_large ? TextKernel<arrow::LargeStringBuilder>(std::move(function))
                           : TextKernel<arrow::StringBuilder>(std::move(function));
  return binder.MakeCall(span, is_large ? arrow::large_utf8() : arrow::utf8(), std::move(arguments),
                         std::move(kernel));
}

Result<NodePtr> MakeIntegerCall(const Binder& binder, Span span, std::vector<NodePtr> arguments,
                                IntegerOfRow function, const TypePtr& type) {
  Kernel kernel = type->id() == arrow::Type::INT32
                      ? IntegerKernel<arrow::Int32Builder, int32_t>(std::move(function))
                      : IntegerKernel<arrow::Int64Builder, int64_t>(std::move(function));
  return binder.MakeCall(span, type, std::move(arguments), std::move(kernel));
}

Result<NodePtr> MakeTruthCall(const Binder& binder, Span span, std::vector<NodePtr> arguments,
                              TruthOfRow function) {
  Kernel kernel = [function = std::move(function)](const std::vector<Datum>& values,
                                                   const Evaluation& evaluation) -> Result<Datum> {
    arrow::BooleanBuilder builder(evaluation.context->pool);
    return BuildRows(values, evaluation, &builder, [&](const Rows& rows, int64_t row) -> Status {
      ARROW_ASSIGN_OR_RAISE(const bool value, function(rows, row));
      return builder.Append(value);
    });
  };
  return binder.MakeCall(span, arrow::boolean(), std::move(arguments), std::move(kernel));
}

Result<NodePtr> AsText(const Binder& binder, const NodePtr& node) {
  if (IsText(*node->type)) return node;
  if (node->type->id() == arrow::Type::NA) return binder.Widen(node, arrow::utf8());
  return binder.Error(node->span,
                      "a text is expected here, but this is a " + NameOfType(*node->type));
}

Result<NodePtr> AsInteger(const Binder& binder, const NodePtr& node) {
  if (arrow::is_integer(node->type->id()) || node->type->id() == arrow::Type::NA) {
    return binder.Widen(node, arrow::int64());
  }
  return binder.Error(node->span,
                      "a whole number is expected here, but this is a " + NameOfType(*node->type));
}

Result<std::vector<NodePtr>> TextsAndIntegers(const Binder& binder, const Call& call,
                                              size_t texts) {
  std::vector<NodePtr> arguments;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), i < texts
                                                        ? AsText(binder, call.arguments[i])
                                                        : AsInteger(binder, call.arguments[i]));
  }
  return arguments;
}

Result<std::string> ConstantText(const Binder& binder, const NodePtr& node) {
  if (node->kind != NodeKind::kLiteral || !IsText(*node->type) || !node->value->is_valid) {
    return binder.Error(node->span, "a text that is a constant is expected here");
  }
  return std::string(static_cast<const arrow::BaseBinaryScalar&>(*node->value).view());
}

}  // namespace tusk::expr
