#include "tusk/expr/binder.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/cast.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// The one column that all arguments read which are no constants.
std::optional<int> OnlyColumn(const Node& node) {
  std::optional<int> only;
  for (const NodePtr& argument : node.arguments) {
    if (argument->kind == NodeKind::kLiteral) continue;
    const bool is_column = argument->kind == NodeKind::kColumn && argument->path.size() == 1;
    const auto column = is_column ? std::optional(argument->path.front()) : argument->only_column;
    if (!column || (only && *only != *column)) return std::nullopt;
    only = column;
  }
  return node.is_volatile ? std::nullopt : only;
}

bool IsZoned(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         !static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

}  // namespace

// Making nodes.

Result<NodePtr> Binder::Freeze(Node node) const {
  node.only_column = OnlyColumn(node);
  for (const NodePtr& argument : node.arguments) node.cost += argument->cost;
  if (node.cost > kGreatestCost) {
    return Error(node.span, "the expression is too large to be evaluated");
  }
  return std::make_shared<const Node>(std::move(node));
}

Result<FittedLiteral> Binder::FitToColumn(const Literal& literal,
                                          const arrow::DataType& type) const {
  ARROW_ASSIGN_OR_RAISE(FittedLiteral fitted, FitLiteral(literal, type));
  if (!IsZoned(type) || literal.kind == SyntaxKind::kNull) return fitted;
  const auto moment = ParseMoment(literal.text);
  if (moment && moment->has_offset) return fitted;
  const auto& zoned = static_cast<const arrow::TimestampType&>(type);
  const auto& value = static_cast<const arrow::TimestampScalar&>(*fitted.scalar);
  const cp::AssumeTimezoneOptions options(zoned.timezone());
  const auto naive =
      std::make_shared<arrow::TimestampScalar>(value.value, arrow::timestamp(zoned.unit()));
  auto local = cp::CallFunction("assume_timezone", {Datum(naive)}, &options, compute_);
  if (!local.ok()) {
    return InvalidArgument(ToString(literal), " in the zone ", zoned.timezone(), ": ",
                           local.status().message(), " (an offset such as +01:00 would tell)");
  }
  fitted.scalar = local->scalar();
  return fitted;
}

Result<NodePtr> Binder::MakeCall(Span span, TypePtr type, std::vector<NodePtr> arguments,
                                 Kernel kernel, bool is_volatile) const {
  const bool is_constant =
      !is_volatile && std::ranges::all_of(arguments, [](const NodePtr& argument) {
        return argument->is_constant();
      });
  Node node{.kind = NodeKind::kCall,
            .type = std::move(type),
            .span = span,
            .arguments = std::move(arguments),
            .kernel = std::move(kernel),
            .is_volatile = is_volatile};
  if (!is_constant) return Freeze(std::move(node));
  const auto one_row = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector());
  const Evaluation evaluation{
      .batch = one_row.get(), .compute = compute_, .context = &context_, .text = text_};
  ARROW_ASSIGN_OR_RAISE(const Datum value, Evaluate(node, evaluation));
  if (value.is_scalar()) return MakeLiteral(span, value.scalar());
  ARROW_ASSIGN_OR_RAISE(auto scalar, value.make_array()->GetScalar(0));
  return MakeLiteral(span, std::move(scalar));
}

Result<NodePtr> Binder::MakeArrowCall(Span span, const std::string& function,
                                      std::vector<NodePtr> arguments,
                                      std::shared_ptr<cp::FunctionOptions> options) const {
  std::vector<TypePtr> types;
  types.reserve(arguments.size());
  for (const NodePtr& argument : arguments) types.push_back(argument->type);
  auto found = FindArrowFunction(function, types, std::move(options), compute_);
  if (!found.ok()) {
    if (GetErrorCode(found.status()) != ErrorCode::kInvalidArgument) return found.status();
    return Error(span, found.status().message());
  }
  return MakeCall(span, found->type, std::move(arguments), std::move(found->kernel));
}

NodePtr Binder::MakeLiteral(Span span, std::shared_ptr<arrow::Scalar> value) const {
  TypePtr type = value->type;
  return std::make_shared<const Node>(Node{.kind = NodeKind::kLiteral,
                                           .type = std::move(type),
                                           .span = span,
                                           .value = std::move(value)});
}

Result<NodePtr> Binder::BindLiteral(const Syntax& syntax) const {
  Literal literal = LiteralOf(syntax);
  auto value = DefaultValue(literal);
  if (!value.ok()) return Error(syntax.span, value.status().message());
  TypePtr type = (*value)->type;
  return std::make_shared<const Node>(Node{.kind = NodeKind::kLiteral,
                                           .type = std::move(type),
                                           .span = syntax.span,
                                           .value = *std::move(value),
                                           .literal = std::move(literal)});
}

Result<NodePtr> Binder::Widen(const NodePtr& node, const TypePtr& type) const {
  if (node->type->Equals(*type)) return node;
  if (node->literal.has_value()) {
    auto fitted = FitToColumn(*node->literal, *type);
    if (!fitted.ok()) return Error(node->span, fitted.status().message());
    if (!fitted->is_exact) {
      return Error(node->span,
                   "no " + NameOfType(*type) + " is exactly " + ToString(*node->literal));
    }
    return MakeLiteral(node->span, std::move(fitted->scalar));
  }
  if (node->type->id() == arrow::Type::NA && node->is_constant()) {
    return MakeLiteral(node->span, arrow::MakeNullScalar(type));
  }
  auto kernel = WidenFunction(node->type, type);
  if (!kernel.ok()) return Error(node->span, kernel.status().message());
  ARROW_ASSIGN_OR_RAISE(NodePtr call, MakeCall(node->span, type, {node}, *std::move(kernel)));
  if (call->kind != NodeKind::kCall) return call;
  Node widened = *call;
  widened.is_widened = true;
  return std::make_shared<const Node>(std::move(widened));
}

Result<NodePtr> Binder::Cast(Span span, const NodePtr& node, const TypePtr& type,
                             bool is_try) const {
  if (node->type->id() == arrow::Type::NA && node->is_constant()) {
    return MakeLiteral(span, arrow::MakeNullScalar(type));
  }
  auto kernel = CastFunction(node->type, type, is_try);
  if (!kernel.ok()) return Error(span, kernel.status().message());
  return MakeCall(span, type, {node}, *std::move(kernel));
}

Result<std::vector<NodePtr>> Binder::Unify(Span span, const std::vector<NodePtr>& nodes) const {
  TypePtr common = arrow::null();
  const auto add = [&](const TypePtr& type) -> Status {
    const TypePtr both = CommonType(common, type);
    if (both == nullptr) {
      return Error(span, "a " + NameOfType(*common) + " and a " + NameOfType(*type) +
                             " have no type in common");
    }
    common = both;
    return Status::OK();
  };
  for (const NodePtr& node : nodes) {
    if (!node->literal.has_value()) ARROW_RETURN_NOT_OK(add(node->type));
  }
  for (const NodePtr& node : nodes) {
    if (!node->literal.has_value()) continue;
    const auto fitted = FitToColumn(*node->literal, *common);
    // Who writes 2.0 next to whole numbers means fractions.
    const bool is_fraction =
        arrow::is_floating(node->type->id()) && arrow::is_integer(common->id());
    if (!fitted.ok() || !fitted->is_exact || is_fraction) ARROW_RETURN_NOT_OK(add(node->type));
  }
  std::vector<NodePtr> unified;
  unified.reserve(nodes.size());
  for (const NodePtr& node : nodes) {
    ARROW_ASSIGN_OR_RAISE(NodePtr one, Widen(node, common));
    unified.push_back(std::move(one));
  }
  return unified;
}

Result<NodePtr> Binder::Not(Span span, const NodePtr& node) const {
  ARROW_ASSIGN_OR_RAISE(NodePtr condition, AsCondition(node));
  return Freeze({.kind = NodeKind::kNot,
                 .type = arrow::boolean(),
                 .span = span,
                 .arguments = {std::move(condition)}});
}

Result<NodePtr> Binder::IsNull(Span span, const NodePtr& node, bool is_negated) const {
  ARROW_ASSIGN_OR_RAISE(NodePtr test, Freeze({.kind = NodeKind::kIsNull,
                                              .type = arrow::boolean(),
                                              .span = span,
                                              .arguments = {node}}));
  return is_negated ? Not(span, test) : test;
}

Result<NodePtr> Binder::MakeChain(Span span, NodeKind kind, std::vector<NodePtr> terms) const {
  return Freeze(
      {.kind = kind, .type = arrow::boolean(), .span = span, .arguments = std::move(terms)});
}

Result<NodePtr> Binder::MakeCase(Span span, std::vector<NodePtr> parts) const {
  std::vector<NodePtr> values;
  for (size_t i = 1; i < parts.size(); i += 2) values.push_back(parts[i]);
  if (parts.size() % 2 == 1) {
    values.push_back(parts.back());
  } else {
    values.push_back(MakeLiteral(span, arrow::MakeNullScalar(arrow::null())));
  }
  ARROW_ASSIGN_OR_RAISE(const std::vector<NodePtr> unified, Unify(span, values));
  std::vector<NodePtr> arguments;
  for (size_t i = 0; i + 1 < unified.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(NodePtr condition, AsCondition(parts[2 * i]));
    arguments.push_back(std::move(condition));
    arguments.push_back(unified[i]);
  }
  arguments.push_back(unified.back());
  return Freeze({.kind = NodeKind::kCase,
                 .type = unified.back()->type,
                 .span = span,
                 .arguments = std::move(arguments)});
}

Result<NodePtr> Binder::AsCondition(const NodePtr& node) const {
  if (node->is_match) return IsNull(node->span, node, /*is_negated=*/true);
  if (node->type->id() == arrow::Type::BOOL) return node;
  if (node->type->id() == arrow::Type::NA) {
    return MakeLiteral(node->span, arrow::MakeNullScalar(arrow::boolean()));
  }
  return Error(node->span,
               "a condition is expected here, but this is a " + NameOfType(*node->type));
}

Result<NodePtr> Binder::BindChain(const Syntax& syntax) {
  std::vector<NodePtr> terms;
  terms.reserve(syntax.children.size());
  for (const auto& child : syntax.children) {
    ARROW_ASSIGN_OR_RAISE(NodePtr term, BindCondition(*child));
    terms.push_back(std::move(term));
  }
  return MakeChain(syntax.span, syntax.kind == SyntaxKind::kAnd ? NodeKind::kAnd : NodeKind::kOr,
                   std::move(terms));
}

Result<NodePtr> Binder::BindList(const Syntax& syntax) {
  Call call{.name = "make_array", .span = syntax.span};
  for (const auto& child : syntax.children) {
    ARROW_ASSIGN_OR_RAISE(NodePtr item, Bind(*child));
    call.arguments.push_back(std::move(item));
  }
  return BindFunction(*this, call);
}

Result<NodePtr> Binder::BindSubscript(const Syntax& syntax) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr base, Bind(*syntax.children[0]));
  if (base->type->id() == arrow::Type::MAP) {
    ARROW_ASSIGN_OR_RAISE(const NodePtr key, Bind(*syntax.children[1]));
    return BindFunction(*this,
                        {.name = "map_value", .span = syntax.span, .arguments = {base, key}});
  }
  if (syntax.children[1]->kind == SyntaxKind::kText) {
    return Field(syntax.span, base, syntax.children[1]->text);
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr index, Bind(*syntax.children[1]));
  return Element(syntax.span, base, index);
}

Result<NodePtr> Binder::Element(Span span, const NodePtr& list, const NodePtr& index) const {
  return BindFunction(*this, {.name = "array_element", .span = span, .arguments = {list, index}});
}

Result<NodePtr> Binder::BindNegate(const Syntax& syntax) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr operand, Bind(*syntax.children[0]));
  const arrow::DataType& type = *operand->type;
  if (arrow::is_unsigned_integer(type.id()) ||
      (!IsNumber(type) && type.id() != arrow::Type::DURATION && type.id() != arrow::Type::NA)) {
    return Error(syntax.span, "a " + NameOfType(type) + " has no negative");
  }
  const bool is_checked = arrow::is_signed_integer(type.id());
  return MakeArrowCall(syntax.span, is_checked ? "negate_checked" : "negate", {operand}, nullptr);
}

Result<NodePtr> Binder::BindCase(const Syntax& syntax) {
  NodePtr operand;
  size_t next = 0;
  if (syntax.has_operand) {
    ARROW_ASSIGN_OR_RAISE(operand, Bind(*syntax.children[next++]));
  }
  std::vector<NodePtr> parts;
  const size_t end = syntax.children.size() - (syntax.has_else ? 1 : 0);
  for (; next < end; next += 2) {
    NodePtr condition;
    if (operand != nullptr) {
      ARROW_ASSIGN_OR_RAISE(const NodePtr when, Bind(*syntax.children[next]));
      ARROW_ASSIGN_OR_RAISE(condition, Compare(when->span, Comparison::kEqual, operand, when));
    } else {
      ARROW_ASSIGN_OR_RAISE(condition, BindCondition(*syntax.children[next]));
    }
    ARROW_ASSIGN_OR_RAISE(NodePtr value, Bind(*syntax.children[next + 1]));
    parts.push_back(std::move(condition));
    parts.push_back(std::move(value));
  }
  if (syntax.has_else) {
    ARROW_ASSIGN_OR_RAISE(NodePtr otherwise, Bind(*syntax.children.back()));
    parts.push_back(std::move(otherwise));
  }
  return MakeCase(syntax.span, std::move(parts));
}

Result<NodePtr> Binder::BindCall(const Syntax& syntax) {
  Call call{.name = syntax.text, .span = syntax.span};
  for (const auto& child : syntax.children) {
    ARROW_ASSIGN_OR_RAISE(NodePtr argument, Bind(*child));
    call.arguments.push_back(std::move(argument));
  }
  return BindFunction(*this, call);
}

Result<NodePtr> Binder::BindCondition(const Syntax& syntax) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr node, Bind(syntax));
  return AsCondition(node);
}

Result<NodePtr> Binder::Bind(const Syntax& syntax) {
  if (IsLiteral(syntax.kind)) return BindLiteral(syntax);
  ARROW_ASSIGN_OR_RAISE(auto path, ResolvePath(syntax));
  if (path) {
    return std::make_shared<const Node>(Node{.kind = NodeKind::kColumn,
                                             .type = PlainType(path->type),
                                             .span = syntax.span,
                                             .path = std::move(path->indices),
                                             .field = std::move(path->field)});
  }
  switch (syntax.kind) {
    case SyntaxKind::kList:
      return BindList(syntax);
    case SyntaxKind::kMember: {
      ARROW_ASSIGN_OR_RAISE(const NodePtr base, Bind(*syntax.children[0]));
      return Field(syntax.span, base, syntax.text);
    }
    case SyntaxKind::kSubscript:
      return BindSubscript(syntax);
    case SyntaxKind::kCall:
      return BindCall(syntax);
    case SyntaxKind::kNegate:
      return BindNegate(syntax);
    case SyntaxKind::kNot: {
      ARROW_ASSIGN_OR_RAISE(const NodePtr operand, Bind(*syntax.children[0]));
      return Not(syntax.span, operand);
    }
    case SyntaxKind::kBinary: {
      ARROW_ASSIGN_OR_RAISE(NodePtr left, Bind(*syntax.children[0]));
      ARROW_ASSIGN_OR_RAISE(NodePtr right, Bind(*syntax.children[1]));
      return Arithmetic(syntax.span, syntax.text, std::move(left), std::move(right));
    }
    case SyntaxKind::kCompare:
      return BindCompare(syntax);
    case SyntaxKind::kDistinct:
      return BindDistinct(syntax);
    case SyntaxKind::kAnd:
    case SyntaxKind::kOr:
      return BindChain(syntax);
    case SyntaxKind::kIsNull: {
      ARROW_ASSIGN_OR_RAISE(const NodePtr operand, Bind(*syntax.children[0]));
      return IsNull(syntax.span, operand, syntax.is_negated);
    }
    case SyntaxKind::kIsTrue:
    case SyntaxKind::kIsFalse:
      return BindTruthTest(syntax);
    case SyntaxKind::kIn:
      return BindIn(syntax);
    case SyntaxKind::kBetween:
      return BindBetween(syntax);
    case SyntaxKind::kLike:
      return BindLike(syntax);
    case SyntaxKind::kCase:
      return BindCase(syntax);
    case SyntaxKind::kCast: {
      ARROW_ASSIGN_OR_RAISE(const NodePtr operand, Bind(*syntax.children[0]));
      return Cast(syntax.span, operand, syntax.type, syntax.is_try);
    }
    default:
      return Error(syntax.span, "this expression is not supported");
  }
}

}  // namespace tusk::expr
