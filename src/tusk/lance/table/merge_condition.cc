#include "tusk/lance/table/merge_condition.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace tusk::lance {
namespace {

/// A row as one column. Any of its values may be null, whatever its table says of itself.
std::shared_ptr<arrow::Field> AsColumn(const std::string& name, const arrow::Schema& columns,
                                       const std::vector<std::string>& names) {
  arrow::FieldVector fields;
  for (const std::string& column : names) {
    fields.push_back(columns.GetFieldByName(column)->WithNullable(true));
  }
  return arrow::field(name, arrow::struct_(fields), /*nullable=*/false);
}

/// The columns below `side` that `paths` go to; all if one goes to the row itself.
std::vector<std::string> ColumnsOf(const std::vector<std::vector<std::string>>& paths,
                                   const std::string& side, const arrow::Schema& all) {
  std::vector<std::string> names;
  for (const std::vector<std::string>& path : paths) {
    if (path.front() != side) continue;
    if (path.size() == 1) return all.field_names();
    if (std::ranges::find(names, path[1]) == names.end()) names.push_back(path[1]);
  }
  return names;
}

Result<std::shared_ptr<arrow::Array>> ToStruct(const arrow::Field& field,
                                               const arrow::RecordBatch& rows) {
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (const auto& child : field.type()->fields()) {
    children.push_back(rows.GetColumnByName(child->name())->data());
  }
  return arrow::MakeArray(arrow::ArrayData::Make(field.type(), rows.num_rows(), {nullptr},
                                                 std::move(children), /*null_count=*/0));
}

}  // namespace

Result<MergeCondition> MergeCondition::Make(const expr::Filter& filter, const arrow::Schema& source,
                                            const arrow::Schema& target,
                                            const OperationContext& context) {
  MergeCondition condition;
  const arrow::Schema all({AsColumn("source", source, source.field_names()),
                           AsColumn("target", target, target.field_names())});
  ARROW_ASSIGN_OR_RAISE(const auto paths, filter.Paths(all));
  condition.source_columns_ = ColumnsOf(paths, "source", source);
  condition.target_columns_ = ColumnsOf(paths, "target", target);
  condition.schema_ = arrow::schema({AsColumn("source", source, condition.source_columns_),
                                     AsColumn("target", target, condition.target_columns_)});
  ARROW_ASSIGN_OR_RAISE(condition.bound_, filter.Bind(*condition.schema_, context));
  return condition;
}

Result<std::shared_ptr<arrow::BooleanArray>> MergeCondition::Judge(
    const arrow::RecordBatch& source, const arrow::RecordBatch& target,
    const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(auto source_column, ToStruct(*schema_->field(0), source));
  ARROW_ASSIGN_OR_RAISE(auto target_column, ToStruct(*schema_->field(1), target));
  const auto pairs = arrow::RecordBatch::Make(schema_, source.num_rows(),
                                              {std::move(source_column), std::move(target_column)});
  return bound_->Judge(*pairs, context);
}

}  // namespace tusk::lance
