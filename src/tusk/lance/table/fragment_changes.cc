#include "tusk/lance/fragment_changes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/lance/file/batch_shaper.h"
#include "tusk/lance/file/physical_column.h"
#include "tusk/lance/table/column_files.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/find_rows.h"
#include "tusk/lance/table/merge_schema.h"
#include "tusk/lance/table/row_change.h"
#include "tusk/lance/table/target_folders.h"
#include "tusk/lance/table/transaction_json.h"

namespace tusk::lance {
namespace {

Result<AffectedRows> RowsAt(const Fragment& fragment, std::span<const int64_t> offsets) {
  std::vector<int64_t> ascending(offsets.begin(), offsets.end());
  std::ranges::sort(ascending);
  const auto repeated = std::ranges::unique(ascending);
  ascending.erase(repeated.begin(), repeated.end());
  AffectedRows rows;
  for (const int64_t offset : ascending) {
    if (offset < 0 || offset >= fragment.physical_rows) {
      return InvalidArgument("cannot delete the row at offset ", offset, " of fragment ",
                             fragment.id, ": it has ", fragment.physical_rows,
                             " rows, deleted ones included");
    }
    ARROW_RETURN_NOT_OK(rows[fragment.id].Add(offset, offset + 1));
  }
  return rows;
}

/// The ids of the fields that have the columns of a file, in the order of these.
Status AddColumnsOf(const FileReader::Column& column, const Field& field, uint16_t minor_version,
                    DataFile* file) {
  ARROW_ASSIGN_OR_RAISE(const auto stored, ToArrowField(column.field));
  ARROW_ASSIGN_OR_RAISE(const auto wanted, ToArrowField(field));
  const auto physical = PhysicalColumns(field, minor_version);
  if (!IsStoredAs(*stored->type(), *wanted->type()) || physical.size() != column.columns.size()) {
    return InvalidArgument("column '", field.name, "' has type ", stored->type()->ToString(),
                           " in the file and ", wanted->type()->ToString(), " in the table");
  }
  for (size_t i = 0; i < physical.size(); ++i) {
    file->field_ids.push_back(physical[i].field->id);
    file->column_indices.push_back(column.columns[i]);
  }
  return Status::OK();
}

/// The name of a field as a path.
std::string Quoted(const std::string& name) {
  std::string path = "`";
  for (const char c : name) path.append(c == '`' ? 2 : 1, c);
  return path + "`";
}

}  // namespace

Result<const Fragment*> FindFragment(const Dataset::State& state, uint64_t id) {
  const auto& fragments = state.manifest.fragments;
  const auto found = std::ranges::find(fragments, id, &Fragment::id);
  if (found != fragments.end()) return &*found;
  return InvalidArgument(state.location.path, ": version ", state.manifest.version,
                         " has no fragment ", id);
}

Result<std::string> AddFragmentColumns(const Dataset& base, uint64_t fragment,
                                       arrow::RecordBatchReader* data,
                                       const ChangeColumnsOptions& options,
                                       const OperationContext& context) {
  const Dataset::State& state = base.state();
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(base));
  ARROW_ASSIGN_OR_RAISE(const Fragment* before, FindFragment(state, fragment));
  ARROW_ASSIGN_OR_RAISE(const Schema more, Schema::FromArrow(*data->schema()));
  ARROW_ASSIGN_OR_RAISE(MergedSchema merged,
                        MergeSchemas(state.manifest.schema, more, NextFieldId(state.manifest)));
  if (merged.added.fields.empty()) return InvalidArgument("there is no column to add");
  ARROW_ASSIGN_OR_RAISE(
      const uint16_t minor_version,
      MinorVersionOfRows(state, options.data_storage_version, "write columns of"));
  MergeColumns merge{.fragments = {*before},
                     .schema = std::move(merged.schema),
                     .preserves_nullability = merged.preserves_nullability};
  ARROW_ASSIGN_OR_RAISE(
      merge.fragments[0].files.emplace_back(),
      WriteColumnFile(data, state, *before, merged.added, minor_version, state.location, context));
  return TransactionToJson({.read_version = base.version(),
                            .uuid = RandomUuidString(),
                            .properties = options.transaction_properties,
                            .operation = std::move(merge)});
}

Result<std::string> DeleteFragmentRows(const Dataset& base, uint64_t fragment,
                                       const std::shared_ptr<const expr::Filter>& filter,
                                       std::span<const int64_t> offsets,
                                       const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(base));
  ARROW_ASSIGN_OR_RAISE(const Fragment* before, FindFragment(base.state(), fragment));
  RowChange change;
  change.predicate = filter == nullptr ? "" : filter->ToString();
  ARROW_ASSIGN_OR_RAISE(change.gone, filter == nullptr
                                         ? RowsAt(*before, offsets)
                                         : FindRows(base, filter, std::vector{fragment}, context));
  if (change.gone.empty()) {
    return TransactionToJson(
        {.read_version = base.version(),
         .uuid = RandomUuidString(),
         .operation = DeleteRowsOp{.updated = {*before}, .removed = {}, .predicate = ""}});
  }
  ARROW_ASSIGN_OR_RAISE(const Transaction transaction,
                        WriteRowChange(base, std::move(change), {}, context));
  return TransactionToJson(transaction);
}

Result<std::string> DescribeDataFile(const Dataset& base, std::string_view path,
                                     const OperationContext& context) {
  return DescribeDataFile(base, path, /*base_id=*/std::nullopt, context);
}

Result<std::string> DescribeDataFile(const Dataset& base, std::string_view path,
                                     std::optional<uint32_t> base_id,
                                     const OperationContext& context) {
  const Dataset::State& state = base.state();
  const auto folder = FindDataFolder(state.location, state.manifest.base_paths, base_id);
  if (!folder.ok()) return InvalidArgument(folder.status().message());
  ARROW_ASSIGN_OR_RAISE(const io::StorePath location, io::ResolveBelow(folder->place, path));
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        FileReader::Open(location.store.get(), location.path, context));
  std::vector<std::string> paths;
  for (const Field& field : reader->schema().fields) paths.push_back(Quoted(field.name));
  ARROW_ASSIGN_OR_RAISE(const auto columns, reader->FindColumns(paths));
  Fragment fragment;
  fragment.physical_rows = reader->num_rows();
  DataFile& file = fragment.files.emplace_back();
  file.path = path;
  file.base_id = base_id;
  file.major_version = 2;
  file.minor_version = reader->minor_version();
  file.size_bytes = static_cast<uint64_t>(reader->file_size());
  for (const FileReader::Column& column : columns) {
    const Field* field = state.manifest.schema.FindField(column.field.name);
    if (field == nullptr) {
      return InvalidArgument(location.path, " has a column '", column.field.name,
                             "', which the table does not have");
    }
    const Status added = AddColumnsOf(column, *field, reader->minor_version(), &file);
    if (!added.ok()) return WithContext(added, location.path);
  }
  return FragmentToJson(fragment);
}

}  // namespace tusk::lance
