#include "tusk/lance/update_values.h"

#include <algorithm>
#include <span>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/expr/expression.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lance/table/blob_input.h"
#include "tusk/lance/table/blob_writer.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/merge_schema.h"
#include "tusk/lance/table/projection.h"
#include "tusk/lance/table/rewritten_columns.h"
#include "tusk/lance/table/row_change.h"
#include "tusk/lance/table/row_map.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

/// The rows that change, with their new values, as they are to be written.
class UpdatedRows final : public arrow::RecordBatchReader {
 public:
  static Result<std::unique_ptr<UpdatedRows>> Make(
      const std::shared_ptr<const Dataset>& dataset, const std::vector<NamedExpression>& values,
      const std::shared_ptr<const expr::Filter>& filter, const OperationContext& context) {
    const Dataset::State& state = dataset->state();
    auto rows = std::unique_ptr<UpdatedRows>(new UpdatedRows(state, context));
    ARROW_ASSIGN_OR_RAISE(rows->written_,
                          RewrittenColumns::Make(state, state.schema->field_names(), "update",
                                                 /*keeps_addresses=*/true));
    const auto address = arrow::field(std::string(kRowAddressColumn), arrow::uint64());
    ARROW_ASSIGN_OR_RAISE(rows->with_address_, rows->written_.schema()->AddField(
                                                   rows->written_.schema()->num_fields(), address));
    for (const NamedExpression& value : values) ARROW_RETURN_NOT_OK(rows->AddValue(value));
    ScanOptions options;
    options.filter = filter;
    options.with_row_id = dataset->has_stable_row_ids();
    options.with_row_address = true;
    options.all_at_once = true;
    ARROW_ASSIGN_OR_RAISE(rows->scan_,
                          ScanMapped(dataset, options, {}, ReadAheadOfWriter(context), context));
    return rows;
  }

  std::shared_ptr<arrow::Schema> schema() const override { return with_address_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    ARROW_RETURN_NOT_OK(scan_->ReadNext(out));
    if (*out == nullptr) return Status::OK();
    ARROW_RETURN_NOT_OK(NoteRows(**out));
    arrow::ArrayVector columns = (*out)->columns();
    columns.resize(schema_->num_fields());
    const auto before = arrow::RecordBatch::Make(schema_, (*out)->num_rows(), columns);
    for (const IndexedValue& value : values_) {
      ARROW_ASSIGN_OR_RAISE(columns[value.first], Compute(value, *before));
    }
    columns.push_back((*out)->GetColumnByName(std::string(kRowAddressColumn)));
    const auto after =
        arrow::RecordBatch::Make(with_address_, (*out)->num_rows(), std::move(columns));
    return written_.Convert(*after).Value(out);
  }

  // What the rows were that it gave.
  const AffectedRows& gone() const { return gone_; }
  const std::vector<uint64_t>& moved_ids() const { return moved_ids_; }
  int64_t num_rows() const { return num_rows_; }

 private:
  /// The column that is set, and to what.
  using IndexedValue = std::pair<int, std::shared_ptr<const expr::Expression::Bound>>;

  UpdatedRows(const Dataset::State& state, const OperationContext& context)
      : state_(state), context_(context), schema_(state.all_columns->schema) {}

  Status AddValue(const NamedExpression& value) {
    const int index = schema_->GetFieldIndex(value.name);
    if (index < 0) {
      return InvalidArgument("cannot update ", state_.location.path, ": it has no column '",
                             value.name, "' at its top level; its columns are ",
                             JoinNames(schema_->field_names()));
    }
    if (std::ranges::find(values_, index, &IndexedValue::first) != values_.end()) {
      return InvalidArgument("column '", value.name, "' is to be updated twice");
    }
    const auto bind = [&]() -> Result<std::shared_ptr<const expr::Expression::Bound>> {
      ARROW_ASSIGN_OR_RAISE(const auto parsed, expr::Expression::Parse(value.expression));
      ARROW_RETURN_NOT_OK(CheckBlobs(value.name, *parsed));
      return parsed->BindAs(schema_->field(index)->type(), *schema_, context_);
    };
    auto bound = bind();
    if (!bound.ok()) return WithContext(bound.status(), "column '" + value.name + "'");
    values_.emplace_back(index, *std::move(bound));
    return Status::OK();
  }

  /// Unsupported if a column with blobs is to have those of another one: they lie in other files.
  Status CheckBlobs(const std::string& name, const expr::Expression& expression) const {
    const Schema& schema = state_.manifest.schema;
    if (!HasBlobs(*schema.FindField(name))) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto paths, expression.Paths(*schema_));
    for (const auto& path : paths) {
      if (path.size() == 1 && path[0] == name) continue;
      const Field* field = schema.FindField(path[0]);
      for (size_t i = 1; i < path.size() && field != nullptr; ++i) {
        const auto child = std::ranges::find(field->children, path[i], &Field::name);
        field = child == field->children.end() ? nullptr : &*child;
      }
      if (field == nullptr || !HasBlobs(*field)) continue;
      return Unsupported("blobs cannot be set to those of '", path.back(),
                         "': merge rows that have them");
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> Compute(const IndexedValue& value,
                                                const arrow::RecordBatch& rows) const {
    auto column = value.second->Evaluate(rows, context_);
    if (column.ok()) return column;
    return WithContext(column.status(), "column '" + schema_->field(value.first)->name() + "'");
  }

  Status NoteRows(const arrow::RecordBatch& batch) {
    num_rows_ += batch.num_rows();
    const auto column = batch.GetColumnByName(std::string(kRowAddressColumn));
    const auto* addresses = column->data()->GetValues<uint64_t>(1);
    ARROW_RETURN_NOT_OK(AddAddresses(std::span(addresses, batch.num_rows()), &gone_));
    const auto ids = batch.GetColumnByName(std::string(kRowIdColumn));
    if (ids == nullptr) return Status::OK();
    const auto* values = ids->data()->GetValues<uint64_t>(1);
    moved_ids_.insert(moved_ids_.end(), values, values + batch.num_rows());
    return Status::OK();
  }

  static std::string JoinNames(const std::vector<std::string>& names) {
    std::string joined;
    for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
    return joined;
  }

  const Dataset::State& state_;
  const OperationContext& context_;
  const std::shared_ptr<arrow::Schema> schema_;
  RewrittenColumns written_;
  std::shared_ptr<arrow::Schema> with_address_;  ///< of `written_`, and the rows' addresses
  std::vector<IndexedValue> values_;
  std::shared_ptr<arrow::RecordBatchReader> scan_;
  AffectedRows gone_;
  std::vector<uint64_t> moved_ids_;
  int64_t num_rows_ = 0;
};

/// One look for the rows and one try to commit.
Result<UpdateResult> TryToUpdate(const io::StorePath& table,
                                 const std::vector<NamedExpression>& values,
                                 const std::shared_ptr<const expr::Filter>& filter,
                                 const UpdateOptions& options, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, context));
  const Dataset::State& state = dataset->state();
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(*dataset));
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version,
                        MinorVersionOfRows(state, options.data_storage_version, "update"));
  ARROW_ASSIGN_OR_RAISE(const auto rows, UpdatedRows::Make(dataset, values, filter, context));
  const BlobWriteScope scope{.base_paths = state.manifest.base_paths, .source = &state};
  const io::StorePath target = io::Deferring(table);
  RowChange change{.store = target.store};
  ARROW_ASSIGN_OR_RAISE(change.added,
                        WriteFragments(rows.get(), target, state.manifest.schema, minor_version,
                                       WriteOptions(), scope, context));
  change.gone = rows->gone();
  change.moved_ids = rows->moved_ids();
  change.lock = options.commit_lock;
  for (const NamedExpression& value : values) {
    const auto fields = AllFieldIds({*state.manifest.schema.FindField(value.name)});
    change.fields.insert(change.fields.end(), fields.begin(), fields.end());
  }
  UpdateResult result{.dataset = nullptr, .num_updated_rows = rows->num_rows()};
  ARROW_ASSIGN_OR_RAISE(result.dataset, CommitRowChange(*dataset, std::move(change),
                                                        options.transaction_properties, context));
  return result;
}

}  // namespace

Result<UpdateResult> UpdateValues(const io::StorePath& table,
                                  const std::vector<NamedExpression>& values,
                                  const std::shared_ptr<const expr::Filter>& filter,
                                  const UpdateOptions& options, const OperationContext& context) {
  if (values.empty()) return InvalidArgument("update needs at least one column and its new value");
  const RetryLimit limit{.max_retries = options.max_retries, .timeout = options.retry_timeout};
  return RetryConflicts<UpdateResult>(
      limit, [&](int /*number*/) { return TryToUpdate(table, values, filter, options, context); });
}

}  // namespace tusk::lance
