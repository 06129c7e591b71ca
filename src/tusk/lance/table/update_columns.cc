#include <algorithm>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/fragment_changes.h"
#include "tusk/lance/join_columns.h"
#include "tusk/lance/table/blob_input.h"
#include "tusk/lance/table/blob_thresholds.h"
#include "tusk/lance/table/blob_writer.h"
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

/// What values of the column have to be like.
Status CheckValues(const Dataset::State& state, const Field& field, const Field& value,
                   const arrow::Schema& data, const arrow::Schema& written) {
  ARROW_ASSIGN_OR_RAISE(auto given, ToArrowField(value));
  auto wanted = written.GetFieldByName(value.name)->type();
  bool is_fit = given->type()->Equals(*wanted);
  if (HasBlobs(field)) {
    // Scans give where they lie.
    given = data.GetFieldByName(value.name);
    ARROW_ASSIGN_OR_RAISE(const auto stored, ToArrowField(field));
    wanted = stored->type();
    ARROW_ASSIGN_OR_RAISE(is_fit, CanBeStored(*given, field));
    if (field.is_blob_v2()) ARROW_RETURN_NOT_OK(CheckThresholds(*given, field));
  }
  if (is_fit) return Status::OK();
  return InvalidArgument("cannot update column '", value.name, "' of ", state.location.path,
                         ": it has type ", wanted->ToString(), ", but the data has type ",
                         given->type()->ToString());
}

/// The fields of the table that the data has values for, in the order of the data.
Result<Schema> FindUpdated(const Dataset::State& state, const Schema& values,
                           const arrow::Schema& data, const arrow::Schema& written) {
  Schema updated;
  for (const Field& value : values.fields) {
    const Field* field = state.manifest.schema.FindField(value.name);
    if (field == nullptr) {
      return InvalidArgument("cannot update ", state.location.path, ": it has no column '",
                             value.name, "'");
    }
    ARROW_RETURN_NOT_OK(CheckValues(state, *field, value, data, written));
    updated.fields.push_back(*field);
  }
  return updated;
}

/// All rows of columns of a fragment, deleted ones included, with the values of the data where it
/// has a match, and their addresses. Where a row is deleted, columns of blobs are null if they may.
class CoalescedRows final : public arrow::RecordBatchReader {
 public:
  CoalescedRows(std::shared_ptr<arrow::RecordBatchReader> rows, const RewrittenColumns& written,
                const MergeSource& source, uint64_t fragment, std::string left_on,
                const Schema& updated, JoinMatcher* matcher, const OperationContext& context)
      : rows_(std::move(rows)),
        written_(written),
        source_(source),
        fragment_(fragment),
        left_on_(std::move(left_on)),
        updated_(updated),
        matcher_(matcher),
        context_(context) {
    arrow::FieldVector fields;
    for (const Field& field : updated_.fields) {
      names_.push_back(field.name);
      fields.push_back(written_.schema()->GetFieldByName(field.name));
    }
    fields.push_back(arrow::field(std::string(kRowAddressColumn), arrow::uint64()));
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

  /// Of the last rows that matches were noted of: a scan tells none of deleted ones.
  Result<std::shared_ptr<arrow::Array>> Addresses(int64_t num_rows) const {
    arrow::UInt64Builder addresses(context_.pool);
    ARROW_RETURN_NOT_OK(addresses.Reserve(num_rows));
    for (int64_t offset = offset_ - num_rows; offset < offset_; ++offset) {
      addresses.UnsafeAppend(fragment_ << 32 | static_cast<uint64_t>(offset));
    }
    return addresses.Finish();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Coalesce(const arrow::RecordBatch& batch,
                                                       const std::vector<int64_t>& matches) const {
    ARROW_ASSIGN_OR_RAISE(const auto before, written_.Convert(batch));
    // Rows of the batch, and behind them the rows of the data.
    std::vector<int64_t> found;
    arrow::Int64Builder places(context_.pool);
    arrow::Int64Builder live_places(context_.pool);
    ARROW_RETURN_NOT_OK(places.Reserve(std::ssize(matches)));
    ARROW_RETURN_NOT_OK(live_places.Reserve(std::ssize(matches)));
    const auto row_ids = batch.GetColumnByName(std::string(kRowIdColumn));
    for (int64_t row = 0; row < std::ssize(matches); ++row) {
      const bool is_matched = matches[row] != JoinMatcher::kNone;
      const int64_t place = is_matched ? batch.num_rows() + std::ssize(found) : row;
      places.UnsafeAppend(place);
      if (row_ids->IsNull(row)) {
        live_places.UnsafeAppendNull();
      } else {
        live_places.UnsafeAppend(place);
      }
      if (is_matched) found.push_back(matches[row]);
    }
    ARROW_ASSIGN_OR_RAISE(const auto all, places.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto live, live_places.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto taken, source_.Take(found, names_, context_));
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    for (const Field& field : updated_.fields) {
      ARROW_ASSIGN_OR_RAISE(const auto both,
                            JoinBlobRows(field, before->GetColumnByName(field.name),
                                         taken->GetColumnByName(field.name), context_.pool));
      const auto& numbers = HasBlobs(field) && field.nullable ? live : all;
      ARROW_ASSIGN_OR_RAISE(const auto chosen,
                            TakeRows(both->data(), numbers->data(), context_.pool));
      fields.push_back(schema_->GetFieldByName(field.name)->WithType(chosen->type));
      columns.push_back(arrow::MakeArray(chosen));
    }
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), Addresses(batch.num_rows()));
    fields.push_back(schema_->fields().back());
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(),
                                    std::move(columns));
  }

  const std::shared_ptr<arrow::RecordBatchReader> rows_;
  const RewrittenColumns& written_;
  const MergeSource& source_;
  const uint64_t fragment_;
  const std::string left_on_;
  const Schema& updated_;
  std::vector<std::string> names_;
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
                        RewrittenColumns::Make(state, names, "update", /*keeps_addresses=*/true));
  ARROW_ASSIGN_OR_RAISE(const Schema updated,
                        FindUpdated(state, columns.values, *data->schema(), *written.schema()));
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version,
                        MinorVersionOfRows(state, std::nullopt, "update"));
  ARROW_ASSIGN_OR_RAISE(const auto source,
                        MergeSource::Read(data, columns.all, state.location, minor_version,
                                          JoinColumnsOptions().source_bytes_in_memory, context));
  ARROW_RETURN_NOT_OK(CheckJoinKey(state, *source, left_on, right_on));
  ARROW_ASSIGN_OR_RAISE(const auto matcher, JoinMatcher::Make(*source, right_on, context));
  ARROW_ASSIGN_OR_RAISE(auto scan, ScanFragment(base, fragment, left_on, names, context));
  CoalescedRows rows(std::move(scan), written, *source, fragment, left_on, updated, matcher.get(),
                     context);
  const BlobWriteScope scope{.base_paths = state.manifest.base_paths, .source = &state};
  WriteOptions one_file;
  one_file.max_rows_per_file = one_file.max_bytes_per_file = std::numeric_limits<int64_t>::max();
  ARROW_ASSIGN_OR_RAISE(auto files, WriteFragments(&rows, state.location, updated, minor_version,
                                                   one_file, scope, context));
  if (files.size() != 1 || files[0].physical_rows != before->physical_rows) {
    RemoveDataFiles(state.location, files, context);
    return Corrupt(state.location.path, ": fragment ", fragment, " does not have the ",
                   before->physical_rows, " rows that the manifest says");
  }
  UpdateRows update{.mode = UpdateMode::kRewriteColumns};
  const std::set<int32_t> ids = AllFieldIds(updated.fields);
  update.fields_modified.assign(ids.begin(), ids.end());
  update.updated = {WithColumnFile(*before, std::move(files[0].files[0]), ids)};
  update.updated_offsets = {{fragment, SerializeRoaringBitmap(rows.matched())}};
  return TransactionToJson(
      {.read_version = base.version(), .uuid = RandomUuidString(), .operation = std::move(update)});
}

}  // namespace tusk::lance
