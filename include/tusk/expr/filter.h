#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"

namespace arrow::compute {
class Expression;
}  // namespace arrow::compute

namespace tusk::expr {

struct Predicate;

/// A predicate over the columns of a table, not bound to a schema yet. A row is kept iff the
/// predicate is true; null drops it. Immutable; threads share one.
class TUSK_EXPORT Filter {
 public:
  /// From SQL text (docs/guide/filters.md has the dialect). InvalidArgument, with the place in the
  /// text, if it is no expression.
  static Result<std::shared_ptr<const Filter>> FromSql(std::string_view text);
  /// From an Arrow expression, as DuckDB and Polars hand them over. Comparisons, AND, OR, NOT, sets
  /// and tests for null mean what they mean in SQL text; other scalar functions are Arrow's.
  static std::shared_ptr<const Filter> FromArrow(arrow::compute::Expression expression);
  /// From Arrow's own serialization of an expression (what pickling a pyarrow Expression holds).
  /// InvalidArgument if it is none. Trusted as a pickle is: Arrow does not defend itself against
  /// hostile bytes here.
  static Result<std::shared_ptr<const Filter>> Deserialize(std::shared_ptr<arrow::Buffer> bytes);
  ~Filter();

  /// The top-level columns that it reads of a table of this schema, ascending and unique.
  /// InvalidArgument for a field reference that is not by name, and for a name in SQL text that the
  /// table does not have.
  Result<std::vector<std::string>> Columns(const arrow::Schema& schema) const;
  /// The fields that it reads, each as the names from its top-level column down to it, or to the
  /// last above it that is given by name; ascending and unique. The errors of Columns.
  Result<std::vector<std::vector<std::string>>> Paths(const arrow::Schema& schema) const;
  /// Bound to `schema`. InvalidArgument if it names an unknown column, has mismatched types or is
  /// not boolean. `context.pool` must outlive what is bound, which may hold sets of literals in it.
  class Bound;
  Result<std::shared_ptr<const Bound>> Bind(const arrow::Schema& schema,
                                            const OperationContext& context) const;
  std::string ToString() const;

 private:
  struct State;
  explicit Filter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What is known of one column of a part of a table: every value that is neither null nor absent
/// lies in [least, greatest].
struct ColumnRange {
  std::shared_ptr<arrow::Scalar> least;     ///< of the column's type; null: not known
  std::shared_ptr<arrow::Scalar> greatest;  ///< of the column's type; null: not known
  bool may_be_null = true;
  bool is_all_null = false;
};

/// A filter bound to a schema.
class TUSK_EXPORT Filter::Bound {
 public:
  ~Bound();
  /// The rows of `batch`, which has the bound schema, for which the predicate is true.
  Result<std::shared_ptr<arrow::RecordBatch>> Apply(
      const std::shared_ptr<arrow::RecordBatch>& batch, const OperationContext& context) const;
  /// Whether the predicate is true, for each row of `batch`, which has the bound schema; no nulls.
  /// Columns may come as dictionary arrays of their type: conditions on one such column are then
  /// asked about each value once.
  Result<std::shared_ptr<arrow::BooleanArray>> Judge(const arrow::RecordBatch& batch,
                                                     const OperationContext& context) const;
  /// False only if the predicate is true for no row whose columns lie in `ranges`, by column name;
  /// columns that are not there can have any value. A float column that may hold NaN has no range.
  Result<bool> MayMatch(const std::map<std::string, ColumnRange>& ranges) const;
  /// What of it compares columns with literals; for the library's own pruning.
  const Predicate& predicate() const;
  /// The same of the rows that it does not keep: where the filter is false or null.
  const Predicate& complement() const;

 private:
  friend class Filter;
  struct State;
  explicit Bound(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tusk::expr
