#include "tusk/expr/expression.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/expr/bound_expression.h"
#include "tusk/expr/cast.h"

namespace tusk::expr {
namespace {

/// Whether an expression is nothing but the time.
bool IsClock(const Syntax& syntax) {
  static constexpr std::array<std::string_view, 3> kNames = {"now", "current_timestamp",
                                                             "current_time"};
  return syntax.kind == SyntaxKind::kCall && std::ranges::find(kNames, syntax.text) != kNames.end();
}

}  // namespace

struct Expression::State {
  std::shared_ptr<const ParsedText> parsed;
};

struct Expression::Bound::State {
  BoundExpression bound;
  std::shared_ptr<arrow::DataType> type;
  std::shared_ptr<const arrow::KeyValueMetadata> metadata = nullptr;
  Kernel cast = nullptr;  ///< to `type`; null if the values are of it
};

Expression::Expression(std::unique_ptr<State> state) : state_(std::move(state)) {}
Expression::~Expression() = default;

Expression::Bound::Bound(std::unique_ptr<State> state) : state_(std::move(state)) {}
Expression::Bound::~Bound() = default;

Result<std::shared_ptr<const Expression>> Expression::Parse(std::string_view text) {
  auto state = std::make_unique<State>();
  auto parsed = ParsedText::Parse(text);
  if (!parsed.ok()) return WithContext(parsed.status(), "expression");
  state->parsed = *std::move(parsed);
  return std::shared_ptr<const Expression>(new Expression(std::move(state)));
}

Result<std::vector<std::vector<std::string>>> Expression::Paths(const arrow::Schema& schema) const {
  auto paths = state_->parsed->Paths(schema);
  if (!paths.ok()) return WithContext(paths.status(), "expression");
  return paths;
}

Result<std::shared_ptr<const Expression::Bound>> Expression::Bind(
    const arrow::Schema& schema, const OperationContext& context) const {
  auto bound = BoundExpression::Bind(state_->parsed, schema, /*is_condition=*/false, context);
  if (!bound.ok()) return WithContext(bound.status(), "expression");
  const NodePtr node = bound->node;
  auto state = std::make_unique<Bound::State>(
      Bound::State{.bound = *std::move(bound),
                   .type = node->type,
                   .metadata = node->field == nullptr ? nullptr : node->field->metadata()});
  return std::shared_ptr<const Bound>(new Bound(std::move(state)));
}

Result<std::shared_ptr<const Expression::Bound>> Expression::BindAs(
    const std::shared_ptr<arrow::DataType>& type, const arrow::Schema& schema,
    const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(auto bound, Bind(schema, context));
  if (bound->type()->Equals(*type)) return bound;
  // Of the time of now so many digits count as are asked for.
  auto cast = IsClock(*state_->parsed->syntax) ? CastFunction(bound->type(), type, /*is_try=*/false)
                                               : ExactCastFunction(bound->type(), type);
  if (!cast.ok()) return WithContext(cast.status(), "expression " + text());
  auto state = std::make_unique<Bound::State>(
      Bound::State{.bound = bound->state_->bound, .type = type, .cast = *std::move(cast)});
  return std::shared_ptr<const Bound>(new Bound(std::move(state)));
}

const std::string& Expression::text() const { return state_->parsed->text; }

const std::shared_ptr<arrow::DataType>& Expression::Bound::type() const { return state_->type; }

const std::shared_ptr<const arrow::KeyValueMetadata>& Expression::Bound::metadata() const {
  return state_->metadata;
}

Result<std::shared_ptr<arrow::Array>> Expression::Bound::Evaluate(
    const arrow::RecordBatch& batch, const OperationContext& context) const {
  auto value = state_->bound.Evaluate(batch, context);
  if (value.ok() && state_->cast != nullptr) {
    arrow::compute::ExecContext compute(context.pool);
    const Evaluation evaluation{.batch = &batch, .compute = &compute, .context = &context};
    value = state_->cast({*value}, evaluation);
  }
  if (!value.ok()) return WithContext(value.status(), "expression");
  return ToArray(*value, batch.num_rows(), context.pool);
}

}  // namespace tusk::expr
