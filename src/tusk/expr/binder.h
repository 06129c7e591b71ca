#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/node.h"
#include "tusk/expr/syntax.h"

namespace tusk::expr {

/// The names from a column down to the field that a syntax of names and members reaches, as far as
/// it goes through structs, and what of it is left.
struct ResolvedPath {
  std::vector<std::string> names;
  std::vector<int> indices;
  std::shared_ptr<arrow::DataType> type;
  std::shared_ptr<arrow::Field> field = nullptr;
};

/// Gives an expression its columns and types.
class Binder {
 public:
  /// All is borrowed. `compute` is for preparing kernels; its pool must outlive what is bound.
  Binder(std::string_view text, const arrow::Schema& schema, const OperationContext& context,
         arrow::compute::ExecContext* compute)
      : text_(text), schema_(schema), context_(context), compute_(compute) {}

  Result<NodePtr> Bind(const Syntax& syntax);
  /// The same as a condition: bool, and whether a pattern matches.
  Result<NodePtr> BindCondition(const Syntax& syntax);
  /// The fields that `syntax` reads.
  Status AddPaths(const Syntax& syntax, std::vector<std::vector<std::string>>* paths) const;

  // For functions, and for conditions that are no text.
  Status Error(Span at, std::string_view message) const { return ErrorAt(text_, at, message); }
  std::string TextAt(Span span) const {
    return std::string(text_.substr(span.begin, span.end - span.begin));
  }
  Result<NodePtr> MakeCall(Span span, std::shared_ptr<arrow::DataType> type,
                           std::vector<NodePtr> arguments, Kernel kernel,
                           bool is_volatile = false) const;
  Result<NodePtr> MakeArrowCall(Span span, const std::string& function,
                                std::vector<NodePtr> arguments,
                                std::shared_ptr<arrow::compute::FunctionOptions> options) const;
  NodePtr MakeLiteral(Span span, std::shared_ptr<arrow::Scalar> value) const;
  /// `node` as values of `type`, which has room for them; a literal is fitted.
  Result<NodePtr> Widen(const NodePtr& node, const std::shared_ptr<arrow::DataType>& type) const;
  Result<NodePtr> Cast(Span span, const NodePtr& node, const std::shared_ptr<arrow::DataType>& type,
                       bool is_try) const;
  /// All as values of one type: that of those which are no literals, if there are any.
  Result<std::vector<NodePtr>> Unify(Span span, const std::vector<NodePtr>& nodes) const;
  Result<NodePtr> Compare(Span span, Comparison comparison, const NodePtr& left,
                          const NodePtr& right) const;
  Result<NodePtr> IsNull(Span span, const NodePtr& node, bool is_negated) const;
  Result<NodePtr> MakeCase(Span span, std::vector<NodePtr> conditions_and_values) const;
  /// Whether `value` is one of `values`, which are of its type and not null; beside a null, what is
  /// not found is perhaps there. Floats are at least 32 bits wide.
  Result<NodePtr> InSet(Span span, const NodePtr& value,
                        const std::shared_ptr<arrow::Array>& values, bool has_null) const;
  Result<NodePtr> AsCondition(const NodePtr& node) const;
  Result<NodePtr> Not(Span span, const NodePtr& node) const;
  /// AND or OR of conditions.
  Result<NodePtr> MakeChain(Span span, NodeKind kind, std::vector<NodePtr> terms) const;
  Result<NodePtr> Arithmetic(Span span, const std::string& symbol, NodePtr left,
                             NodePtr right) const;
  Result<NodePtr> Field(Span span, const NodePtr& node, const std::string& name) const;
  Result<NodePtr> Element(Span span, const NodePtr& list, const NodePtr& index) const;
  arrow::compute::ExecContext* compute() const { return compute_; }

 private:
  /// A node that is put together, with what its arguments tell about it.
  Result<NodePtr> Freeze(Node node) const;
  /// `literal` as a value of `type`; a moment without an offset is the local time of a zone.
  Result<FittedLiteral> FitToColumn(const Literal& literal, const arrow::DataType& type) const;
  Result<NodePtr> BindLiteral(const Syntax& syntax) const;
  Result<std::optional<ResolvedPath>> ResolvePath(const Syntax& syntax) const;
  Result<int> FindColumn(const Syntax& name) const;
  Result<NodePtr> BindList(const Syntax& syntax);
  Result<NodePtr> BindSubscript(const Syntax& syntax);
  Result<NodePtr> BindNegate(const Syntax& syntax);
  Result<NodePtr> BindCompare(const Syntax& syntax);
  Result<NodePtr> BindDistinct(const Syntax& syntax);
  Result<NodePtr> BindChain(const Syntax& syntax);
  Result<NodePtr> BindTruthTest(const Syntax& syntax);
  Result<NodePtr> BindIn(const Syntax& syntax);
  Result<NodePtr> InLiterals(const Syntax& syntax, const NodePtr& value);
  Result<NodePtr> BindBetween(const Syntax& syntax);
  Result<NodePtr> BindLike(const Syntax& syntax);
  Result<NodePtr> BindCase(const Syntax& syntax);
  Result<NodePtr> BindCall(const Syntax& syntax);
  Result<NodePtr> CompareWithLiteral(Span span, Comparison comparison, const NodePtr& value,
                                     const NodePtr& literal) const;
  Status CheckQuotes(const NodePtr& left, const NodePtr& right) const;

  const std::string_view text_;
  const arrow::Schema& schema_;
  const OperationContext& context_;
  arrow::compute::ExecContext* compute_;
};

}  // namespace tusk::expr
