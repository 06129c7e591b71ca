#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/fragment_changes.h"
#include "tusk/lance/join_columns.h"
#include "tusk/lance/table/column_files.h"
#include "tusk/lance/table/join_matches.h"
#include "tusk/lance/table/merge_schema.h"
#include "tusk/lance/table/projection.h"
#include "tusk/lance/table/rewritten_columns.h"
#include "tusk/lance/table/row_change.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

/// The fields of the table that the data has values for, in the order of the data.
Result<Schema> FindUpdated(const Dataset::State& state, const Schema& values,
                           const arrow::Schema& written) {
  Schema updated;
  for (const Field& value : values.fields) {
    const Field* field = state.manifest.schema.FindField(value.name);
    if (field == nullptr) {
      return InvalidArgument("cannot update ", state.location.path, ": it has no column '",
                             value.name, "'");
    }
    ARROW_ASSIGN_OR_RAISE(const auto given, ToArrowField(value));
    const auto& wanted = written.GetFieldByName(value.name)->type();
    if (!given->type()->Equals(*wanted)) {
      return InvalidArgument("cannot update column '", value.name, "' of ", state.location.path,
                             ": it has type ", wanted->ToString(), ", but the data has type ",
                             given->type()->ToString());
    }
    updated.fields.push_back(*field);
  }
  return updated;
}

/// All rows of columns of a fragment, deleted ones included, with the values of the data where it
/// has a match.
class CoalescedRows final : public arrow::RecordBatchReader {
 public:
  CoalescedRows(std::shared_ptr<arrow::RecordBatchReader> rows, const RewrittenColumns& written,
                const MergeSource& source, std::string left_on, std::vector<std::string> names,
                JoinMatcher* matcher, const OperationContext& context)
      : rows_(std::move(rows)),
        written_(written),
        source_(source),
        left_on_(std::move(left_on)),
        names_(std::move(names)),
        matcher_(matcher),
        context_(context) {
    arrow::FieldVector fields;
    for (const std::string& name : names_)
      fields.push_back(written_.schema()->GetFieldByName(name));
    schema_ = arrow::schema(std::move(fields));
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    ARROW_RETURN_NOT_OK(rows_->ReadNext(out));
    if (*out == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto matches,
                          matcher_->Match((*out)->GetColumnByName(left_on_), context_));
    const auto row_ids = (*out)->GetColumnByName(std::string(kRowIdColumn));
    ARROW_RETURN_NOT_OK(NoteMatches(matches, *row_ids));
    return Coalesce(**out, matches).Value(out);
  }

  /// The offsets of rows with a match that are not deleted, of those that it gave.
  const DeletedRows& matched() const { return matched_; }

 private:
  Status NoteMatches(const std::vector<int64_t>& matches, const arrow::Array& row_ids) {
    for (int64_t row = 0; row < std::ssize(matches); ++row, ++offset_) {
      if (matches[row] == JoinMatcher::kNone || row_ids.IsNull(row)) continue;
      ARROW_RETURN_NOT_OK(matched_.Add(offset_, offset_ + 1));
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Coalesce(const arrow::RecordBatch& batch,
                                                       const std::vector<int64_t>& matches) const {
    ARROW_ASSIGN_OR_RAISE(const auto before, written_.Convert(batch));
    // Rows of the batch, and behind them the rows of the data.
    std::vector<int64_t> found;
    arrow::Int64Builder places(context_.pool);
    ARROW_RETURN_NOT_OK(places.Reserve(std::ssize(matches)));
    for (int64_t row = 0; row < std::ssize(matches); ++row) {
      const bool is_matched = matches[row] != JoinMatcher::kNone;
      places.UnsafeAppend(is_matched ? batch.num_rows() + std::ssize(found) : row);
      if (is_matched) found.push_back(matches[row]);
    }
    ARROW_ASSIGN_OR_RAISE(const auto numbers, places.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto taken, source_.Take(found, names_, context_));
    arrow::ArrayVector columns;
    for (const std::string& name : names_) {
      ARROW_ASSIGN_OR_RAISE(const auto both, arrow::Concatenate({before->GetColumnByName(name),
                                                                 taken->GetColumnByName(name)},
                                                                context_.pool));
      ARROW_ASSIGN_OR_RAISE(const auto chosen,
                            TakeRows(both->data(), numbers->data(), context_.pool));
      columns.push_back(arrow::MakeArray(chosen));
    }
    return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
  }

  const std::shared_ptr<arrow::RecordBatchReader> rows_;
  const RewrittenColumns& written_;
  const MergeSource& source_;
  const std::string left_on_;
  const std::vector<std::string> names_;
  JoinMatcher* const matcher_;
  const OperationContext& context_;
  std::shared_ptr<arrow::Schema> schema_;
  DeletedRows matched_;
  int64_t offset_ = 0;
};

/// The rows of a fragment, deleted ones included, with what their update needs.
Result<std::shared_ptr<arrow::RecordBatchReader>> ScanFragment(
    const Dataset& base, uint64_t fragment, const std::string& left_on,
    const std::vector<std::string>& names, const OperationContext& context) {
  ScanOptions scan;
  scan.columns = names;
  if (left_on != kRowIdColumn && std::ranges::find(names, left_on) == names.end()) {
    scan.columns->push_back(left_on);
  }
  scan.fragments = {fragment};
  scan.include_deleted_rows = true;
  scan.with_row_id = true;
  return base.Scan(scan, context);
}

}  // namespace

Result<std::string> UpdateFragmentColumns(const Dataset& base, uint64_t fragment,
                                          arrow::RecordBatchReader* data,
                                          const std::string& left_on, const std::string& right_on,
                                          const OperationContext& context) {
  const Dataset::State& state = base.state();
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(base));
  ARROW_ASSIGN_OR_RAISE(const Fragment* before, FindFragment(state, fragment));
  ARROW_ASSIGN_OR_RAISE(const JoinedColumns columns,
                        JoinedColumns::Split(*data->schema(), right_on));
  std::vector<std::string> names;
  names.reserve(columns.values.fields.size());
  for (const Field& field : columns.values.fields) names.push_back(field.name);
  for (const std::string& name : names) {
    if (state.manifest.schema.FindField(name) == nullptr) {
      return InvalidArgument("cannot update ", state.location.path, ": it has no column '", name,
                             "'");
    }
  }
  ARROW_ASSIGN_OR_RAISE(const RewrittenColumns written,
                        RewrittenColumns::Make(state, names, "update"));
  ARROW_ASSIGN_OR_RAISE(const Schema updated,
                        FindUpdated(state, columns.values, *written.schema()));
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version,
                        MinorVersionOfRows(state, std::nullopt, "update"));
  ARROW_ASSIGN_OR_RAISE(const auto source,
                        MergeSource::Read(data, columns.all, state.location, minor_version,
                                          JoinColumnsOptions().source_bytes_in_memory, context));
  ARROW_RETURN_NOT_OK(CheckJoinKey(state, *source, left_on, right_on));
  ARROW_ASSIGN_OR_RAISE(const auto matcher, JoinMatcher::Make(*source, right_on, context));
  ARROW_ASSIGN_OR_RAISE(auto scan, ScanFragment(base, fragment, left_on, names, context));
  CoalescedRows rows(std::move(scan), written, *source, left_on, names, matcher.get(), context);
  WriteOptions one_file;
  one_file.max_rows_per_file = one_file.max_bytes_per_file = std::numeric_limits<int64_t>::max();
  ARROW_ASSIGN_OR_RAISE(
      auto files, WriteFragments(&rows, state.location, updated, minor_version, one_file, context));
  if (files.size() != 1 || files[0].physical_rows != before->physical_rows) {
    RemoveDataFiles(state.location, files, context);
    return Corrupt(state.location.path, ": fragment ", fragment, " does not have the ",
                   before->physical_rows, " rows that the manifest says");
  }
  UpdateRows update{.mode = UpdateMode::kRewriteColumns};
  for (const Field& field : updated.fields) AddFieldIds(field, &update.fields_modified);
  update.updated = {WithColumnFile(*before, std::move(files[0].files[0]), AllFieldIds(updated))};
  update.updated_offsets = {{fragment, SerializeRoaringBitmap(rows.matched())}};
  return TransactionToJson(
      {.read_version = base.version(), .uuid = RandomUuidString(), .operation = std::move(update)});
}

}  // namespace tusk::lance
