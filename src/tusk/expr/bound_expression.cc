#include "tusk/expr/bound_expression.h"

#include <algorithm>
#include <set>
#include <utility>

#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/expr/arrow_binder.h"
#include "tusk/expr/binder.h"
#include "tusk/expr/parser.h"

namespace tusk::expr {
namespace {

/// Whether `batch` has the columns of `schema`; some may be codes, as dictionary arrays.
bool Fits(const arrow::Schema& schema, const arrow::RecordBatch& batch) {
  const arrow::Schema& given = *batch.schema();
  if (given.Equals(schema, /*check_metadata=*/false)) return true;
  if (given.num_fields() != schema.num_fields()) return false;
  for (int i = 0; i < schema.num_fields(); ++i) {
    const arrow::Field& wanted = *schema.field(i);
    const arrow::DataType* type = given.field(i)->type().get();
    if (type->id() == arrow::Type::DICTIONARY && wanted.type()->id() != arrow::Type::DICTIONARY) {
      type = static_cast<const arrow::DictionaryType&>(*type).value_type().get();
    }
    if (given.field(i)->name() != wanted.name() || !type->Equals(*wanted.type())) return false;
  }
  return true;
}

/// A column that nothing is computed with keeps its type: dictionaries, views, extensions.
NodePtr AsStored(const NodePtr& node, const arrow::Schema& schema) {
  if (node->kind != NodeKind::kColumn) return node;
  std::shared_ptr<arrow::DataType> type = schema.field(node->path.front())->type();
  for (size_t i = 1; i < node->path.size(); ++i) type = type->field(node->path[i])->type();
  Node stored = *node;
  stored.type = std::move(type);
  return std::make_shared<const Node>(std::move(stored));
}

}  // namespace

Status InitializeCompute() {
  static const Status status = arrow::compute::Initialize();
  return status;
}

Result<std::shared_ptr<const ParsedText>> ParsedText::Parse(std::string_view text) {
  auto parsed = std::make_shared<ParsedText>();
  parsed->text = text;
  ARROW_ASSIGN_OR_RAISE(parsed->syntax, expr::Parse(parsed->text));
  return parsed;
}

Result<std::vector<std::vector<std::string>>> ParsedText::Paths(const arrow::Schema& schema) const {
  const OperationContext context;
  arrow::compute::ExecContext compute;
  std::vector<std::vector<std::string>> paths;
  ARROW_RETURN_NOT_OK(Binder(text, schema, context, &compute).AddPaths(*syntax, &paths));
  const std::set<std::vector<std::string>> unique(paths.begin(), paths.end());
  return std::vector<std::vector<std::string>>(unique.begin(), unique.end());
}

Result<BoundExpression> BoundExpression::Bind(std::shared_ptr<const ParsedText> parsed,
                                              const arrow::Schema& schema, bool is_condition,
                                              const OperationContext& context) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  arrow::compute::ExecContext compute(context.pool);
  Binder binder(parsed->text, schema, context, &compute);
  BoundExpression bound;
  ARROW_ASSIGN_OR_RAISE(bound.node, is_condition ? binder.BindCondition(*parsed->syntax)
                                                 : binder.Bind(*parsed->syntax));
  if (!is_condition) bound.node = AsStored(bound.node, schema);
  bound.schema = std::make_shared<arrow::Schema>(schema);
  bound.parsed = std::move(parsed);
  return bound;
}

Result<BoundExpression> BoundExpression::BindCondition(const arrow::compute::Expression& expression,
                                                       const arrow::Schema& schema,
                                                       const OperationContext& context) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  arrow::compute::ExecContext compute(context.pool);
  const Binder binder(/*text=*/{}, schema, context, &compute);
  BoundExpression bound;
  ARROW_ASSIGN_OR_RAISE(bound.node, BindArrowCondition(expression, binder, schema));
  bound.schema = std::make_shared<arrow::Schema>(schema);
  return bound;
}

Result<arrow::Datum> BoundExpression::Evaluate(const arrow::RecordBatch& batch,
                                               const OperationContext& context) const {
  if (!Fits(*schema, batch)) {
    return InvalidArgument("bound to schema\n", schema->ToString(), "\nbut the batch has\n",
                           batch.schema()->ToString());
  }
  arrow::compute::ExecContext compute(context.pool);
  const std::string_view text = parsed == nullptr ? std::string_view() : parsed->text;
  const auto is_codes = [](const std::shared_ptr<arrow::Field>& field) {
    return field->type()->id() == arrow::Type::DICTIONARY;
  };
  return expr::Evaluate(*node,
                        {.batch = &batch,
                         .compute = &compute,
                         .context = &context,
                         .text = text,
                         .has_codes = std::ranges::any_of(batch.schema()->fields(), is_codes)});
}

}  // namespace tusk::expr
