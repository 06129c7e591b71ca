#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/node.h"
#include "tusk/expr/syntax.h"

namespace arrow::compute {
class Expression;
}  // namespace arrow::compute

namespace tusk::expr {

/// The text of an expression and what it says. Immutable.
struct ParsedText {
  std::string text;
  std::unique_ptr<const Syntax> syntax;

  static Result<std::shared_ptr<const ParsedText>> Parse(std::string_view text);
  Result<std::vector<std::vector<std::string>>> Paths(const arrow::Schema& schema) const;
};

/// An expression with columns and types, and the text that it was, if it was one.
struct BoundExpression {
  std::shared_ptr<const ParsedText> parsed;  ///< null for an Arrow expression
  std::shared_ptr<const arrow::Schema> schema;
  NodePtr node;

  static Result<BoundExpression> Bind(std::shared_ptr<const ParsedText> parsed,
                                      const arrow::Schema& schema, bool is_condition,
                                      const OperationContext& context);
  static Result<BoundExpression> BindCondition(const arrow::compute::Expression& expression,
                                               const arrow::Schema& schema,
                                               const OperationContext& context);
  /// InvalidArgument, too, if the batch has another schema. Columns may be codes of their values,
  /// as dictionary arrays: conditions on one such column are asked about each value once.
  Result<arrow::Datum> Evaluate(const arrow::RecordBatch& batch,
                                const OperationContext& context) const;
};

/// Registers Arrow's compute functions, once in this process.
Status InitializeCompute();

}  // namespace tusk::expr
