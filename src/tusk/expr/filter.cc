#include "tusk/expr/filter.h"

#include <set>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/expression.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;

/// Registers Arrow's compute functions, once in this process.
Status InitializeCompute() {
  static const Status status = cp::Initialize();
  return status;
}

/// Arrow says NotImplemented or KeyError where the caller's predicate makes no sense; what is left
/// as it is tells about the process and not about the predicate.
Status InvalidFilter(const Status& status, const cp::Expression& expression) {
  if (status.IsOutOfMemory() || status.IsCancelled()) return status;
  return InvalidArgument("filter ", expression.ToString(), ": ", status.message());
}

/// The name of the top-level column that `ref` starts at.
Result<std::string> TopLevelName(const arrow::FieldRef& ref) {
  const arrow::FieldRef& first = ref.IsNested() ? ref.nested_refs()->front() : ref;
  if (first.IsName()) return *first.name();
  return InvalidArgument("a filter must name its columns, but one is given as ", ref.ToString());
}

}  // namespace

struct Filter::State {
  cp::Expression expression;
};

struct Filter::Bound::State {
  cp::Expression expression;
  std::shared_ptr<arrow::Schema> schema;
};

Filter::Filter(std::unique_ptr<State> state) : state_(std::move(state)) {}
Filter::~Filter() = default;

Filter::Bound::Bound(std::unique_ptr<State> state) : state_(std::move(state)) {}
Filter::Bound::~Bound() = default;

std::shared_ptr<const Filter> Filter::FromArrow(cp::Expression expression) {
  return std::shared_ptr<const Filter>(
      new Filter(std::make_unique<State>(State{std::move(expression)})));
}

Result<std::shared_ptr<const Filter>> Filter::Deserialize(std::shared_ptr<arrow::Buffer> bytes) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  const int64_t size = bytes->size();
  Result<cp::Expression> expression = cp::Deserialize(std::move(bytes));
  if (!expression.ok()) {
    return InvalidArgument("filter: ", size, " bytes are not a serialized Arrow expression: ",
                           expression.status().message());
  }
  return FromArrow(*std::move(expression));
}

Result<std::vector<std::string>> Filter::Columns() const {
  std::set<std::string> names;
  for (const arrow::FieldRef& ref : cp::FieldsInExpression(state_->expression)) {
    ARROW_ASSIGN_OR_RAISE(std::string name, TopLevelName(ref));
    names.insert(std::move(name));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::shared_ptr<const Filter::Bound>> Filter::Bind(const arrow::Schema& schema,
                                                          const OperationContext& context) const {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  const cp::Expression& expression = state_->expression;
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> columns, Columns());
  for (const std::string& column : columns) {
    if (schema.GetAllFieldIndices(column).empty()) {
      return InvalidArgument("filter ", expression.ToString(), ": there is no column '", column,
                             "'");
    }
  }
  cp::ExecContext exec_context(context.pool);
  Result<cp::Expression> bound = expression.Bind(schema, &exec_context);
  if (!bound.ok()) return InvalidFilter(bound.status(), expression);
  if (bound->type()->id() != arrow::Type::BOOL) {
    return InvalidArgument("filter ", expression.ToString(), " gives ", bound->type()->ToString(),
                           ", not bool");
  }
  if (!bound->IsScalarExpression()) {
    return InvalidArgument("filter ", expression.ToString(), " does not judge each row on its own");
  }
  auto state = std::make_unique<Bound::State>(
      Bound::State{*std::move(bound), std::make_shared<arrow::Schema>(schema)});
  return std::shared_ptr<const Bound>(new Bound(std::move(state)));
}

std::string Filter::ToString() const { return state_->expression.ToString(); }

Result<std::shared_ptr<arrow::RecordBatch>> Filter::Bound::Apply(
    const std::shared_ptr<arrow::RecordBatch>& batch, const OperationContext& context) const {
  if (!batch->schema()->Equals(*state_->schema, /*check_metadata=*/false)) {
    return InvalidArgument("filter ", state_->expression.ToString(), " is bound to schema\n",
                           state_->schema->ToString(), "\nbut the batch has\n",
                           batch->schema()->ToString());
  }
  cp::ExecContext exec_context(context.pool);
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum mask,
      cp::ExecuteScalarExpression(state_->expression, cp::ExecBatch(*batch), &exec_context));
  if (mask.is_scalar()) {
    const auto& keep = mask.scalar_as<arrow::BooleanScalar>();
    return keep.is_valid && keep.value ? batch : batch->Slice(0, 0);
  }
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum kept,
                        cp::Filter(batch, mask, cp::FilterOptions::Defaults(), &exec_context));
  return kept.record_batch();
}

}  // namespace tusk::expr
