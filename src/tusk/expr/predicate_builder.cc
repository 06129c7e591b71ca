#include "tusk/expr/predicate_builder.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/compare.h"

// In the one order of floats NaN equals itself and is above all others; leaves of a
// predicate are true of no NaN, which therefore gets leaves of its own.
namespace tusk::expr {
namespace {

using Kind = Predicate::Kind;
using Path = std::vector<std::string>;
using ScalarPtr = std::shared_ptr<arrow::Scalar>;

/// Values of a longer list are not kept one by one: that would cost more than it spares where few
/// parts of a table have none of them.
constexpr int64_t kMostValues = 1000;

Predicate Never() { return {.kind = Kind::kNever}; }

Predicate Leaf(Kind kind, Path path, std::vector<ScalarPtr> values = {}) {
  return {.kind = kind, .path = std::move(path), .values = std::move(values)};
}

bool IsNan(const arrow::Scalar& scalar) {
  switch (scalar.type->id()) {
    case arrow::Type::FLOAT:
      return std::isnan(static_cast<const arrow::FloatScalar&>(scalar).value);
    case arrow::Type::DOUBLE:
      return std::isnan(static_cast<const arrow::DoubleScalar&>(scalar).value);
    default:
      return false;
  }
}

/// True if a cast between the types keeps every value apart from the others, and in order.
bool KeepsValues(const arrow::DataType& from, const arrow::DataType& to) {
  const auto is_zoned = [](const arrow::DataType& type) {
    return !static_cast<const arrow::TimestampType&>(type).timezone().empty();
  };
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
      return to.id() == arrow::Type::LARGE_STRING;
    case arrow::Type::BINARY:
      return to.id() == arrow::Type::LARGE_BINARY;
    default:
      return false;
  }
}

Predicate Either(Predicate left, Predicate right) {
  Predicate either{.kind = Kind::kOr};
  either.children.push_back(std::move(left));
  either.children.push_back(std::move(right));
  return either;
}

Kind KindOf(Comparison comparison) {
  switch (comparison) {
    case Comparison::kEqual:
      return Kind::kEqual;
    case Comparison::kNotEqual:
      return Kind::kNotEqual;
    case Comparison::kLess:
      return Kind::kLess;
    case Comparison::kLessEqual:
      return Kind::kLessEqual;
    case Comparison::kGreater:
      return Kind::kGreater;
    default:
      return Kind::kGreaterEqual;
  }
}

/// A column compared with a value that is not NaN.
Predicate CompareWithValue(Comparison comparison, const Path& path, const ScalarPtr& value) {
  Predicate leaf = Leaf(KindOf(comparison), path, {value});
  const bool is_true_of_nan = comparison == Comparison::kGreater ||
                              comparison == Comparison::kGreaterEqual ||
                              comparison == Comparison::kNotEqual;
  if (!arrow::is_floating(value->type->id()) || !is_true_of_nan) return leaf;
  return Either(std::move(leaf), Leaf(Kind::kIsNan, path));
}

Predicate CompareWithNan(Comparison comparison, const Path& path) {
  switch (comparison) {
    case Comparison::kLess:
    case Comparison::kNotEqual:
      return Leaf(Kind::kNotIn, path);  // any value but NaN
    case Comparison::kLessEqual:
      return Leaf(Kind::kIsNotNull, path);
    case Comparison::kGreater:
      return Never();
    default:
      return Leaf(Kind::kIsNan, path);
  }
}

class Builder {
 public:
  explicit Builder(const arrow::Schema& schema) : schema_(schema) {}

  Predicate Build(const Node& node, bool negated) const {
    switch (node.kind) {
      case NodeKind::kLiteral:
        return BuildLiteral(node, negated);
      case NodeKind::kAnd:
      case NodeKind::kOr:
        return BuildChain(node, negated);
      case NodeKind::kNot:
        return Build(*node.arguments[0], !negated);
      case NodeKind::kIsNull: {
        const auto path = PathOf(*node.arguments[0]);
        if (!path) return {};
        return Leaf(negated ? Kind::kIsNotNull : Kind::kIsNull, *path);
      }
      case NodeKind::kCompare:
        return BuildComparison(node, negated);
      case NodeKind::kIn:
        return BuildIn(node, negated);
      case NodeKind::kColumn: {
        const auto path = PathOf(node);
        if (!path || node.type->id() != arrow::Type::BOOL) return {};
        return Leaf(Kind::kEqual, *path, {std::make_shared<arrow::BooleanScalar>(!negated)});
      }
      default:
        return {};
    }
  }

  /// Adds the columns one of which must be null where `node` is. False if that is not known.
  bool AddNullSources(const Node& node, std::vector<Path>* paths) const {
    switch (node.kind) {
      case NodeKind::kLiteral:
        return node.value->is_valid;
      case NodeKind::kIsNull:
        return true;
      case NodeKind::kColumn: {
        auto path = PathOf(node);
        if (!path) return false;
        paths->push_back(*std::move(path));
        return true;
      }
      case NodeKind::kIn:
        if (node.set.has_null) return false;
        break;
      case NodeKind::kAnd:
      case NodeKind::kOr:
      case NodeKind::kNot:
      case NodeKind::kCompare:
        break;
      default:
        if (!node.is_widened) return false;
    }
    return std::ranges::all_of(
        node.arguments, [&](const NodePtr& argument) { return AddNullSources(*argument, paths); });
  }

 private:
  /// The names of a column, from the top down; it may have been widened to compare it.
  std::optional<Path> PathOf(const Node& node) const {
    if (node.is_widened && KeepsValues(*node.arguments[0]->type, *node.type)) {
      return PathOf(*node.arguments[0]);
    }
    if (node.kind != NodeKind::kColumn || node.path.empty()) return std::nullopt;
    std::shared_ptr<arrow::Field> field = schema_.field(node.path.front());
    Path path = {field->name()};
    for (size_t i = 1; i < node.path.size(); ++i) {
      if (field->type()->id() != arrow::Type::STRUCT) return std::nullopt;
      field = field->type()->field(node.path[i]);
      path.push_back(field->name());
    }
    return path;
  }

  static Predicate BuildLiteral(const Node& node, bool negated) {
    if (node.type->id() != arrow::Type::BOOL) return {};
    const auto& value = static_cast<const arrow::BooleanScalar&>(*node.value);
    return value.is_valid && value.value != negated ? Predicate{} : Never();
  }

  Predicate BuildChain(const Node& node, bool negated) const {
    const bool is_and = (node.kind == NodeKind::kAnd) != negated;
    Predicate chain{.kind = is_and ? Kind::kAnd : Kind::kOr};
    for (const NodePtr& argument : node.arguments) {
      chain.children.push_back(Build(*argument, negated));
    }
    return chain;
  }

  Predicate BuildComparison(const Node& node, bool negated) const {
    const Node* column = node.arguments[0].get();
    const Node* literal = node.arguments[1].get();
    Comparison comparison = negated ? Opposite(node.comparison) : node.comparison;
    if (column->kind == NodeKind::kLiteral) {
      std::swap(column, literal);
      comparison = Mirrored(comparison);
    }
    const auto path = PathOf(*column);
    if (!path || literal->kind != NodeKind::kLiteral) return {};
    if (!literal->value->is_valid) return Never();
    if (!literal->value->type->Equals(*column->type)) return {};
    if (IsNan(*literal->value)) return CompareWithNan(comparison, *path);
    return CompareWithValue(comparison, *path, literal->value);
  }

  Predicate BuildIn(const Node& node, bool negated) const {
    const auto path = PathOf(*node.arguments[0]);
    if (!path) return {};
    // What is not found beside a null is perhaps there.
    if (negated && node.set.has_null) return Never();
    const bool is_float = arrow::is_floating(node.arguments[0]->type->id());
    const int64_t num_values = node.set.values == nullptr ? 0 : node.set.values->length();
    if (num_values > kMostValues && !is_float) return BuildLongIn(node, *path, negated);
    std::vector<ScalarPtr> values;
    bool has_nan = false;
    for (int64_t i = 0; i < num_values; ++i) {
      auto value = node.set.values->GetScalar(i);
      if (!value.ok()) return {};
      if (IsNan(**value)) {
        has_nan = true;
      } else {
        values.push_back(*std::move(value));
      }
    }
    Predicate result = negated          ? Leaf(Kind::kNotIn, *path, values)
                       : values.empty() ? Never()
                                        : Leaf(Kind::kIn, *path, values);
    result.least = node.set.least;
    result.greatest = node.set.greatest;
    if (!is_float || has_nan == negated) return result;
    return Either(std::move(result), Leaf(Kind::kIsNan, *path));
  }

  /// Of so many values only the ends count.
  static Predicate BuildLongIn(const Node& node, const Path& path, bool negated) {
    const ValueSet& set = node.set;
    // Any value.
    if (negated || set.least == nullptr || set.greatest == nullptr) {
      return Leaf(Kind::kNotIn, path);
    }
    Predicate between{.kind = Kind::kAnd};
    between.children.push_back(Leaf(Kind::kGreaterEqual, path, {set.least}));
    between.children.push_back(Leaf(Kind::kLessEqual, path, {set.greatest}));
    return between;
  }

  const arrow::Schema& schema_;
};

}  // namespace

Predicate BuildPredicate(const Node& node, const arrow::Schema& schema) {
  return Builder(schema).Build(node, /*negated=*/false);
}

Predicate BuildComplement(const Node& node, const arrow::Schema& schema) {
  const Builder builder(schema);
  std::vector<Path> paths;
  if (!builder.AddNullSources(node, &paths)) return {};
  Predicate result = builder.Build(node, /*negated=*/true);
  for (Path& path : paths) {
    result = Either(std::move(result), Leaf(Kind::kIsNull, std::move(path)));
  }
  return result;
}

}  // namespace tusk::expr
