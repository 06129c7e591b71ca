#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

namespace tusk::expr {

/// A filter as far as it compares columns with literals, for who decides from little whether rows
/// can pass: by ranges, by partitions. Wherever the filter does more, a node is kAnything, so that
/// every row for which the filter is true also satisfies the predicate. Negations are pushed down
/// to the leaves; what they let through of nulls and NaNs is said by leaves of their own.
struct Predicate {
  enum class Kind {
    kAnything,
    kNever,
    kAnd,  ///< of at least two children
    kOr,   ///< of at least two children
    // Leaves. Of a comparison no null and no NaN is true.
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kEqual,
    kNotEqual,
    kIn,     ///< one of `values`
    kNotIn,  ///< a value, and none of `values`, which may be empty
    kIsNull,
    kIsNotNull,  ///< a value, which may be NaN
    kIsNan,
  };

  Kind kind = Kind::kAnything;
  std::vector<Predicate> children = {};
  std::vector<std::string> path = {};  ///< names from the top-level column down
  /// What the column is compared with, none of them null: one but for kIn and kNotIn. Of the
  /// column's type, or of one that every value of the column fits into unchanged.
  std::vector<std::shared_ptr<arrow::Scalar>> values = {};
  /// kIn: of `values`; null if not known.
  std::shared_ptr<arrow::Scalar> least = nullptr;
  std::shared_ptr<arrow::Scalar> greatest = nullptr;
};

}  // namespace tusk::expr
