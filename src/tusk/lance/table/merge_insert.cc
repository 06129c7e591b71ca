#include "tusk/lance/merge_insert.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lance/table/blob_writer.h"
#include "tusk/lance/table/commit_change.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/function_reader.h"
#include "tusk/lance/table/key_filter.h"
#include "tusk/lance/table/merge_columns.h"
#include "tusk/lance/table/merge_join.h"
#include "tusk/lance/table/merge_plan.h"
#include "tusk/lance/table/merge_schema.h"
#include "tusk/lance/table/merge_source.h"
#include "tusk/lance/table/row_change.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

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
  RowChange change;                   ///< if rows are written anew
  std::optional<UpdateRows> columns;  ///< if columns are
  MergeJoin::Counts counts;
};

/// Everything but the source is looked at anew in each attempt. New files are written to `target`,
/// the table.
Result<Merge> WriteMerge(const std::shared_ptr<const Dataset>& dataset, const MergeSource& source,
                         const MergeInsertOptions& options, const io::StorePath& target,
                         const OperationContext& context) {
  const Dataset::State& state = dataset->state();
  const Schema& schema = state.manifest.schema;
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(*dataset));
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version,
                        MinorVersionOfRows(state, options.data_storage_version, "merge into"));
  // Another writer may have changed the columns.
  ARROW_ASSIGN_OR_RAISE(const MergePlan plan, PlanMerge(*dataset, *source.schema(), options));
  const std::vector<std::string>& on = plan.on;
  ARROW_ASSIGN_OR_RAISE(const auto join, MergeJoin::Make(dataset, source, on, options, context));
  if (options.write_mode == MergeWriteMode::kRewriteColumns) {
    ARROW_RETURN_NOT_OK(join->NextMoved());
    Merge merge{.change = {}, .columns = {}, .counts = join->counts()};
    ARROW_ASSIGN_OR_RAISE(
        merge.columns, WriteMatchedColumns(*dataset, source, on, join->TakeMatches(), minor_version,
                                           target, context));
    return merge;
  }

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
    const BlobWriteScope scope{
        .base_paths = state.manifest.base_paths, .source = &state, .targets = options.bases};
    ARROW_ASSIGN_OR_RAISE(merge.change.added, WriteFragments(&rows, target, schema, minor_version,
                                                             WriteOptions(), scope, context));
  } else {
    ARROW_RETURN_NOT_OK(rows.Next());
  }
  merge.counts = join->counts();
  merge.change.gone = join->TakeGone();
  merge.change.moved_ids = join->moved_ids();
  merge.change.inserted_keys = inserted_keys.Serialize();
  merge.change.lock = options.commit_lock;
  merge.change.store = target.store;
  const std::set<int32_t> fields = AllFieldIds(schema.fields);
  merge.change.fields.assign(fields.begin(), fields.end());
  return merge;
}

Transaction ToTransaction(const Dataset& base, UpdateRows columns,
                          const MergeInsertOptions& options) {
  return {.read_version = base.version(),
          .uuid = RandomUuidString(),
          .properties = options.transaction_properties,
          .operation = std::move(columns)};
}

Result<std::shared_ptr<const Dataset>> CommitColumns(const Dataset& base, UpdateRows columns,
                                                     const MergeInsertOptions& options,
                                                     std::shared_ptr<io::ObjectStore> written,
                                                     const OperationContext& context) {
  const Transaction transaction = ToTransaction(base, std::move(columns), options);
  const auto remove_files = [&] {
    RemoveMatchedColumns(base, *transaction.As<UpdateRows>(), context);
  };
  return CommitChange(base, transaction,
                      {.lock = options.commit_lock, .written = std::move(written)}, remove_files,
                      context);
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
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(dataset));
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version,
                        MinorVersionOfRows(state, options.data_storage_version, "merge into"));
  ARROW_ASSIGN_OR_RAISE(const MergePlan plan, PlanMerge(dataset, *source->schema(), options));
  return MergeSource::Read(source, plan.source, state.location, minor_version,
                           options.source_bytes_in_memory, context);
}

}  // namespace

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
    // Nothing is true before the manifest, so all becomes durable with it.
    const io::StorePath target = io::Deferring(table);
    ARROW_ASSIGN_OR_RAISE(Merge merge, WriteMerge(dataset, *rows, options, target, context));
    MergeInsertResult result = ToResult(merge.counts, number);
    auto committed = merge.columns ? CommitColumns(*dataset, *std::move(merge.columns), options,
                                                   target.store, context)
                                   : CommitRowChange(*dataset, std::move(merge.change),
                                                     options.transaction_properties, context);
    ARROW_ASSIGN_OR_RAISE(result.dataset, std::move(committed));
    return result;
  });
}

Result<MergeInsertResult> PrepareMergeInsert(arrow::RecordBatchReader* source,
                                             const io::StorePath& table,
                                             const MergeInsertOptions& options,
                                             const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, context));
  ARROW_ASSIGN_OR_RAISE(const auto rows, ReadSource(source, *dataset, options, context));
  ARROW_ASSIGN_OR_RAISE(Merge merge, WriteMerge(dataset, *rows, options, table, context));
  MergeInsertResult result = ToResult(merge.counts, /*num_attempts=*/1);
  if (merge.columns) {
    result.transaction =
        TransactionToJson(ToTransaction(*dataset, *std::move(merge.columns), options));
    return result;
  }
  ARROW_ASSIGN_OR_RAISE(
      const Transaction transaction,
      WriteRowChange(*dataset, std::move(merge.change), options.transaction_properties, context));
  result.transaction = TransactionToJson(transaction);
  return result;
}

}  // namespace tusk::lance
