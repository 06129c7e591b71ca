#include "tusk/lance/table/computed_columns.h"

#include <algorithm>
#include <set>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/field_path.h"
#include "tusk/lance/table/dataset_state.h"

namespace tusk::lance {
namespace {

/// A name as SQL has it, whatever characters it has.
std::string Quoted(const std::string& name) {
  std::string quoted = "`";
  for (const char c : name) quoted += c == '`' ? std::string("``") : std::string(1, c);
  return quoted + "`";
}

}  // namespace

arrow::Schema NameableColumns(const Dataset::State& dataset) {
  arrow::FieldVector fields = dataset.all_columns->schema->fields();
  for (const std::string_view name : kSystemColumns) {
    if (dataset.all_columns->schema->GetFieldIndex(std::string(name)) >= 0) continue;
    fields.push_back(arrow::field(std::string(name), arrow::uint64()));
  }
  return arrow::Schema(std::move(fields));
}

Result<std::shared_ptr<const ComputedColumns>> ComputedColumns::Make(
    const Dataset::State& dataset, std::span<const NamedExpression> expressions,
    const OperationContext& context) {
  const arrow::Schema known = NameableColumns(dataset);
  std::vector<std::shared_ptr<const expr::Expression>> parsed;
  std::set<std::string> names;
  std::set<std::string> paths;
  for (const NamedExpression& column : expressions) {
    if (!names.insert(column.name).second) {
      return InvalidArgument("column '", column.name, "' is asked for twice");
    }
    const auto add = [&]() -> Status {
      // Whatever a column is called, its name alone is enough.
      const bool is_name = known.GetFieldIndex(column.expression) >= 0;
      ARROW_ASSIGN_OR_RAISE(
          auto expression,
          expr::Expression::Parse(is_name ? Quoted(column.expression) : column.expression));
      ARROW_ASSIGN_OR_RAISE(const auto read, expression->Paths(known));
      for (const auto& path : read) paths.insert(FormatFieldPath(path));
      parsed.push_back(std::move(expression));
      return Status::OK();
    };
    ARROW_RETURN_NOT_OK(WithContext(add(), "column '" + column.name + "'"));
  }
  auto computed = std::make_shared<ComputedColumns>();
  ARROW_ASSIGN_OR_RAISE(
      computed->read_,
      Projection::MakeNested(dataset, std::vector<std::string>(paths.begin(), paths.end())));
  arrow::FieldVector fields;
  for (size_t i = 0; i < parsed.size(); ++i) {
    auto bound = parsed[i]->Bind(*computed->read_->schema, context);
    if (!bound.ok()) {
      return WithContext(bound.status(), "column '" + expressions[i].name + "'");
    }
    fields.push_back(arrow::field(expressions[i].name, (*bound)->type(), /*nullable=*/true,
                                  (*bound)->metadata()));
    computed->expressions_.push_back(*std::move(bound));
  }
  computed->schema_ = arrow::schema(std::move(fields), dataset.schema->metadata());
  return computed;
}

Result<std::shared_ptr<arrow::RecordBatch>> ComputedColumns::Compute(
    const arrow::RecordBatch& rows, const OperationContext& context) const {
  arrow::ArrayVector columns;
  columns.reserve(expressions_.size());
  for (size_t i = 0; i < expressions_.size(); ++i) {
    auto column = expressions_[i]->Evaluate(rows, context);
    if (!column.ok()) {
      return WithContext(column.status(),
                         "column '" + schema_->field(static_cast<int>(i))->name() + "'");
    }
    columns.push_back(*std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, rows.num_rows(), std::move(columns));
}

}  // namespace tusk::lance
