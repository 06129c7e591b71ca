#include "tusk/expr/binder.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/cast.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/compare.h"
#include "tusk/expr/function.h"
#include "tusk/expr/integer_literal.h"
#include "tusk/expr/integer_set.h"
#include "tusk/expr/like.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

std::vector<std::string> NamesOf(const arrow::FieldVector& fields) {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const auto& field : fields) names.push_back(field->name());
  return names;
}

std::string Joined(const std::vector<std::string>& names) {
  constexpr size_t kMost = 30;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kMost ? text + ", ..." : text;
}

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

/// A copy that is put together and then frozen.
Result<NodePtr> Freeze(Node node, const Binder& binder) {
  node.only_column = OnlyColumn(node);
  for (const NodePtr& argument : node.arguments) node.cost += argument->cost;
  if (node.cost > kGreatestCost) {
    return binder.Error(node.span, "the expression is too large to be evaluated");
  }
  return std::make_shared<const Node>(std::move(node));
}

bool IsConstant(const Node& node) { return node.kind == NodeKind::kLiteral; }

bool HasLiteral(const NodePtr& node) { return node->literal.has_value(); }

bool IsNumberLiteral(const NodePtr& node) {
  return HasLiteral(node) && (node->literal->kind == SyntaxKind::kNumber ||
                              node->literal->kind == SyntaxKind::kDecimal);
}

bool IsZoned(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         !static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

bool IsEquality(Comparison comparison) {
  return comparison == Comparison::kEqual || comparison == Comparison::kNotEqual;
}

/// `literal` as a value of `type`; a moment without an offset is the local time of a zone.
Result<FittedLiteral> FitToColumn(const Literal& literal, const arrow::DataType& type,
                                  cp::ExecContext* compute) {
  ARROW_ASSIGN_OR_RAISE(FittedLiteral fitted, FitLiteral(literal, type));
  if (!IsZoned(type) || literal.kind == SyntaxKind::kNull) return fitted;
  const auto moment = ParseMoment(literal.text);
  if (moment && moment->has_offset) return fitted;
  const auto& zoned = static_cast<const arrow::TimestampType&>(type);
  const auto& value = static_cast<const arrow::TimestampScalar&>(*fitted.scalar);
  const cp::AssumeTimezoneOptions options(zoned.timezone());
  const auto naive =
      std::make_shared<arrow::TimestampScalar>(value.value, arrow::timestamp(zoned.unit()));
  auto local = cp::CallFunction("assume_timezone", {Datum(naive)}, &options, compute);
  if (!local.ok()) {
    return InvalidArgument(ToString(literal), " in the zone ", zoned.timezone(), ": ",
                           local.status().message(), " (an offset such as +01:00 would tell)");
  }
  fitted.scalar = local->scalar();
  return fitted;
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

// Names.

Result<int> Binder::FindColumn(const Syntax& name) const {
  const std::vector<int> exact = schema_.GetAllFieldIndices(name.text);
  if (exact.size() == 1) return exact.front();
  if (exact.size() > 1) return Error(name.span, "there are several columns of this name");
  std::vector<std::string> found;
  int index = -1;
  for (int i = 0; i < schema_.num_fields() && !name.is_quoted; ++i) {
    if (!EqualInAnyCase(schema_.field(i)->name(), name.text)) continue;
    found.push_back(schema_.field(i)->name());
    index = i;
  }
  if (found.size() == 1) return index;
  if (found.size() > 1) {
    return Error(name.span, "the columns " + Joined(found) +
                                " differ in case only: write the one "
                                "that is meant as it is called");
  }
  const std::vector<std::string> known = NamesOf(schema_.fields());
  const std::string near = DidYouMean(name.text, known);
  return Error(name.span, "there is no column '" + name.text + "'" +
                              (near.empty() ? "; there are " + Joined(known) : near));
}

Result<std::optional<ResolvedPath>> Binder::ResolvePath(const Syntax& syntax) const {
  if (syntax.kind == SyntaxKind::kName) {
    ARROW_ASSIGN_OR_RAISE(const int index, FindColumn(syntax));
    const auto& field = schema_.field(index);
    return ResolvedPath{
        .names = {field->name()}, .indices = {index}, .type = field->type(), .field = field};
  }
  const bool is_member = syntax.kind == SyntaxKind::kMember;
  const bool is_named_subscript =
      syntax.kind == SyntaxKind::kSubscript && syntax.children[1]->kind == SyntaxKind::kText;
  if (!is_member && !is_named_subscript) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(auto base, ResolvePath(*syntax.children[0]));
  if (!base || base->type->id() != arrow::Type::STRUCT) return std::nullopt;
  const auto& type = static_cast<const arrow::StructType&>(*base->type);
  const std::string& name = is_member ? syntax.text : syntax.children[1]->text;
  const std::vector<int> found = type.GetAllFieldIndices(name);
  if (found.empty()) {
    const std::vector<std::string> known = NamesOf(type.fields());
    const std::string near = DidYouMean(name, known);
    return Error(syntax.span, "'" + base->names.back() + "' has no field '" + name + "'" +
                                  (near.empty() ? "; it has " + Joined(known) : near));
  }
  base->names.push_back(name);
  base->indices.push_back(found.front());
  base->field = type.field(found.front());
  base->type = base->field->type();
  return base;
}

Status Binder::AddPaths(const Syntax& syntax, std::vector<std::vector<std::string>>* paths) const {
  ARROW_ASSIGN_OR_RAISE(auto path, ResolvePath(syntax));
  if (path) {
    paths->push_back(std::move(path->names));
    return Status::OK();
  }
  for (const auto& child : syntax.children) ARROW_RETURN_NOT_OK(AddPaths(*child, paths));
  return Status::OK();
}

// Making nodes.

Result<NodePtr> Binder::MakeCall(Span span, TypePtr type, std::vector<NodePtr> arguments,
                                 Kernel kernel, bool is_volatile) const {
  const bool is_constant =
      !is_volatile &&
      std::ranges::all_of(arguments, [](const NodePtr& argument) { return IsConstant(*argument); });
  Node node{.kind = NodeKind::kCall,
            .type = std::move(type),
            .span = span,
            .arguments = std::move(arguments),
            .kernel = std::move(kernel),
            .is_volatile = is_volatile};
  if (!is_constant) return Freeze(std::move(node), *this);
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
  if (HasLiteral(node)) {
    auto fitted = FitToColumn(*node->literal, *type, compute_);
    if (!fitted.ok()) return Error(node->span, fitted.status().message());
    if (!fitted->is_exact) {
      return Error(node->span,
                   "no " + NameOfType(*type) + " is exactly " + ToString(*node->literal));
    }
    return MakeLiteral(node->span, std::move(fitted->scalar));
  }
  if (node->type->id() == arrow::Type::NA && IsConstant(*node)) {
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
  if (node->type->id() == arrow::Type::NA && IsConstant(*node)) {
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
    if (!HasLiteral(node)) ARROW_RETURN_NOT_OK(add(node->type));
  }
  for (const NodePtr& node : nodes) {
    if (!HasLiteral(node)) continue;
    const auto fitted = FitToColumn(*node->literal, *common, compute_);
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
                 .arguments = {std::move(condition)}},
                *this);
}

Result<NodePtr> Binder::IsNull(Span span, const NodePtr& node, bool is_negated) const {
  ARROW_ASSIGN_OR_RAISE(
      NodePtr test,
      Freeze(
          {.kind = NodeKind::kIsNull, .type = arrow::boolean(), .span = span, .arguments = {node}},
          *this));
  return is_negated ? Not(span, test) : test;
}

Result<NodePtr> Binder::MakeChain(Span span, NodeKind kind, std::vector<NodePtr> terms) const {
  return Freeze(
      {.kind = kind, .type = arrow::boolean(), .span = span, .arguments = std::move(terms)}, *this);
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
                 .arguments = std::move(arguments)},
                *this);
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

// Comparing.

Status Binder::CheckQuotes(const NodePtr& left, const NodePtr& right) const {
  if (!IsConstant(*left) || !IsConstant(*right)) return Status::OK();
  for (const NodePtr& side : {left, right}) {
    if (!HasLiteral(side) || !side->literal->is_quoted) continue;
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
  if (HasLiteral(right) && !both_numbers &&
      (!HasLiteral(left) || right->literal->kind == SyntaxKind::kText ||
       right->literal->kind == SyntaxKind::kNull)) {
    return CompareWithLiteral(span, comparison, left, right);
  }
  if (HasLiteral(left) && !both_numbers) {
    return CompareWithLiteral(span, Mirrored(comparison), right, left);
  }
  auto types = TypesToCompare(left->type, right->type);
  if (!types.ok()) return Error(span, types.status().message());
  ARROW_ASSIGN_OR_RAISE(NodePtr first, Widen(left, types->left));
  ARROW_ASSIGN_OR_RAISE(NodePtr second, Widen(right, types->right));
  auto kernel = CompareFunction(comparison, *types, compute_);
  if (!kernel.ok()) return Error(span, kernel.status().message());
  if (IsConstant(*first) && IsConstant(*second)) {
    return MakeCall(span, arrow::boolean(), {first, second}, *std::move(kernel));
  }
  return Freeze({.kind = NodeKind::kCompare,
                 .type = arrow::boolean(),
                 .span = span,
                 .arguments = {std::move(first), std::move(second)},
                 .kernel = *std::move(kernel),
                 .comparison = comparison},
                *this);
}

Result<NodePtr> Binder::CompareWithLiteral(Span span, Comparison comparison, const NodePtr& value,
                                           const NodePtr& literal) const {
  const TypePtr& type = value->type;
  if (literal->literal->kind == SyntaxKind::kNull || type->id() == arrow::Type::NA) {
    return MakeLiteral(span, arrow::MakeNullScalar(arrow::boolean()));
  }
  auto fitted = FitToColumn(*literal->literal, *type, compute_);
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
  if (!HasLiteral(value)) return Compare(span, comparison, value, right);
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
    if (IsConstant(*value) && literal.is_quoted) {
      ARROW_ASSIGN_OR_RAISE(const NodePtr constant, BindLiteral(item));
      ARROW_RETURN_NOT_OK(CheckQuotes(value, constant));
    }
    auto fitted = FitToColumn(literal, *type, compute_);
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
                   .set = set},
                  *this);
  };
  if (set.values != nullptr && !has_null && !IsConstant(*value)) {
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
  if (IsConstant(*value)) {
    return MakeCall(span, arrow::boolean(), {value}, std::move(function->kernel));
  }
  return in_set(std::move(function->kernel));
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

// The rest.

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

Result<NodePtr> Binder::Field(Span span, const NodePtr& node, const std::string& name) const {
  if (node->type->id() != arrow::Type::STRUCT) {
    return Error(span, "only structs have fields, but this is a " + NameOfType(*node->type));
  }
  const auto& type = static_cast<const arrow::StructType&>(*node->type);
  const std::vector<int> found = type.GetAllFieldIndices(name);
  if (found.empty()) {
    const std::vector<std::string> known = NamesOf(type.fields());
    return Error(span, "there is no field '" + name + "'" + DidYouMean(name, known) +
                           "; there are " + Joined(known));
  }
  return MakeArrowCall(span, "struct_field", {node},
                       std::make_shared<cp::StructFieldOptions>(std::vector<int>{found.front()}));
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
