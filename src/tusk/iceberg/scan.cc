#include <algorithm>
#include <cctype>
#include <limits>
#include <set>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/iceberg/file_pruning.h"
#include "tusk/iceberg/location.h"
#include "tusk/iceberg/parquet_file.h"
#include "tusk/iceberg/table.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

bool IsParquet(std::string_view format) {
  return std::ranges::equal(format, std::string_view("parquet"), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

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
  std::shared_ptr<arrow::Schema> filter;  ///< what the filter reads
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
  arrow::FieldVector filter;
  if (options.filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto filter_names, options.filter->Columns(table));
    for (const std::string& name : filter_names) {
      ARROW_ASSIGN_OR_RAISE(auto field, FindField(table, name));
      if (read_names.insert(name).second) read.push_back(field);
      filter.push_back(std::move(field));
    }
  }
  return Projection{.read = arrow::schema(std::move(read)),
                    .output = arrow::schema(std::move(output)),
                    .filter = arrow::schema(std::move(filter))};
}

/// Reads one file after the other.
class ScanReader final : public arrow::RecordBatchReader {
 public:
  ScanReader(std::shared_ptr<io::ObjectStore> store, std::vector<std::string> paths,
             Projection projection, std::shared_ptr<const expr::Filter::Bound> filter,
             std::set<int32_t> partition_columns, const ScanOptions& options,
             const OperationContext& context)
      : store_(std::move(store)),
        paths_(std::move(paths)),
        projection_(std::move(projection)),
        filter_(std::move(filter)),
        partition_columns_(std::move(partition_columns)),
        batch_rows_(options.batch_rows),
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
    file_.reset();
    return Status::OK();
  }

 private:
  /// The next batch of any file; null after the last.
  Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch() {
    std::shared_ptr<arrow::RecordBatch> batch;
    while (true) {
      if (file_ != nullptr) ARROW_RETURN_NOT_OK(file_->ReadNext(&batch));
      if (batch != nullptr) return batch;
      if (next_path_ == paths_.size()) return nullptr;
      ARROW_ASSIGN_OR_RAISE(file_, OpenParquet(store_.get(), paths_[next_path_],
                                               {.schema = projection_.read,
                                                .batch_rows = batch_rows_,
                                                .told_elsewhere = partition_columns_},
                                               context_));
      ++next_path_;
    }
  }

  /// Without the columns that only the filter needs; they stand last.
  std::shared_ptr<arrow::RecordBatch> Output(const arrow::RecordBatch& batch) const {
    auto columns = batch.columns();
    columns.resize(static_cast<size_t>(projection_.output->num_fields()));
    return arrow::RecordBatch::Make(projection_.output, batch.num_rows(), std::move(columns));
  }

  const std::shared_ptr<io::ObjectStore> store_;
  const std::vector<std::string> paths_;
  const Projection projection_;
  const std::shared_ptr<const expr::Filter::Bound> filter_;
  const std::set<int32_t> partition_columns_;
  const int64_t batch_rows_;
  int64_t rows_left_;
  const OperationContext& context_;
  size_t next_path_ = 0;
  std::shared_ptr<arrow::RecordBatchReader> file_;
};

/// The schema that rows of `snapshot` are read by: that of its time if the caller chose it.
const std::shared_ptr<arrow::Schema>& ScanSchema(const TableMetadata& metadata,
                                                 const MetadataSnapshot* snapshot, bool chosen) {
  if (chosen && snapshot != nullptr && snapshot->schema_id.has_value()) {
    const auto schema = metadata.schemas.find(*snapshot->schema_id);
    if (schema != metadata.schemas.end()) return schema->second;
  }
  return metadata.schema();
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> Table::Scan(
    const ScanOptions& options, const OperationContext& context) const {
  if (options.batch_rows < 1) {
    return InvalidArgument("batch_rows is ", options.batch_rows, ": at least 1 is needed");
  }
  if (const int64_t limit = options.limit.value_or(0); limit < 0) {
    return InvalidArgument("limit is ", limit);
  }
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* snapshot,
                        ChooseSnapshot(*state_, options.snapshot_id));
  const auto& schema = ScanSchema(state_->metadata, snapshot, options.snapshot_id.has_value());
  ARROW_ASSIGN_OR_RAISE(Projection projection, MakeProjection(*schema, options));
  std::shared_ptr<const expr::Filter::Bound> filter;
  if (options.filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(filter, options.filter->Bind(*projection.read, context));
  }
  std::vector<std::string> paths;
  if (snapshot != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto files, ListDataFiles(*state_, *snapshot, context));
    for (const DataFile& file : files) {
      if (filter != nullptr) {
        ARROW_ASSIGN_OR_RAISE(const bool may_match, MayMatch(*filter, *projection.filter, file));
        if (!may_match) continue;
      }
      if (!IsParquet(file.format)) {
        return Unsupported("data file '", file.path, "' has the format ", file.format,
                           ", which is not supported yet: only Parquet is");
      }
      ARROW_ASSIGN_OR_RAISE(std::string path, FileInTable(file.path, state_->folder));
      paths.push_back(std::move(path));
    }
  }
  return std::make_shared<ScanReader>(
      state_->store, std::move(paths), std::move(projection), std::move(filter),
      state_->metadata.identity_partition_columns, options, context);
}

Result<int64_t> Table::CountRows(std::shared_ptr<const expr::Filter> filter,
                                 std::optional<int64_t> snapshot_id,
                                 const OperationContext& context) const {
  int64_t rows = 0;
  if (filter == nullptr) {
    ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* snapshot, ChooseSnapshot(*state_, snapshot_id));
    if (snapshot == nullptr) return 0;
    ARROW_ASSIGN_OR_RAISE(const auto files, ListDataFiles(*state_, *snapshot, context));
    for (const DataFile& file : files) {
      if (__builtin_add_overflow(rows, file.record_count, &rows)) {
        return Corrupt("the manifests count more than 2^63 rows");
      }
    }
    return rows;
  }
  ScanOptions options;
  options.columns.emplace();
  options.filter = std::move(filter);
  options.snapshot_id = snapshot_id;
  ARROW_ASSIGN_OR_RAISE(const auto reader, Scan(options, context));
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) return rows;
    rows += batch->num_rows();
  }
}

}  // namespace tusk::iceberg
