#include "tusk/expr/arrow_binder.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/expression.h>
#include <arrow/compute/function.h>
#include <arrow/compute/registry.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/compare.h"
#include "tusk/expr/source_text.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using ScalarPtr = std::shared_ptr<arrow::Scalar>;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// Chains of AND and OR are one level.
constexpr int kDeepest = 400;

/// An Arrow expression has no text that an error could point into.
constexpr Span kNowhere;

std::optional<Comparison> ComparisonOf(std::string_view function) {
  static constexpr std::array<std::pair<std::string_view, Comparison>, 6> kFunctions = {
      {{"equal", Comparison::kEqual},
       {"not_equal", Comparison::kNotEqual},
       {"less", Comparison::kLess},
       {"less_equal", Comparison::kLessEqual},
       {"greater", Comparison::kGreater},
       {"greater_equal", Comparison::kGreaterEqual}}};
  for (const auto& [name, comparison] : kFunctions) {
    if (name == function) return comparison;
  }
  return std::nullopt;
}

/// Dictionaries and extensions as the value that they stand for.
Result<ScalarPtr> PlainScalar(ScalarPtr scalar) {
  while (scalar->type->id() == arrow::Type::DICTIONARY ||
         scalar->type->id() == arrow::Type::EXTENSION) {
    if (!scalar->is_valid) return arrow::MakeNullScalar(PlainType(scalar->type));
    if (scalar->type->id() == arrow::Type::DICTIONARY) {
      ARROW_ASSIGN_OR_RAISE(scalar,
                            static_cast<const arrow::DictionaryScalar&>(*scalar).GetEncodedValue());
    } else {
      scalar = static_cast<const arrow::ExtensionScalar&>(*scalar).value;
    }
  }
  const TypePtr type = PlainType(scalar->type);
  if (type->Equals(*scalar->type)) return scalar;
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum plain, cp::Cast(arrow::Datum(scalar), type));
  return plain.scalar();
}

/// Whether values of the types can be equal though the types are not.
bool AreAlike(const arrow::DataType& a, const arrow::DataType& b) {
  if (IsNumber(a) && IsNumber(b)) return true;
  if (IsText(a) && IsText(b)) return true;
  if (IsBytes(a) && IsBytes(b)) return true;
  if (a.id() != b.id()) return false;
  if (a.id() != arrow::Type::TIMESTAMP) return IsTemporal(a);
  const auto is_zoned = [](const arrow::DataType& type) {
    return !static_cast<const arrow::TimestampType&>(type).timezone().empty();
  };
  return is_zoned(a) == is_zoned(b);
}

class ArrowBinder {
 public:
  ArrowBinder(const Binder& binder, const arrow::Schema& schema)
      : binder_(binder), schema_(schema) {}

  Result<NodePtr> Bind(const cp::Expression& expression, int depth) const;

 private:
  Result<NodePtr> BindColumn(const arrow::FieldRef& ref) const;
  Result<NodePtr> BindLiteral(const arrow::Datum& literal) const;
  Result<std::vector<NodePtr>> BindArguments(const cp::Expression::Call& call, int depth) const;
  Result<NodePtr> BindChain(const cp::Expression& expression, int depth) const;
  Result<NodePtr> BindCall(const cp::Expression::Call& call, int depth) const;
  Result<NodePtr> BindIsIn(NodePtr value, const cp::SetLookupOptions& options) const;
  Result<NodePtr> BindCast(const NodePtr& value, const cp::Expression::Call& call) const;
  /// Of a function that means what Arrow says.
  Result<NodePtr> BindFunction(const cp::Expression::Call& call,
                               std::vector<NodePtr> arguments) const;
  Result<NodePtr> Compare(Comparison comparison, NodePtr left, NodePtr right) const;
  /// `literal` in the type of what it is compared with, if it is one of its values.
  Result<NodePtr> Fit(const NodePtr& literal, const TypePtr& type) const;
  /// `values` as values of `type`, without those that are none and without null.
  Result<std::shared_ptr<arrow::Array>> FitAll(const arrow::Datum& values,
                                               const TypePtr& type) const;
  Result<ScalarPtr> FitScalar(const ScalarPtr& scalar, const TypePtr& type) const;
  Status Error(std::string_view message) const { return binder_.Error(kNowhere, message); }

  const Binder& binder_;
  const arrow::Schema& schema_;
};

Result<NodePtr> ArrowBinder::Bind(const cp::Expression& expression, int depth) const {
  if (depth > kDeepest) {
    return Error("the expression is more than " + std::to_string(kDeepest) + " levels deep");
  }
  if (const arrow::FieldRef* ref = expression.field_ref()) return BindColumn(*ref);
  if (const arrow::Datum* literal = expression.literal()) return BindLiteral(*literal);
  const cp::Expression::Call& call = *expression.call();
  if (call.function_name == "and_kleene" || call.function_name == "or_kleene") {
    return BindChain(expression, depth);
  }
  return BindCall(call, depth);
}

Result<NodePtr> ArrowBinder::BindColumn(const arrow::FieldRef& ref) const {
  auto found = ref.FindOneOrNone(schema_);
  if (!found.ok()) return Error(found.status().message());
  if (found->empty()) {
    const std::string* name = ref.name();
    if (name == nullptr) return Error("there is no field " + ref.ToString());
    return Error("there is no column '" + *name + "'" + DidYouMean(*name, schema_.field_names()));
  }
  ARROW_ASSIGN_OR_RAISE(const auto field, found->Get(schema_));
  return std::make_shared<const Node>(Node{.kind = NodeKind::kColumn,
                                           .type = PlainType(field->type()),
                                           .span = kNowhere,
                                           .path = found->indices()});
}

Result<NodePtr> ArrowBinder::BindLiteral(const arrow::Datum& literal) const {
  if (!literal.is_scalar()) return Error("a literal must be one value");
  ARROW_ASSIGN_OR_RAISE(ScalarPtr scalar, PlainScalar(literal.scalar()));
  return binder_.MakeLiteral(kNowhere, std::move(scalar));
}

Result<std::vector<NodePtr>> ArrowBinder::BindArguments(const cp::Expression::Call& call,
                                                        int depth) const {
  std::vector<NodePtr> arguments;
  arguments.reserve(call.arguments.size());
  for (const cp::Expression& argument : call.arguments) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), Bind(argument, depth + 1));
  }
  return arguments;
}

Result<NodePtr> ArrowBinder::BindChain(const cp::Expression& expression, int depth) const {
  const std::string& function = expression.call()->function_name;
  std::vector<const cp::Expression*> open = {&expression};
  std::vector<NodePtr> terms;
  while (!open.empty()) {
    const cp::Expression& next = *open.back();
    open.pop_back();
    const auto* call = next.call();
    if (call != nullptr && call->function_name == function && call->arguments.size() == 2) {
      open.push_back(&call->arguments[1]);
      open.push_back(call->arguments.data());
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const NodePtr term, Bind(next, depth + 1));
    ARROW_ASSIGN_OR_RAISE(terms.emplace_back(), binder_.AsCondition(term));
  }
  return binder_.MakeChain(kNowhere, function == "and_kleene" ? NodeKind::kAnd : NodeKind::kOr,
                           std::move(terms));
}

Result<NodePtr> ArrowBinder::BindCall(const cp::Expression::Call& call, int depth) const {
  const std::string& name = call.function_name;
  ARROW_ASSIGN_OR_RAISE(std::vector<NodePtr> arguments, BindArguments(call, depth));
  if (arguments.size() == 2) {
    if (const auto comparison = ComparisonOf(name)) {
      return Compare(*comparison, std::move(arguments[0]), std::move(arguments[1]));
    }
  }
  if (arguments.size() != 1) return BindFunction(call, std::move(arguments));
  const NodePtr& value = arguments.front();
  const bool is_float = arrow::is_floating(value->type->id());
  const auto is_nan = [&] {
    const ScalarPtr nan =
        std::make_shared<arrow::DoubleScalar>(std::numeric_limits<double>::quiet_NaN());
    return Compare(Comparison::kEqual, value, binder_.MakeLiteral(kNowhere, nan));
  };
  if (name == "invert") return binder_.Not(kNowhere, value);
  if (name == "is_valid") return binder_.IsNull(kNowhere, value, /*is_negated=*/true);
  if (name == "is_null") {
    ARROW_ASSIGN_OR_RAISE(NodePtr is_null, binder_.IsNull(kNowhere, value, /*is_negated=*/false));
    const auto* options = dynamic_cast<const cp::NullOptions*>(call.options.get());
    if (!is_float || options == nullptr || !options->nan_is_null) return is_null;
    ARROW_ASSIGN_OR_RAISE(NodePtr or_nan, is_nan());
    return binder_.MakeChain(kNowhere, NodeKind::kOr, {std::move(is_null), std::move(or_nan)});
  }
  if (name == "is_nan" && is_float) return is_nan();
  if (name == "cast") return BindCast(value, call);
  if (name == "is_in") {
    const auto* options = dynamic_cast<const cp::SetLookupOptions*>(call.options.get());
    if (options == nullptr) return Error("is_in without the set of its values");
    return BindIsIn(value, *options);
  }
  return BindFunction(call, std::move(arguments));
}

Result<NodePtr> ArrowBinder::BindIsIn(NodePtr value, const cp::SetLookupOptions& options) const {
  using Options = cp::SetLookupOptions;
  if (value->type->id() == arrow::Type::HALF_FLOAT) {
    ARROW_ASSIGN_OR_RAISE(value, binder_.Widen(value, arrow::float32()));
  }
  ARROW_ASSIGN_OR_RAISE(const auto values, FitAll(options.value_set, value->type));
  const auto behavior = options.GetNullMatchingBehavior();
  const bool has_null = options.value_set.null_count() > 0;
  ARROW_ASSIGN_OR_RAISE(
      NodePtr is_in,
      binder_.InSet(kNowhere, value, values, has_null && behavior == Options::INCONCLUSIVE));
  if (behavior == Options::INCONCLUSIVE || behavior == Options::EMIT_NULL) return is_in;
  // Null is a value among others: it is in the set, or it is not.
  const bool null_is_in = has_null && behavior == Options::MATCH;
  ARROW_ASSIGN_OR_RAISE(NodePtr about_null, binder_.IsNull(kNowhere, value, !null_is_in));
  return binder_.MakeChain(kNowhere, null_is_in ? NodeKind::kOr : NodeKind::kAnd,
                           {std::move(about_null), std::move(is_in)});
}

Result<NodePtr> ArrowBinder::BindCast(const NodePtr& value,
                                      const cp::Expression::Call& call) const {
  const auto* options = dynamic_cast<const cp::CastOptions*>(call.options.get());
  if (options == nullptr || options->to_type.type == nullptr) return Error("cast without a type");
  const TypePtr type = PlainType(options->to_type.GetSharedPtr());
  if (value->type->Equals(*type)) return value;
  const TypePtr common = CommonType(value->type, type);
  const bool is_wider = common != nullptr && common->Equals(*type) && AreAlike(*value->type, *type);
  // No float holds every whole number.
  if (is_wider && !(arrow::is_integer(value->type->id()) && arrow::is_floating(type->id()))) {
    return binder_.Widen(value, type);
  }
  auto plain = std::make_shared<cp::CastOptions>(*options);
  plain->to_type = type;
  cp::Expression::Call cast = call;
  cast.options = std::move(plain);
  return BindFunction(cast, {value});
}

Result<NodePtr> ArrowBinder::BindFunction(const cp::Expression::Call& call,
                                          std::vector<NodePtr> arguments) const {
  const auto function = cp::GetFunctionRegistry()->GetFunction(call.function_name);
  if (!function.ok()) return Error("there is no function '" + call.function_name + "'");
  if ((*function)->kind() != cp::Function::SCALAR) {
    return Error("the function '" + call.function_name + "' does not judge each row on its own");
  }
  std::vector<TypePtr> types;
  types.reserve(arguments.size());
  for (const NodePtr& argument : arguments) types.push_back(argument->type);
  auto found = FindArrowFunction(call.function_name, types, call.options, binder_.compute());
  if (!found.ok()) {
    if (GetErrorCode(found.status()) != ErrorCode::kInvalidArgument) return found.status();
    return Error(call.function_name + ": " + found.status().message());
  }
  return binder_.MakeCall(kNowhere, found->type, std::move(arguments), std::move(found->kernel),
                          /*is_volatile=*/!(*function)->is_pure());
}

Result<NodePtr> ArrowBinder::Compare(Comparison comparison, NodePtr left, NodePtr right) const {
  const bool left_literal = left->kind == NodeKind::kLiteral;
  const bool right_literal = right->kind == NodeKind::kLiteral;
  if (left_literal && !right_literal) {
    ARROW_ASSIGN_OR_RAISE(left, Fit(left, right->type));
  } else if (right_literal && !left_literal) {
    ARROW_ASSIGN_OR_RAISE(right, Fit(right, left->type));
  }
  return binder_.Compare(kNowhere, comparison, left, right);
}

Result<NodePtr> ArrowBinder::Fit(const NodePtr& literal, const TypePtr& type) const {
  const ScalarPtr& value = literal->value;
  if (!value->is_valid || value->type->Equals(*type)) return literal;
  if (IsText(*value->type) && IsTemporal(*type)) {
    // Arrow reads such texts too; how they are read is said in one place.
    Node text = *literal;
    const auto& bytes = static_cast<const arrow::BaseBinaryScalar&>(*value);
    text.literal = Literal{.kind = SyntaxKind::kText, .text = std::string(bytes.view())};
    return std::make_shared<const Node>(std::move(text));
  }
  ARROW_ASSIGN_OR_RAISE(ScalarPtr fitted, FitScalar(value, type));
  return fitted == nullptr ? literal : binder_.MakeLiteral(kNowhere, std::move(fitted));
}

Result<ScalarPtr> ArrowBinder::FitScalar(const ScalarPtr& scalar, const TypePtr& type) const {
  if (scalar->type->Equals(*type)) return scalar;
  if (!AreAlike(*scalar->type, *type)) return nullptr;
  const auto cast = [&](const ScalarPtr& from, const TypePtr& to) -> Result<ScalarPtr> {
    auto made = cp::Cast(arrow::Datum(from), to, cp::CastOptions::Safe(to), binder_.compute());
    if (made.ok()) return made->scalar();
    const Status& status = made.status();
    if (status.IsOutOfMemory() || status.IsCancelled()) return status;
    return nullptr;
  };
  ARROW_ASSIGN_OR_RAISE(ScalarPtr there, cast(scalar, type));
  if (there == nullptr) return nullptr;
  ARROW_ASSIGN_OR_RAISE(const ScalarPtr back, cast(there, scalar->type));
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
  if (back == nullptr || !back->Equals(*scalar, options)) return nullptr;
  return there;
}

Result<std::shared_ptr<arrow::Array>> ArrowBinder::FitAll(const arrow::Datum& values,
                                                          const TypePtr& type) const {
  std::vector<std::shared_ptr<arrow::Array>> chunks;
  if (values.is_array()) {
    chunks.push_back(values.make_array());
  } else if (values.is_chunked_array()) {
    chunks = values.chunked_array()->chunks();
  } else {
    return Error("the set of is_in is no array");
  }
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(type, binder_.compute()->memory_pool()));
  for (const auto& chunk : chunks) {
    if (chunk->type_id() != arrow::Type::NA && !PlainType(chunk->type())->Equals(*type) &&
        !AreAlike(*PlainType(chunk->type()), *type)) {
      return Error("is_in looks for a " + NameOfType(*type) + " among values of type " +
                   NameOfType(*chunk->type()));
    }
    for (int64_t i = 0; i < chunk->length(); ++i) {
      if (chunk->IsNull(i)) continue;
      ARROW_ASSIGN_OR_RAISE(ScalarPtr scalar, chunk->GetScalar(i));
      ARROW_ASSIGN_OR_RAISE(scalar, PlainScalar(std::move(scalar)));
      ARROW_ASSIGN_OR_RAISE(scalar, FitScalar(scalar, type));
      if (scalar != nullptr) ARROW_RETURN_NOT_OK(builder->AppendScalar(*scalar));
    }
  }
  return builder->Finish();
}

}  // namespace

Result<NodePtr> BindArrowCondition(const cp::Expression& expression, const Binder& binder,
                                   const arrow::Schema& schema) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr node, ArrowBinder(binder, schema).Bind(expression, 0));
  return binder.AsCondition(node);
}

}  // namespace tusk::expr
