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

namespace tusk::expr {

/// The text of an expression and what it says. Immutable.
struct ParsedText {
  std::string text;
  std::unique_ptr<const Syntax> syntax;

  static Result<std::shared_ptr<const ParsedText>> Parse(std::string_view text);
  Result<std::vector<std::vector<std::string>>> Paths(const arrow::Schema& schema) const;
};

/// The same with columns and types.
struct BoundText {
  std::shared_ptr<const ParsedText> parsed;
  std::shared_ptr<const arrow::Schema> schema;
  NodePtr node;

  static Result<BoundText> Bind(std::shared_ptr<const ParsedText> parsed,
                                const arrow::Schema& schema, bool is_condition,
                                const OperationContext& context);
  /// InvalidArgument, too, if the batch has another schema.
  Result<arrow::Datum> Evaluate(const arrow::RecordBatch& batch,
                                const OperationContext& context) const;
};

/// Registers Arrow's compute functions, once in this process.
Status InitializeCompute();

}  // namespace tusk::expr
