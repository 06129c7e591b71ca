#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table_builder.h>
#include <arrow/type.h>

#include "tusk/iceberg/file_scan.h"
#include "tusk/iceberg/plan.h"
#include "tusk/iceberg/position_deletes.h"
#include "tusk/iceberg/table.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

/// The field `name` of `schema`. NotFound says what there is.
Result<std::shared_ptr<arrow::Field>> FindField(const arrow::Schema& schema,
                                                const std::string& name) {
  const auto indices = schema.GetAllFieldIndices(name);
  if (!indices.empty()) return schema.field(indices.front());
  std::string known;
  for (const std::string& column : schema.field_names())
    known += (known.empty() ? "" : ", ") + column;
  return NotFound("no column '", name, "': the table has ", known);
}

/// A scan's columns.
struct Projection {
  std::shared_ptr<arrow::Schema> read;    ///< what it reads from files: first what it gives out
  std::shared_ptr<arrow::Schema> output;  ///< what it gives out
};

Result<Projection> MakeProjection(const arrow::Schema& table, const ScanOptions& options) {
  const std::vector<std::string> names =
      options.columns.has_value() ? *options.columns : table.field_names();
  arrow::FieldVector output;
  std::set<std::string> read_names;
  for (const std::string& name : names) {
    ARROW_ASSIGN_OR_RAISE(auto field, FindField(table, name));
    if (!read_names.insert(name).second) {
      return InvalidArgument("column '", name, "' is asked for twice");
    }
    output.push_back(std::move(field));
  }
  arrow::FieldVector read = output;
  if (options.filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto filter_names, options.filter->Columns(table));
    for (const std::string& name : filter_names) {
      ARROW_ASSIGN_OR_RAISE(auto field, FindField(table, name));
      if (read_names.insert(name).second) read.push_back(std::move(field));
    }
  }
  return Projection{.read = arrow::schema(std::move(read)),
                    .output = arrow::schema(std::move(output))};
}

/// Reads one file after the other.
class ScanReader final : public arrow::RecordBatchReader {
 public:
  ScanReader(std::shared_ptr<const Table::State> table, FilePlan plan, Projection projection,
             std::shared_ptr<const expr::Filter::Bound> filter, const ScanOptions& options,
             const OperationContext& context)
      : plan_(std::move(plan)),
        projection_(std::move(projection)),
        filter_(std::move(filter)),
        file_(std::move(table), projection_.read, options.batch_rows, context),
        rows_left_(options.limit.value_or(std::numeric_limits<int64_t>::max())),
        context_(context) {}

  std::shared_ptr<arrow::Schema> schema() const override { return projection_.output; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    while (rows_left_ > 0) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      ARROW_ASSIGN_OR_RAISE(auto batch, ReadBatch());
      if (batch == nullptr) break;
      if (filter_ != nullptr) {
        ARROW_ASSIGN_OR_RAISE(batch, filter_->Apply(batch, context_));
      }
      if (batch->num_rows() == 0) continue;
      batch = batch->Slice(0, std::min(rows_left_, batch->num_rows()));
      rows_left_ -= batch->num_rows();
      *out = Output(*batch);
      return Status::OK();
    }
    return Status::OK();
  }

 private:
  /// The next batch of any file; null after the last.
  Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch() {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, file_.ReadBatch());
      if (batch != nullptr) return batch;
      ARROW_ASSIGN_OR_RAISE(const auto task, plan_.Next(context_));
      if (!task.has_value()) return nullptr;
      ARROW_RETURN_NOT_OK(file_.Open(*task));
    }
  }

  /// Without the columns that only the filter needs; they stand last.
  std::shared_ptr<arrow::RecordBatch> Output(const arrow::RecordBatch& batch) const {
    auto columns = batch.columns();
    columns.resize(static_cast<size_t>(projection_.output->num_fields()));
    return arrow::RecordBatch::Make(projection_.output, batch.num_rows(), std::move(columns));
  }

  FilePlan plan_;
  const Projection projection_;
  const std::shared_ptr<const expr::Filter::Bound> filter_;
  FileScan file_;
  int64_t rows_left_;
  const OperationContext& context_;
};

/// The schema that rows of `snapshot` are read by: that of its time if the caller went back to it.
const std::shared_ptr<arrow::Schema>& ScanSchema(const TableMetadata& metadata,
                                                 const MetadataSnapshot* snapshot,
                                                 const SnapshotChoice& choice) {
  bool is_of_the_past = choice.snapshot_id || choice.as_of_ms;
  if (choice.ref) {
    const auto ref = metadata.refs.find(*choice.ref);
    is_of_the_past = ref != metadata.refs.end() && ref->second.is_tag;
  }
  if (is_of_the_past && snapshot != nullptr && snapshot->schema_id.has_value()) {
    const auto schema = metadata.schemas.find(*snapshot->schema_id);
    if (schema != metadata.schemas.end()) return schema->second;
  }
  return metadata.schema();
}

/// A scan, resolved against the table.
struct PreparedScan {
  Projection projection;
  std::shared_ptr<const expr::Filter::Bound> filter;  ///< may be null
  FilePlan plan;
};

Result<PreparedScan> Prepare(const std::shared_ptr<const Table::State>& table,
                             const ScanOptions& options, const OperationContext& context) {
  if (options.batch_rows < 1) {
    return InvalidArgument("batch_rows is ", options.batch_rows, ": at least 1 is needed");
  }
  if (const int64_t limit = options.limit.value_or(0); limit < 0) {
    return InvalidArgument("limit is ", limit);
  }
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* snapshot, ChooseSnapshot(*table, options.snapshot));
  const auto& schema = ScanSchema(table->metadata, snapshot, options.snapshot);
  ARROW_ASSIGN_OR_RAISE(Projection projection, MakeProjection(*schema, options));
  std::shared_ptr<const expr::Filter::Bound> filter;
  if (options.filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(filter, options.filter->Bind(*projection.read, context));
  }
  ARROW_ASSIGN_OR_RAISE(FilePlan plan,
                        FilePlan::Make(table, snapshot, filter.get(), projection.read, context));
  return PreparedScan{
      .projection = std::move(projection), .filter = std::move(filter), .plan = std::move(plan)};
}

/// The planned files as batches.
class PlanReader final : public arrow::RecordBatchReader {
 public:
  PlanReader(FilePlan plan, int64_t batch_rows, const OperationContext& context)
      : plan_(std::move(plan)), batch_rows_(batch_rows), context_(context) {}

  std::shared_ptr<arrow::Schema> schema() const override {
    static const auto* schema = new std::shared_ptr<arrow::Schema>(arrow::schema(
        {arrow::field("file_path", arrow::utf8(), false),
         arrow::field("file_format", arrow::utf8(), false),
         arrow::field("spec_id", arrow::int32(), false),
         arrow::field("record_count", arrow::int64(), false),
         arrow::field("file_size_in_bytes", arrow::int64(), false),
         arrow::field("delete_files", arrow::list(arrow::field("element", arrow::utf8(), false)),
                      false)}));
    return *schema;
  }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::RecordBatchBuilder::Make(schema(), context_.pool));
    int64_t rows = 0;
    for (; rows < batch_rows_; ++rows) {
      ARROW_ASSIGN_OR_RAISE(const auto task, plan_.Next(context_));
      if (!task.has_value()) break;
      ARROW_RETURN_NOT_OK(Append(*task, builder.get()));
    }
    if (rows > 0) return builder->Flush(/*reset_builders=*/false).Value(out);
    out->reset();
    return Status::OK();
  }

 private:
  static Status Append(const FileTask& task, arrow::RecordBatchBuilder* builder) {
    const DataFile& file = task.file;
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::StringBuilder>(0)->Append(file.path));
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::StringBuilder>(1)->Append(file.format));
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::Int32Builder>(2)->Append(task.spec_id));
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::Int64Builder>(3)->Append(file.record_count));
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::Int64Builder>(4)->Append(file.size_bytes));
    auto* deletes = builder->GetFieldAs<arrow::ListBuilder>(5);
    ARROW_RETURN_NOT_OK(deletes->Append());
    for (const auto& deleted : task.deletes) {
      ARROW_RETURN_NOT_OK(
          static_cast<arrow::StringBuilder*>(deletes->value_builder())->Append(deleted->file.path));
    }
    return Status::OK();
  }

  FilePlan plan_;
  const int64_t batch_rows_;
  const OperationContext& context_;
};

/// The rows of a plan without a filter.
Result<int64_t> CountPlannedRows(const Table::State& table, FilePlan* plan,
                                 const OperationContext& context) {
  PositionDeletes deletes(table.store);
  int64_t rows = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto task, plan->Next(context));
    if (!task.has_value()) return rows;
    ARROW_ASSIGN_OR_RAISE(const auto deleted, deletes.Find(*task, context));
    if (__builtin_add_overflow(rows, task->file.record_count - std::ssize(deleted), &rows)) {
      return Corrupt("the manifests count more than 2^63 rows");
    }
  }
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> Table::Scan(
    const ScanOptions& options, const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(PreparedScan scan, Prepare(state_, options, context));
  return std::make_shared<ScanReader>(state_, std::move(scan.plan), std::move(scan.projection),
                                      std::move(scan.filter), options, context);
}

Result<std::shared_ptr<arrow::RecordBatchReader>> Table::PlanFiles(
    const ScanOptions& options, const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(PreparedScan scan, Prepare(state_, options, context));
  return std::make_shared<PlanReader>(std::move(scan.plan), options.batch_rows, context);
}

Result<int64_t> Table::CountRows(std::shared_ptr<const expr::Filter> filter,
                                 const SnapshotChoice& snapshot,
                                 const OperationContext& context) const {
  ScanOptions options;
  options.columns.emplace();
  options.filter = std::move(filter);
  options.snapshot = snapshot;
  ARROW_ASSIGN_OR_RAISE(PreparedScan scan, Prepare(state_, options, context));
  if (options.filter == nullptr) return CountPlannedRows(*state_, &scan.plan, context);
  ScanReader reader(state_, std::move(scan.plan), std::move(scan.projection),
                    std::move(scan.filter), options, context);
  int64_t rows = 0;
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(reader.ReadNext(&batch));
    if (batch == nullptr) return rows;
    rows += batch->num_rows();
  }
}

}  // namespace tusk::iceberg
