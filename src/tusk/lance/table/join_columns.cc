#include "tusk/lance/join_columns.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/file/batch_shaper.h"
#include "tusk/lance/file/writer.h"
#include "tusk/lance/fragment_changes.h"
#include "tusk/lance/table/blob_writer.h"
#include "tusk/lance/table/commit_change.h"
#include "tusk/lance/table/computed_columns.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/function_reader.h"
#include "tusk/lance/table/join_matches.h"
#include "tusk/lance/table/merge_schema.h"
#include "tusk/lance/table/merge_source.h"
#include "tusk/lance/table/projection.h"
#include "tusk/lance/table/row_change.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

/// `added` with ids that the table has not given yet. InvalidArgument if it has such a column.
Result<Schema> NumberColumns(Schema added, const Dataset::State& state) {
  int32_t next_id = NextFieldId(state.manifest);
  for (Field& field : added.fields) {
    if (state.manifest.schema.FindField(field.name) != nullptr) {
      return InvalidArgument("cannot join: ", state.location.path, " has a column '", field.name,
                             "' already: rename that of the data");
    }
    if (field.name.find('.') != std::string::npos ||
        NameableColumns(state).GetFieldIndex(field.name) >= 0) {
      return InvalidArgument("cannot join: no column of a table can have the name '", field.name,
                             "'");
    }
    AssignIds(&field, /*parent_id=*/-1, &next_id);
  }
  return added;
}

/// These columns of the rows of the data; nulls where there is no row.
Result<std::shared_ptr<arrow::RecordBatch>> TakeMatches(const MergeSource& source,
                                                        const std::vector<int64_t>& matches,
                                                        const std::vector<std::string>& names,
                                                        const OperationContext& context) {
  std::vector<int64_t> found;
  arrow::Int64Builder places(context.pool);
  ARROW_RETURN_NOT_OK(places.Reserve(std::ssize(matches)));
  for (const int64_t match : matches) {
    if (match == JoinMatcher::kNone) {
      places.UnsafeAppendNull();
    } else {
      places.UnsafeAppend(std::ssize(found));
      found.push_back(match);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto taken, source.Take(found, names, context));
  if (found.size() == matches.size()) return taken;
  ARROW_ASSIGN_OR_RAISE(const auto numbers, places.Finish());
  arrow::ArrayVector columns;
  for (const auto& column : taken->columns()) {
    ARROW_ASSIGN_OR_RAISE(const auto placed,
                          TakeRows(column->data(), numbers->data(), context.pool));
    columns.push_back(arrow::MakeArray(placed));
  }
  return arrow::RecordBatch::Make(taken->schema(), std::ssize(matches), std::move(columns));
}

/// Writes the new columns of one fragment, deleted rows included, to `target`, the table. Gives the
/// file alone, as a fragment.
Result<Fragment> WriteColumns(const Dataset& dataset, const Fragment& fragment,
                              const MergeSource& source, const std::string& left_on,
                              const Schema& added, uint16_t minor_version, JoinMatcher* matcher,
                              const io::StorePath& target, const OperationContext& context) {
  ScanOptions scan;
  scan.columns = {left_on};
  scan.fragments = {fragment.id};
  scan.include_deleted_rows = true;
  scan.with_row_id = true;  // which tells deleted rows apart
  ARROW_ASSIGN_OR_RAISE(const auto keys, dataset.Scan(scan, context));
  std::vector<std::string> names;
  arrow::FieldVector fields;
  for (const Field& field : added.fields) {
    names.push_back(field.name);
    fields.push_back(source.schema()->GetFieldByName(field.name));
  }
  FunctionReader rows(
      arrow::schema(std::move(fields)), [&]() -> Result<std::shared_ptr<arrow::RecordBatch>> {
        ARROW_ASSIGN_OR_RAISE(const auto batch, keys->Next());
        if (batch == nullptr) return nullptr;
        ARROW_ASSIGN_OR_RAISE(const auto matches,
                              matcher->Match(batch->GetColumnByName(left_on), context));
        return TakeMatches(source, matches, names, context);
      });
  constexpr int64_t kOneFile = std::numeric_limits<int64_t>::max();
  const WriteOptions options{.max_rows_per_file = kOneFile, .max_bytes_per_file = kOneFile};
  const BlobWriteScope scope{.base_paths = dataset.state().manifest.base_paths};
  ARROW_ASSIGN_OR_RAISE(
      auto written, WriteFragments(&rows, target, added, minor_version, options, scope, context));
  if (written.size() == 1 && written[0].physical_rows == fragment.physical_rows) {
    return std::move(written[0]);
  }
  RemoveDataFiles(dataset.state().location, written, context);
  return Corrupt(dataset.state().location.path, ": fragment ", fragment.id, " does not have the ",
                 fragment.physical_rows, " rows that the manifest says");
}

/// Puts the new fields behind those of the table.
void AddFields(const Schema& added, MergeColumns* merge) {
  auto& fields = merge->schema.fields;
  fields.insert(fields.end(), added.fields.begin(), added.fields.end());
  merge->preserves_nullability = std::ranges::all_of(added.fields, &Field::nullable);
}

/// The change of one attempt, with its files written. What was written stands in `files`, also
/// after an error.
Result<MergeColumns> WriteAllColumns(const Dataset& dataset, const MergeSource& source,
                                     const Schema& added, const std::string& left_on,
                                     const std::string& right_on, const io::StorePath& target,
                                     std::vector<Fragment>* files,
                                     const OperationContext& context) {
  const Dataset::State& state = dataset.state();
  ARROW_RETURN_NOT_OK(CheckJoinKey(state, source, left_on, right_on));
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version,
                        MinorVersionOfRows(state, std::nullopt, "add columns to"));
  ARROW_RETURN_NOT_OK(CheckWritable(added, minor_version));
  ARROW_ASSIGN_OR_RAISE(const auto matcher, JoinMatcher::Make(source, right_on, context));
  MergeColumns merge{.fragments = state.manifest.fragments, .schema = state.manifest.schema};
  for (Fragment& fragment : merge.fragments) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    // By its place in the dataset a fragment is known to what reads it.
    const auto place = &fragment - merge.fragments.data();
    ARROW_ASSIGN_OR_RAISE(Fragment written,
                          WriteColumns(dataset, state.manifest.fragments[place], source, left_on,
                                       added, minor_version, matcher.get(), target, context));
    fragment.files.push_back(written.files[0]);
    files->push_back(std::move(written));
  }
  AddFields(added, &merge);
  return merge;
}

Result<std::shared_ptr<const Dataset>> TryToJoin(const io::StorePath& table,
                                                 const MergeSource& source, const Schema& columns,
                                                 const std::string& left_on,
                                                 const std::string& right_on,
                                                 const JoinColumnsOptions& options,
                                                 const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, context));
  const Dataset::State& state = dataset->state();
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(*dataset));
  ARROW_ASSIGN_OR_RAISE(const Schema added, NumberColumns(columns, state));
  std::vector<Fragment> files;
  const io::StorePath target = io::Deferring(table);
  auto merge = WriteAllColumns(*dataset, source, added, left_on, right_on, target, &files, context);
  if (!merge.ok()) {
    RemoveDataFiles(table, files, context);
    return merge.status();
  }
  const Transaction transaction{.read_version = state.manifest.version,
                                .uuid = RandomUuidString(),
                                .properties = options.transaction_properties,
                                .operation = *std::move(merge)};
  return CommitChange(
      *dataset, transaction, {.lock = options.commit_lock, .written = target.store},
      [&] { RemoveDataFiles(table, files, context); }, context);
}

}  // namespace

Result<std::shared_ptr<const Dataset>> JoinColumns(arrow::RecordBatchReader* data,
                                                   const io::StorePath& table,
                                                   const std::string& left_on,
                                                   const std::string& right_on,
                                                   const JoinColumnsOptions& options,
                                                   const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, context));
  ARROW_ASSIGN_OR_RAISE(const JoinedColumns columns,
                        JoinedColumns::Split(*data->schema(), right_on));
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version,
                        MinorVersionOfRows(dataset->state(), std::nullopt, "add columns to"));
  ARROW_ASSIGN_OR_RAISE(const auto source,
                        MergeSource::Read(data, columns.all, table, minor_version,
                                          options.source_bytes_in_memory, context));
  if (source->num_rows() == 0) return InvalidArgument("cannot join: the data has no rows");
  const RetryLimit limit{.max_retries = options.max_retries, .timeout = options.retry_timeout};
  return RetryConflicts<std::shared_ptr<const Dataset>>(limit, [&](int /*number*/) {
    return TryToJoin(table, *source, columns.values, left_on, right_on, options, context);
  });
}

Result<std::string> JoinFragmentColumns(const Dataset& base, uint64_t fragment,
                                        arrow::RecordBatchReader* data, const std::string& left_on,
                                        const std::string& right_on,
                                        const OperationContext& context) {
  const Dataset::State& state = base.state();
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(base));
  ARROW_ASSIGN_OR_RAISE(const Fragment* before, FindFragment(state, fragment));
  ARROW_ASSIGN_OR_RAISE(const JoinedColumns columns,
                        JoinedColumns::Split(*data->schema(), right_on));
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version,
                        MinorVersionOfRows(state, std::nullopt, "add columns to"));
  ARROW_ASSIGN_OR_RAISE(const auto source,
                        MergeSource::Read(data, columns.all, state.location, minor_version,
                                          JoinColumnsOptions().source_bytes_in_memory, context));
  ARROW_RETURN_NOT_OK(CheckJoinKey(state, *source, left_on, right_on));
  ARROW_ASSIGN_OR_RAISE(const Schema added, NumberColumns(columns.values, state));
  ARROW_RETURN_NOT_OK(CheckWritable(added, minor_version));
  ARROW_ASSIGN_OR_RAISE(const auto matcher, JoinMatcher::Make(*source, right_on, context));
  ARROW_ASSIGN_OR_RAISE(const Fragment written,
                        WriteColumns(base, *before, *source, left_on, added, minor_version,
                                     matcher.get(), state.location, context));
  MergeColumns merge{.fragments = {*before}, .schema = state.manifest.schema};
  merge.fragments[0].files.push_back(written.files[0]);
  AddFields(added, &merge);
  return TransactionToJson(
      {.read_version = base.version(), .uuid = RandomUuidString(), .operation = std::move(merge)});
}

}  // namespace tusk::lance
