#include "tusk/lance/table/merge_plan.h"

#include <algorithm>
#include <cctype>

#include <arrow/type.h>

#include "tusk/lance/file/batch_shaper.h"
#include "tusk/lance/table/blob_input.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/merge_columns.h"
#include "tusk/lance/table/partial_struct.h"

namespace tusk::lance {
namespace {

bool EqualInAnyCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// What of the field the source brings in this column.
Result<Field> MatchColumn(const arrow::Field& column, const Field& field, bool may_be_part) {
  ARROW_ASSIGN_OR_RAISE(const bool can_be_stored, CanBeStored(column, field));
  if (can_be_stored) return field;
  ARROW_ASSIGN_OR_RAISE(const auto stored, ToArrowField(field));
  const auto given = WithoutViews(column.type());
  if (may_be_part && IsPartOf(*given, *stored->type())) return PartOf(field, *given);
  return InvalidArgument("cannot merge: column '", field.name, "' should have type ",
                         stored->type()->ToString(), " but has type ", column.type()->ToString());
}

/// OK unless a field that must not be null is none of `part`.
Status CheckInsertable(const Field& part, const Field& whole, const std::string& path) {
  for (const Field& child : whole.children) {
    const auto found = std::ranges::find(part.children, child.name, &Field::name);
    const std::string child_path = path + "." + child.name;
    if (found != part.children.end()) {
      ARROW_RETURN_NOT_OK(CheckInsertable(*found, child, child_path));
    } else if (!child.nullable) {
      return InvalidArgument("cannot merge: rows are to be inserted, but the source has no field '",
                             child_path, "', which must not be null");
    }
  }
  return Status::OK();
}

/// The fields of the table that the source brings and that are needed of it, in the table's order.
Result<Schema> MatchSource(const arrow::Schema& source, const Schema& table,
                           const std::vector<std::string>& on, const MergeInsertOptions& options) {
  const bool writes = options.when_matched == WhenMatched::kUpdate || options.insert_not_matched;
  Schema matched;
  for (const Field& field : table.fields) {
    const bool is_key = std::ranges::find(on, field.name) != on.end();
    const auto column = source.GetFieldByName(field.name);
    if (column == nullptr && is_key) {
      return InvalidArgument("cannot merge: the source has no column '", field.name,
                             "', or several, and it is part of the key");
    }
    if (column == nullptr && options.insert_not_matched && !field.nullable) {
      return InvalidArgument(
          "cannot merge: rows are to be inserted, but the source has no column '", field.name,
          "', which must not be null");
    }
    if (column == nullptr || (!writes && !is_key)) continue;
    const bool may_be_part = !is_key && options.write_mode == MergeWriteMode::kRewriteRows;
    ARROW_ASSIGN_OR_RAISE(Field part, MatchColumn(*column, field, may_be_part));
    if (options.insert_not_matched) ARROW_RETURN_NOT_OK(CheckInsertable(part, field, field.name));
    matched.fields.push_back(std::move(part));
  }
  for (const auto& column : source.fields()) {
    if (writes && table.FindField(column->name()) == nullptr) {
      return InvalidArgument("cannot merge: the table has no column '", column->name(), "'");
    }
  }
  return matched;
}

Status CheckOptions(const MergeInsertOptions& options) {
  if (!options.insert_not_matched && options.when_matched == WhenMatched::kKeep &&
      !options.delete_not_matched_by_source) {
    return InvalidArgument(
        "the merge would change nothing: say what becomes of rows that match "
        "or of those that do not");
  }
  if (options.update_condition != nullptr && options.when_matched != WhenMatched::kUpdate) {
    return InvalidArgument("a condition for updates is given, but no row is to be updated");
  }
  if (options.delete_condition != nullptr && !options.delete_not_matched_by_source) {
    return InvalidArgument("a condition for deletions is given, but no row is to be deleted");
  }
  return Status::OK();
}

}  // namespace

std::vector<std::string> PrimaryKey(const Schema& schema) {
  std::vector<const Field*> fields;
  for (const Field& field : schema.fields) {
    if (field.unenforced_primary_key) fields.push_back(&field);
  }
  std::ranges::stable_sort(fields, {}, &Field::unenforced_primary_key_position);
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const Field* field : fields) names.push_back(field->name);
  return names;
}

Result<std::vector<std::string>> FindMergeKey(const Dataset& table,
                                              const std::vector<std::string>& on) {
  const Schema& schema = table.state().manifest.schema;
  if (on.empty()) {
    auto key = PrimaryKey(schema);
    if (!key.empty()) return key;
    return InvalidArgument("cannot merge into ", table.uri(),
                           ": it has no primary key: name the columns to join on");
  }
  std::vector<std::string> names;
  for (const std::string& asked : on) {
    const Field* found = schema.FindField(asked);
    for (const Field& field : schema.fields) {
      if (found == nullptr && EqualInAnyCase(field.name, asked)) found = &field;
    }
    if (found == nullptr) {
      return InvalidArgument("cannot merge into ", table.uri(), ": it has no column '", asked,
                             "' to join on");
    }
    if (std::ranges::find(names, found->name) == names.end()) names.push_back(found->name);
  }
  return names;
}

Result<MergePlan> PlanMerge(const Dataset& table, const arrow::Schema& source,
                            const MergeInsertOptions& options) {
  const Schema& schema = table.state().manifest.schema;
  ARROW_RETURN_NOT_OK(CheckOptions(options));
  MergePlan plan;
  ARROW_ASSIGN_OR_RAISE(plan.on, FindMergeKey(table, options.on));
  ARROW_ASSIGN_OR_RAISE(plan.source, MatchSource(source, schema, plan.on, options));
  if (options.write_mode == MergeWriteMode::kRewriteColumns) {
    ARROW_RETURN_NOT_OK(CheckColumnsCanChange(schema, plan.source, plan.on, options));
  }
  return plan;
}

}  // namespace tusk::lance
