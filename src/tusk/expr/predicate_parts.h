#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/expr/predicate.h"

// What predicates are made of, whatever they are made from.
namespace tusk::expr {

inline Predicate Never() { return {.kind = Predicate::Kind::kNever}; }

inline Predicate Leaf(Predicate::Kind kind, std::vector<std::string> path,
                      std::vector<std::shared_ptr<arrow::Scalar>> values = {}) {
  return {.kind = kind, .path = std::move(path), .values = std::move(values)};
}

/// Both or either of two, by `kind`.
inline Predicate Joined(Predicate::Kind kind, Predicate left, Predicate right) {
  Predicate joined{.kind = kind};
  joined.children.push_back(std::move(left));
  joined.children.push_back(std::move(right));
  return joined;
}

inline bool IsNan(const arrow::Scalar& scalar) {
  switch (scalar.type->id()) {
    case arrow::Type::FLOAT:
      return std::isnan(static_cast<const arrow::FloatScalar&>(scalar).value);
    case arrow::Type::DOUBLE:
      return std::isnan(static_cast<const arrow::DoubleScalar&>(scalar).value);
    default:
      return false;
  }
}

}  // namespace tusk::expr
