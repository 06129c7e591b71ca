#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/binder.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/compare.h"
#include "tusk/expr/integer_literal.h"
#include "tusk/expr/integer_set.h"
#include "tusk/expr/like.h"
#include "tusk/expr/type_name.h"

// Comparisons, sets of values and patterns.
namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

bool IsNumberLiteral(const NodePtr& node) {
  return node->literal.has_value() && (node->literal->kind == SyntaxKind::kNumber ||
                                       node->literal->kind == SyntaxKind::kDecimal);
}

bool IsEquality(Comparison comparison) {
  return comparison == Comparison::kEqual || comparison == Comparison::kNotEqual;
}

/// The values of a set of floats with both zeros if it has one: the hash of Arrow's sets tells them
/// apart.
Result<std::shared_ptr<arrow::Array>> WithBothZeros(std::shared_ptr<arrow::Array> values,
                                                    cp::ExecContext* compute) {
  if (!arrow::is_floating(values->type_id())) return values;
  ARROW_ASSIGN_OR_RAISE(const auto zero, arrow::MakeScalar(values->type(), 0));
  ARROW_ASSIGN_OR_RAISE(const Datum negative, cp::CallFunction("negate", {Datum(zero)}, compute));
  ARROW_ASSIGN_OR_RAISE(const Datum is_zero,
                        cp::CallFunction("equal", {Datum(values), Datum(zero)}, compute));
  if (is_zero.array_as<arrow::BooleanArray>()->true_count() == 0) return values;
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(values->type(), compute->memory_pool()));
  ARROW_RETURN_NOT_OK(builder->AppendArraySlice(*values->data(), 0, values->length()));
  ARROW_RETURN_NOT_OK(builder->AppendScalar(*zero));
  ARROW_RETURN_NOT_OK(builder->AppendScalar(*negative.scalar()));
  return builder->Finish();
}

}  // namespace

Status Binder::CheckQuotes(const NodePtr& left, const NodePtr& right) const {
  if (!left->is_constant() || !right->is_constant()) return Status::OK();
  for (const NodePtr& side : {left, right}) {
    if (!side->literal.has_value() || !side->literal->is_quoted) continue;
    return Error(side->span,
                 "double quotes make a text, so that this compares two constants; the "
                 "name of a column stands in backticks: `" +
                     side->literal->text + "`");
  }
  return Status::OK();
}

Result<NodePtr> Binder::Compare(Span span, Comparison comparison, const NodePtr& left,
                                const NodePtr& right) const {
  ARROW_RETURN_NOT_OK(CheckQuotes(left, right));
  const bool both_numbers = IsNumberLiteral(left) && IsNumberLiteral(right);
  if (right->literal.has_value() && !both_numbers &&
      (!left->literal.has_value() || right->literal->kind == SyntaxKind::kText ||
       right->literal->kind == SyntaxKind::kNull)) {
    return CompareWithLiteral(span, comparison, left, right);
  }
  if (left->literal.has_value() && !both_numbers) {
    return CompareWithLiteral(span, Mirrored(comparison), right, left);
  }
  auto types = TypesToCompare(left->type, right->type);
  if (!types.ok()) return Error(span, types.status().message());
  ARROW_ASSIGN_OR_RAISE(NodePtr first, Widen(left, types->left));
  ARROW_ASSIGN_OR_RAISE(NodePtr second, Widen(right, types->right));
  auto kernel = CompareFunction(comparison, *types, compute_);
  if (!kernel.ok()) return Error(span, kernel.status().message());
  if (first->is_constant() && second->is_constant()) {
    return MakeCall(span, arrow::boolean(), {first, second}, *std::move(kernel));
  }
  return Freeze({.kind = NodeKind::kCompare,
                 .type = arrow::boolean(),
                 .span = span,
                 .arguments = {std::move(first), std::move(second)},
                 .kernel = *std::move(kernel),
                 .comparison = comparison});
}

Result<NodePtr> Binder::CompareWithLiteral(Span span, Comparison comparison, const NodePtr& value,
                                           const NodePtr& literal) const {
  const TypePtr& type = value->type;
  if (literal->literal->kind == SyntaxKind::kNull || type->id() == arrow::Type::NA) {
    return MakeLiteral(span, arrow::MakeNullScalar(arrow::boolean()));
  }
  auto fitted = FitToColumn(*literal->literal, *type);
  if (!fitted.ok()) return Error(literal->span, fitted.status().message());
  if (!fitted->is_exact) {
    if (IsEquality(comparison)) {
      return Error(literal->span, "no " + NameOfType(*type) + " can be equal to " +
                                      ToString(*literal->literal) +
                                      ": compare with < or >, or cast the other side");
    }
    // The value that stands in for the literal lies just below it.
    const bool is_less = comparison == Comparison::kLess || comparison == Comparison::kLessEqual;
    comparison = is_less ? Comparison::kLessEqual : Comparison::kGreater;
  }
  const NodePtr right = MakeLiteral(literal->span, std::move(fitted->scalar));
  if (!value->literal.has_value()) return Compare(span, comparison, value, right);
  // Without its literal a constant is of the type that it has by now.
  return Compare(span, comparison, MakeLiteral(value->span, value->value), right);
}

Result<NodePtr> Binder::BindCompare(const Syntax& syntax) {
  static const std::vector<std::pair<std::string, Comparison>> symbols = {
      {"=", Comparison::kEqual},   {"<>", Comparison::kNotEqual},
      {"<", Comparison::kLess},    {"<=", Comparison::kLessEqual},
      {">", Comparison::kGreater}, {">=", Comparison::kGreaterEqual}};
  ARROW_ASSIGN_OR_RAISE(const NodePtr left, Bind(*syntax.children[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr right, Bind(*syntax.children[1]));
  const auto found =
      std::ranges::find(symbols, syntax.text, &std::pair<std::string, Comparison>::first);
  return Compare(syntax.span, found->second, left, right);
}

Result<NodePtr> Binder::BindDistinct(const Syntax& syntax) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr left, Bind(*syntax.children[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr right, Bind(*syntax.children[1]));
  ARROW_ASSIGN_OR_RAISE(NodePtr equal, Compare(syntax.span, Comparison::kEqual, left, right));
  ARROW_ASSIGN_OR_RAISE(NodePtr left_null, IsNull(syntax.span, left, false));
  ARROW_ASSIGN_OR_RAISE(NodePtr right_null, IsNull(syntax.span, right, false));
  // Null, which = gives where a side is null, is decided by whether the other is too.
  Kernel kernel = [is_negated = syntax.is_negated](const std::vector<Datum>& arguments,
                                                   const Evaluation& evaluation) -> Result<Datum> {
    cp::ExecContext* compute = evaluation.compute;
    ARROW_ASSIGN_OR_RAISE(const Datum differ, cp::CallFunction("invert", {arguments[0]}, compute));
    ARROW_ASSIGN_OR_RAISE(const Datum one_null,
                          cp::CallFunction("xor", {arguments[1], arguments[2]}, compute));
    ARROW_ASSIGN_OR_RAISE(const Datum distinct,
                          cp::CallFunction("coalesce", {differ, one_null}, compute));
    return is_negated ? cp::CallFunction("invert", {distinct}, compute) : Result<Datum>(distinct);
  };
  return MakeCall(syntax.span, arrow::boolean(),
                  {std::move(equal), std::move(left_null), std::move(right_null)},
                  std::move(kernel));
}

Result<NodePtr> Binder::BindBetween(const Syntax& syntax) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr value, Bind(*syntax.children[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr low, Bind(*syntax.children[1]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr high, Bind(*syntax.children[2]));
  ARROW_ASSIGN_OR_RAISE(NodePtr above, Compare(syntax.span, Comparison::kGreaterEqual, value, low));
  ARROW_ASSIGN_OR_RAISE(NodePtr below, Compare(syntax.span, Comparison::kLessEqual, value, high));
  ARROW_ASSIGN_OR_RAISE(
      NodePtr both, MakeChain(syntax.span, NodeKind::kAnd, {std::move(above), std::move(below)}));
  return syntax.is_negated ? Not(syntax.span, both) : Result<NodePtr>(both);
}

Result<NodePtr> Binder::BindLike(const Syntax& syntax) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr text, Bind(*syntax.children[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr pattern, Bind(*syntax.children[1]));
  ARROW_RETURN_NOT_OK(CheckQuotes(text, pattern));
  for (const NodePtr& side : {text, pattern}) {
    if (!IsText(*side->type) && side->type->id() != arrow::Type::NA) {
      return Error(side->span, "LIKE compares texts, but this is a " + NameOfType(*side->type));
    }
  }
  const LikeOptions options{.escape = syntax.text, .ignores_case = syntax.ignores_case};
  ARROW_ASSIGN_OR_RAISE(const NodePtr like, MakeLike(*this, syntax.span, text, pattern, options));
  return syntax.is_negated ? Not(syntax.span, like) : Result<NodePtr>(like);
}

Result<NodePtr> Binder::BindIn(const Syntax& syntax) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr value, Bind(*syntax.children[0]));
  const bool is_set = std::ranges::all_of(
      syntax.children.begin() + 1, syntax.children.end(),
      [](const std::unique_ptr<Syntax>& item) { return IsLiteral(item->kind); });
  NodePtr result;
  if (is_set && !IsNested(*value->type) && value->type->id() != arrow::Type::NA) {
    ARROW_ASSIGN_OR_RAISE(result, InLiterals(syntax, value));
  } else {
    std::vector<NodePtr> tests;
    for (size_t i = 1; i < syntax.children.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const NodePtr item, Bind(*syntax.children[i]));
      ARROW_ASSIGN_OR_RAISE(NodePtr test, Compare(syntax.span, Comparison::kEqual, value, item));
      tests.push_back(std::move(test));
    }
    ARROW_ASSIGN_OR_RAISE(result, MakeChain(syntax.span, NodeKind::kOr, std::move(tests)));
  }
  return syntax.is_negated ? Not(syntax.span, result) : Result<NodePtr>(result);
}

Result<NodePtr> Binder::InLiterals(const Syntax& syntax, const NodePtr& value) {
  NodePtr tested = value;
  if (value->type->id() == arrow::Type::HALF_FLOAT) {
    ARROW_ASSIGN_OR_RAISE(tested, Widen(value, arrow::float32()));
  }
  const TypePtr& type = tested->type;
  bool has_null = false;
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(type, compute_->memory_pool()));
  for (size_t i = 1; i < syntax.children.size(); ++i) {
    const Syntax& item = *syntax.children[i];
    if (item.kind == SyntaxKind::kNull) {
      has_null = true;
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const bool is_appended, AppendInteger(item, builder.get()));
    if (is_appended) continue;
    const Literal literal = LiteralOf(item);
    if (value->is_constant() && literal.is_quoted) {
      ARROW_ASSIGN_OR_RAISE(const NodePtr constant, BindLiteral(item));
      ARROW_RETURN_NOT_OK(CheckQuotes(value, constant));
    }
    auto fitted = FitToColumn(literal, *type);
    if (!fitted.ok()) return Error(item.span, fitted.status().message());
    if (!fitted->is_exact) {
      return Error(item.span, "no " + NameOfType(*type) + " can be equal to " + ToString(literal));
    }
    ARROW_RETURN_NOT_OK(builder->AppendScalar(*fitted->scalar));
  }
  ARROW_ASSIGN_OR_RAISE(const auto values, builder->Finish());
  return InSet(syntax.span, tested, values, has_null);
}

Result<NodePtr> Binder::InSet(Span span, const NodePtr& value,
                              const std::shared_ptr<arrow::Array>& values, bool has_null) const {
  const TypePtr& type = value->type;
  if (type->id() == arrow::Type::NA) {
    return MakeLiteral(span, arrow::MakeNullScalar(arrow::boolean()));
  }
  ValueSet set;
  set.has_null = has_null;
  bool has_range = true;
  if (values->length() > 0) {
    ARROW_ASSIGN_OR_RAISE(set.values, WithBothZeros(values, compute_));
    const auto range = cp::CallFunction("min_max", {Datum(set.values)}, compute_);
    has_range = range.ok() && !arrow::is_floating(type->id());
    if (has_range) {
      const auto& ends = static_cast<const arrow::StructScalar&>(*range->scalar());
      set.least = ends.value[0];
      set.greatest = ends.value[1];
    }
  }
  const auto in_set = [&](Kernel kernel) {
    return Freeze({.kind = NodeKind::kIn,
                   .type = arrow::boolean(),
                   .span = span,
                   .arguments = {value},
                   .kernel = std::move(kernel),
                   .set = set});
  };
  if (set.values != nullptr && !has_null && !value->is_constant()) {
    ARROW_ASSIGN_OR_RAISE(auto kernel, MakeIntegerSet(*set.values, compute_->memory_pool()));
    if (kernel) return in_set(*std::move(kernel));
  }
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(type, compute_->memory_pool()));
  if (set.values != nullptr) {
    ARROW_RETURN_NOT_OK(builder->AppendArraySlice(*set.values->data(), 0, set.values->length()));
  }
  if (has_null) ARROW_RETURN_NOT_OK(builder->AppendNull());
  ARROW_ASSIGN_OR_RAISE(const auto looked_up, builder->Finish());
  auto options = std::make_shared<cp::SetLookupOptions>(
      Datum(looked_up), cp::SetLookupOptions::NullMatchingBehavior::INCONCLUSIVE);
  auto function = FindArrowFunction("is_in", {type}, std::move(options), compute_);
  if (!function.ok()) return Error(span, function.status().message());
  if (value->is_constant()) {
    return MakeCall(span, arrow::boolean(), {value}, std::move(function->kernel));
  }
  return in_set(std::move(function->kernel));
}

Result<NodePtr> Binder::BindTruthTest(const Syntax& syntax) {
  ARROW_ASSIGN_OR_RAISE(NodePtr condition, BindCondition(*syntax.children[0]));
  if (syntax.kind == SyntaxKind::kIsFalse) {
    ARROW_ASSIGN_OR_RAISE(condition, Not(syntax.span, condition));
  }
  const NodePtr no = MakeLiteral(syntax.span, std::make_shared<arrow::BooleanScalar>(false));
  ARROW_ASSIGN_OR_RAISE(
      NodePtr test, MakeArrowCall(syntax.span, "coalesce", {std::move(condition), no}, nullptr));
  return syntax.is_negated ? Not(syntax.span, test) : Result<NodePtr>(test);
}

}  // namespace tusk::expr
