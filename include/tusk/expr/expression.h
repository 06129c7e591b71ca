#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"

namespace tusk::expr {

/// A value of each row as SQL text, not bound to a schema yet (docs/guide/filters.md has the
/// dialect). Immutable; threads share one.
class TUSK_EXPORT Expression {
 public:
  /// InvalidArgument, with the place in the text, for a text that is no expression.
  static Result<std::shared_ptr<const Expression>> Parse(std::string_view text);
  ~Expression();

  /// The fields that it reads of a table of this schema, each as the names from its top-level
  /// column down to it, or to the last above it that is a struct; ascending and unique.
  /// InvalidArgument, with the nearest names, for a column that there is not.
  Result<std::vector<std::vector<std::string>>> Paths(const arrow::Schema& schema) const;
  /// Bound to `schema`. InvalidArgument, with the place in the text, for unknown columns and
  /// functions, types that do not go together and literals that do not fit. `context.pool` must
  /// outlive what is bound.
  class Bound;
  Result<std::shared_ptr<const Bound>> Bind(const arrow::Schema& schema,
                                            const OperationContext& context) const;
  /// The same as values of `type`: cast as CAST does, but one that would be another value there
  /// (1.5 as a whole number) is InvalidArgument when it is computed.
  Result<std::shared_ptr<const Bound>> BindAs(const std::shared_ptr<arrow::DataType>& type,
                                              const arrow::Schema& schema,
                                              const OperationContext& context) const;
  const std::string& text() const;

 private:
  friend class Filter;
  struct State;
  explicit Expression(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// An expression bound to a schema.
class TUSK_EXPORT Expression::Bound {
 public:
  ~Bound();
  const std::shared_ptr<arrow::DataType>& type() const;
  /// What its column tells besides the type, such as the extension type of a geometry; null if
  /// that is nothing.
  const std::shared_ptr<const arrow::KeyValueMetadata>& metadata() const;
  /// A value for each row of `batch`, which has the bound schema. InvalidArgument, with the place
  /// in the text, where a value cannot be computed: overflow, division by zero, a failed cast.
  Result<std::shared_ptr<arrow::Array>> Evaluate(const arrow::RecordBatch& batch,
                                                 const OperationContext& context) const;

 private:
  friend class Expression;
  struct State;
  explicit Bound(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The names of all functions of the dialect, ascending.
TUSK_EXPORT std::vector<std::string> FunctionNames();

}  // namespace tusk::expr
