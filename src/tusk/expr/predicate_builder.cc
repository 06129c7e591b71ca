#include "tusk/expr/predicate_builder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/expression.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/predicate_parts.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using Kind = Predicate::Kind;
using ScalarPtr = std::shared_ptr<arrow::Scalar>;

struct Comparison {
  std::string_view function;
  Kind kind;
  Kind opposite;  ///< true for every value for which `kind` is false, but for NaN
  Kind flipped;   ///< with its operands exchanged
};

constexpr std::array kComparisons = {
    Comparison{"less", Kind::kLess, Kind::kGreaterEqual, Kind::kGreater},
    Comparison{"less_equal", Kind::kLessEqual, Kind::kGreater, Kind::kGreaterEqual},
    Comparison{"greater", Kind::kGreater, Kind::kLessEqual, Kind::kLess},
    Comparison{"greater_equal", Kind::kGreaterEqual, Kind::kLess, Kind::kLessEqual},
    Comparison{"equal", Kind::kEqual, Kind::kNotEqual, Kind::kEqual},
    Comparison{"not_equal", Kind::kNotEqual, Kind::kEqual, Kind::kNotEqual},
};

/// A column, possibly cast to a type that keeps its values and their order.
struct Column {
  std::vector<std::string> path;
  std::shared_ptr<arrow::DataType> type;  ///< of the column itself
};

Predicate Leaf(Kind kind, const Column& column, std::vector<ScalarPtr> values = {}) {
  return Leaf(kind, column.path, std::move(values));
}

/// True if a cast between the types keeps every value apart from the others, and in order.
bool KeepsValues(const arrow::DataType& from, const arrow::DataType& to) {
  const auto is_zoned = [](const arrow::DataType& type) {
    return !static_cast<const arrow::TimestampType&>(type).timezone().empty();
  };
  if (from.Equals(to)) return true;
  switch (from.id()) {
    case arrow::Type::INT32:
      return to.id() == arrow::Type::INT64 || to.id() == arrow::Type::DOUBLE;
    case arrow::Type::FLOAT:
      return to.id() == arrow::Type::DOUBLE;
    case arrow::Type::DECIMAL128:
      return arrow::is_decimal(to.id()) && static_cast<const arrow::DecimalType&>(to).scale() >=
                                               static_cast<const arrow::DecimalType&>(from).scale();
    case arrow::Type::DATE32:
      return to.id() == arrow::Type::TIMESTAMP && !is_zoned(to);
    case arrow::Type::TIMESTAMP:
      return to.id() == arrow::Type::TIMESTAMP && is_zoned(from) == is_zoned(to) &&
             static_cast<const arrow::TimestampType&>(to).unit() >=
                 static_cast<const arrow::TimestampType&>(from).unit();
    case arrow::Type::STRING:
      return to.id() == arrow::Type::LARGE_STRING || to.id() == arrow::Type::STRING_VIEW;
    case arrow::Type::BINARY:
      return to.id() == arrow::Type::LARGE_BINARY || to.id() == arrow::Type::BINARY_VIEW;
    default:
      return false;
  }
}

/// The names of a reference that is given by names alone, from the top down.
std::optional<std::vector<std::string>> PathOf(const arrow::FieldRef& ref) {
  const std::vector<arrow::FieldRef> steps =
      ref.IsNested() ? *ref.nested_refs() : std::vector<arrow::FieldRef>{ref};
  std::vector<std::string> path;
  for (const arrow::FieldRef& step : steps) {
    if (!step.IsName()) return std::nullopt;
    path.push_back(*step.name());
  }
  return path;
}

std::optional<Column> ColumnOf(const cp::Expression& expression) {
  if (const arrow::FieldRef* ref = expression.field_ref()) {
    auto path = PathOf(*ref);
    if (!path.has_value()) return std::nullopt;
    return Column{.path = *std::move(path), .type = expression.type()->GetSharedPtr()};
  }
  const auto* call = expression.call();
  if (call == nullptr || call->function_name != "cast") return std::nullopt;
  auto column = ColumnOf(call->arguments.front());
  if (!column.has_value() || !KeepsValues(*column->type, *expression.type())) return std::nullopt;
  return column;
}

ScalarPtr LiteralOf(const cp::Expression& expression) {
  const arrow::Datum* literal = expression.literal();
  return literal == nullptr || !literal->is_scalar() ? nullptr : literal->scalar();
}

Predicate BuildComparison(const Comparison& comparison, const cp::Expression::Call& call,
                          bool negated) {
  const cp::Expression* left = call.arguments.data();
  const cp::Expression* right = left + 1;
  const bool flipped = left->literal() != nullptr;
  if (flipped) std::swap(left, right);
  const ScalarPtr value = LiteralOf(*right);
  if (value == nullptr) return {};
  if (!value->is_valid) return Never();  // null, and so is what NOT makes of it
  const auto column = ColumnOf(*left);
  if (!column.has_value()) return {};
  const bool is_float = arrow::is_floating(column->type->id());
  const Kind kind = flipped ? comparison.flipped : comparison.kind;
  // Only != is true of NaN, and of what is compared with NaN.
  const bool true_of_nan = (kind == Kind::kNotEqual) != negated;
  if (IsNan(*value)) return true_of_nan ? Leaf(Kind::kIsNotNull, *column) : Never();
  Kind effective = kind;
  if (negated) {
    effective = std::ranges::find(kComparisons, kind, &Comparison::kind)->opposite;
  }
  Predicate leaf = Leaf(effective, *column, {value});
  if (!is_float) return leaf;
  // NOT (x < 1) is true of NaN, as x != 1 is.
  const bool lets_nan_pass = negated ? kind != Kind::kNotEqual : kind == Kind::kNotEqual;
  return lets_nan_pass ? Joined(Kind::kOr, std::move(leaf), Leaf(Kind::kIsNan, *column))
                       : std::move(leaf);
}

/// The scalars of a set; nothing if it is of a form that is not understood.
std::optional<std::vector<ScalarPtr>> ValuesOf(const arrow::Datum& set) {
  std::vector<ScalarPtr> values;
  const auto add = [&](const arrow::Array& array) {
    for (int64_t i = 0; i < array.length(); ++i) {
      auto scalar = array.GetScalar(i);
      if (!scalar.ok()) return false;
      values.push_back(*std::move(scalar));
    }
    return true;
  };
  if (set.is_array()) return add(*set.make_array()) ? std::optional(values) : std::nullopt;
  if (set.kind() != arrow::Datum::CHUNKED_ARRAY) return std::nullopt;
  for (const auto& chunk : set.chunked_array()->chunks()) {
    if (!add(*chunk)) return std::nullopt;
  }
  return values;
}

Predicate BuildIsIn(const cp::Expression::Call& call, bool negated) {
  using Options = cp::SetLookupOptions;
  const auto column = ColumnOf(call.arguments.front());
  const auto* options = dynamic_cast<const Options*>(call.options.get());
  if (!column.has_value() || options == nullptr) return {};
  auto values = ValuesOf(options->value_set);
  if (!values.has_value()) return {};
  const size_t all = values->size();
  std::erase_if(*values, [](const ScalarPtr& value) { return !value->is_valid; });
  const bool has_null = values->size() < all;
  const size_t valid = values->size();
  std::erase_if(*values, [](const ScalarPtr& value) { return IsNan(*value); });
  const bool has_nan = values->size() < valid;

  const auto behavior = options->GetNullMatchingBehavior();
  if (negated && has_null && behavior == Options::INCONCLUSIVE) return Never();
  const bool null_is_in = behavior == Options::MATCH && has_null;
  // A null that is in no set is known not to be, unless the answer itself is null.
  const bool null_passes =
      negated ? !null_is_in && (behavior == Options::MATCH || behavior == Options::SKIP)
              : null_is_in;
  // A set finds NaN by being NaN.
  const bool nan_passes = arrow::is_floating(column->type->id()) && has_nan != negated;
  Predicate result = negated           ? Leaf(Kind::kNotIn, *column, *values)
                     : values->empty() ? Never()
                                       : Leaf(Kind::kIn, *column, *values);
  if (nan_passes) {
    result = Joined(Kind::kOr, std::move(result), Leaf(Kind::kIsNan, *column));
  }
  if (null_passes) {
    result = Joined(Kind::kOr, std::move(result), Leaf(Kind::kIsNull, *column));
  }
  return result;
}

Predicate BuildIsNull(const cp::Expression::Call& call, bool negated) {
  const auto column = ColumnOf(call.arguments.front());
  if (!column.has_value()) return {};
  if (negated) return Leaf(Kind::kIsNotNull, *column);
  Predicate is_null = Leaf(Kind::kIsNull, *column);
  const auto* options = dynamic_cast<const cp::NullOptions*>(call.options.get());
  if (options == nullptr || !options->nan_is_null) return is_null;
  return Joined(Kind::kOr, std::move(is_null), Leaf(Kind::kIsNan, *column));
}

Predicate Build(const cp::Expression& expression, bool negated);

/// Adds the columns that must be null, some of them, where `expression` is null. False if that is
/// not known.
bool AddNullSources(const cp::Expression& expression, std::vector<Column>* columns) {
  const auto* call = expression.call();
  if (call == nullptr) {
    const ScalarPtr literal = LiteralOf(expression);
    if (literal != nullptr) return literal->is_valid;
    auto column = ColumnOf(expression);
    if (!column.has_value()) return false;
    columns->push_back(*std::move(column));
    return true;
  }
  const std::string& name = call->function_name;
  if (name == "is_null" || name == "is_valid") return true;
  if (auto column = ColumnOf(expression)) {  // a cast
    columns->push_back(*std::move(column));
    return true;
  }
  if (name == "is_in") {
    const auto* options = dynamic_cast<const cp::SetLookupOptions*>(call->options.get());
    if (options == nullptr ||
        options->GetNullMatchingBehavior() == cp::SetLookupOptions::INCONCLUSIVE) {
      return false;
    }
  }
  const bool is_known =
      std::ranges::find(kComparisons, name, &Comparison::function) != kComparisons.end() ||
      name == "is_in" || name == "is_nan" || name == "and_kleene" || name == "or_kleene" ||
      name == "and" || name == "or" || name == "invert";
  return is_known && std::ranges::all_of(call->arguments, [&](const auto& argument) {
           return AddNullSources(argument, columns);
         });
}

Predicate BuildCall(const cp::Expression::Call& call, bool negated) {
  const std::string& name = call.function_name;
  const auto comparison = std::ranges::find(kComparisons, name, &Comparison::function);
  if (comparison != kComparisons.end()) return BuildComparison(*comparison, call, negated);
  const bool is_and = name == "and_kleene" || name == "and";
  if (is_and || name == "or_kleene" || name == "or") {
    return Joined(is_and != negated ? Kind::kAnd : Kind::kOr, Build(call.arguments[0], negated),
                  Build(call.arguments[1], negated));
  }
  if (name == "invert") return Build(call.arguments.front(), !negated);
  if (name == "is_null") return BuildIsNull(call, negated);
  if (name == "is_in") return BuildIsIn(call, negated);
  if (name != "is_valid" && name != "is_nan") return {};
  const auto column = ColumnOf(call.arguments.front());
  if (!column.has_value()) return {};
  if (name == "is_valid") return Leaf(negated ? Kind::kIsNull : Kind::kIsNotNull, *column);
  return Leaf(negated ? Kind::kIsNotNull : Kind::kIsNan, *column);
}

Predicate Build(const cp::Expression& expression, bool negated) {
  if (const auto* call = expression.call()) return BuildCall(*call, negated);
  if (const ScalarPtr literal = LiteralOf(expression)) {
    if (!literal->is_valid || literal->type->id() != arrow::Type::BOOL) return Never();
    const bool value = static_cast<const arrow::BooleanScalar&>(*literal).value;
    return value != negated ? Predicate{} : Never();
  }
  // A column of truth values is a predicate too.
  const auto column = ColumnOf(expression);
  if (!column.has_value() || column->type->id() != arrow::Type::BOOL) return {};
  return Leaf(Kind::kEqual, *column, {std::make_shared<arrow::BooleanScalar>(!negated)});
}

}  // namespace

Predicate BuildPredicate(const cp::Expression& bound) { return Build(bound, /*negated=*/false); }

Predicate BuildComplement(const cp::Expression& bound) {
  std::vector<Column> columns;
  if (!AddNullSources(bound, &columns)) return {};
  Predicate result = Build(bound, /*negated=*/true);
  for (const Column& column : columns) {
    result = Joined(Kind::kOr, std::move(result), Leaf(Kind::kIsNull, column));
  }
  return result;
}

}  // namespace tusk::expr
