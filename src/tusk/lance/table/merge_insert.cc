#include "tusk/lance/merge_insert.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/batch_shaper.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/function_reader.h"
#include "tusk/lance/table/key_filter.h"
#include "tusk/lance/table/merge_join.h"
#include "tusk/lance/table/merge_source.h"
#include "tusk/lance/table/row_change.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

bool EqualInAnyCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// The columns of the primary key in its order.
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

Status CheckColumn(const arrow::Field& column, const Field& field) {
  ARROW_ASSIGN_OR_RAISE(const auto stored, ToArrowField(field));
  if (IsStoredAs(*WithoutViews(column.type()), *stored->type())) return Status::OK();
  return InvalidArgument("cannot merge: column '", field.name, "' should have type ",
                         stored->type()->ToString(), " but has type ", column.type()->ToString());
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
    ARROW_RETURN_NOT_OK(CheckColumn(*column, field));
    matched.fields.push_back(field);
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

/// Takes notice of the keys of rows that are inserted, if they are keys of the primary key: a
/// commit in between may have inserted the same.
class InsertedKeys {
 public:
  InsertedKeys(const Schema& schema, const std::vector<std::string>& on) {
    if (on != PrimaryKey(schema)) return;
    std::vector<int32_t> ids;
    ids.reserve(on.size());
    for (const std::string& name : on) ids.push_back(schema.FindField(name)->id);
    filter_.emplace(std::move(ids));
    on_ = on;
  }
  void Add(const arrow::RecordBatch& rows) {
    if (!filter_) return;
    arrow::ArrayVector columns;
    for (const std::string& name : on_) columns.push_back(rows.GetColumnByName(name));
    for (int64_t row = 0; row < rows.num_rows(); ++row) filter_->Add(columns, row);
  }
  /// Empty if no notice was taken.
  std::string Serialize() const { return filter_ ? filter_->Serialize() : std::string(); }

 private:
  std::optional<KeyFilter> filter_;
  std::vector<std::string> on_;
};

/// What a merge does, with its data files written.
struct Merge {
  RowChange change;
  MergeJoin::Counts counts;
};

/// Everything but the source is looked at anew in each attempt.
Result<Merge> WriteMerge(const std::shared_ptr<const Dataset>& dataset, const MergeSource& source,
                         const MergeInsertOptions& options, const OperationContext& context) {
  const Dataset::State& state = dataset->state();
  const Schema& schema = state.manifest.schema;
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(*dataset));
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version,
                        MinorVersionOfRows(state, options.data_storage_version, "merge into"));
  ARROW_ASSIGN_OR_RAISE(const auto on, FindMergeKey(*dataset, options.on));
  // Another writer may have changed the columns.
  ARROW_RETURN_NOT_OK(MatchSource(*source.schema(), schema, on, options));
  ARROW_ASSIGN_OR_RAISE(const auto join, MergeJoin::Make(dataset, source, on, options, context));

  InsertedKeys inserted_keys(schema, on);
  bool has_moved_all = false;
  FunctionReader rows(join->schema(), [&]() -> Result<std::shared_ptr<arrow::RecordBatch>> {
    if (!has_moved_all) {
      ARROW_ASSIGN_OR_RAISE(auto moved, join->NextMoved());
      if (moved != nullptr) return moved;
      has_moved_all = true;
    }
    ARROW_ASSIGN_OR_RAISE(auto inserted, join->NextInserted());
    if (inserted != nullptr) inserted_keys.Add(*inserted);
    return inserted;
  });
  Merge merge;
  if (options.when_matched == WhenMatched::kUpdate || options.insert_not_matched) {
    ARROW_ASSIGN_OR_RAISE(merge.change.added, WriteFragments(&rows, state.location, schema,
                                                             minor_version, {}, context));
  } else {
    ARROW_RETURN_NOT_OK(rows.Next());
  }
  merge.counts = join->counts();
  merge.change.gone = join->gone();
  merge.change.moved_ids = join->moved_ids();
  merge.change.inserted_keys = inserted_keys.Serialize();
  merge.change.lock = options.commit_lock;
  for (const Field& field : schema.fields) AddFieldIds(field, &merge.change.fields);
  return merge;
}

MergeInsertResult ToResult(const MergeJoin::Counts& counts, int num_attempts) {
  return {.dataset = nullptr,
          .transaction = {},
          .num_inserted_rows = counts.inserted,
          .num_updated_rows = counts.updated,
          .num_deleted_rows = counts.deleted,
          .num_attempts = num_attempts};
}

/// The source, read as what of it `dataset` needs.
Result<std::unique_ptr<MergeSource>> ReadSource(arrow::RecordBatchReader* source,
                                                const Dataset& dataset,
                                                const MergeInsertOptions& options,
                                                const OperationContext& context) {
  const Dataset::State& state = dataset.state();
  ARROW_RETURN_NOT_OK(CheckOptions(options));
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(dataset));
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version,
                        MinorVersionOfRows(state, options.data_storage_version, "merge into"));
  ARROW_ASSIGN_OR_RAISE(const auto on, FindMergeKey(dataset, options.on));
  ARROW_ASSIGN_OR_RAISE(const Schema columns,
                        MatchSource(*source->schema(), state.manifest.schema, on, options));
  return MergeSource::Read(source, columns, state.location, minor_version,
                           options.source_bytes_in_memory, context);
}

}  // namespace

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

Result<MergeInsertResult> MergeInsert(arrow::RecordBatchReader* source, const io::StorePath& table,
                                      const MergeInsertOptions& options,
                                      const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto dataset, Dataset::Open(table, {}, context));
  ARROW_ASSIGN_OR_RAISE(const auto rows, ReadSource(source, *dataset, options, context));
  const RetryLimit limit{.max_retries = options.max_retries, .timeout = options.retry_timeout};
  return RetryConflicts<MergeInsertResult>(limit, [&](int number) -> Result<MergeInsertResult> {
    if (number > 1) {
      ARROW_ASSIGN_OR_RAISE(dataset, Dataset::Open(table, {}, context));
    }
    ARROW_ASSIGN_OR_RAISE(Merge merge, WriteMerge(dataset, *rows, options, context));
    MergeInsertResult result = ToResult(merge.counts, number);
    ARROW_ASSIGN_OR_RAISE(result.dataset, CommitRowChange(*dataset, std::move(merge.change),
                                                          options.transaction_properties, context));
    return result;
  });
}

Result<MergeInsertResult> PrepareMergeInsert(arrow::RecordBatchReader* source,
                                             const io::StorePath& table,
                                             const MergeInsertOptions& options,
                                             const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, context));
  ARROW_ASSIGN_OR_RAISE(const auto rows, ReadSource(source, *dataset, options, context));
  ARROW_ASSIGN_OR_RAISE(Merge merge, WriteMerge(dataset, *rows, options, context));
  MergeInsertResult result = ToResult(merge.counts, /*num_attempts=*/1);
  ARROW_ASSIGN_OR_RAISE(
      const Transaction transaction,
      WriteRowChange(*dataset, std::move(merge.change), options.transaction_properties, context));
  result.transaction = TransactionToJson(transaction);
  return result;
}

}  // namespace tusk::lance
