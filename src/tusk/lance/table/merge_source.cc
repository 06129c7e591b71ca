#include "tusk/lance/table/merge_source.h"

#include <deque>
#include <iterator>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "tusk/lance/dataset.h"
#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/file/batch_shaper.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/rewritten_columns.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

Result<std::shared_ptr<arrow::RecordBatch>> Select(const arrow::RecordBatch& batch,
                                                   const std::vector<std::string>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const std::string& name : columns) {
    const int index = batch.schema()->GetFieldIndex(name);
    fields.push_back(batch.schema()->field(index));
    arrays.push_back(batch.column(index));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(),
                                  std::move(arrays));
}

/// All rows in one batch.
class MemorySource final : public MergeSource {
 public:
  MemorySource(std::shared_ptr<arrow::RecordBatch> rows, RowSizes sizes)
      : MergeSource(std::move(sizes)), rows_(std::move(rows)), schema_(rows_->schema()) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  int64_t num_rows() const override { return rows_->num_rows(); }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Scan(
      const std::vector<std::string>& columns, const OperationContext& /*context*/) const override {
    ARROW_ASSIGN_OR_RAISE(auto selected, Select(*rows_, columns));
    auto schema = selected->schema();
    return arrow::RecordBatchReader::Make({std::move(selected)}, std::move(schema));
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Take(std::span<const int64_t> rows,
                                                   const std::vector<std::string>& columns,
                                                   const OperationContext& context) const override {
    ARROW_ASSIGN_OR_RAISE(const auto selected, Select(*rows_, columns));
    const auto numbers = std::make_shared<arrow::Int64Array>(
        std::ssize(rows),
        std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(rows.data()),
                                        static_cast<int64_t>(rows.size_bytes())));
    arrow::ArrayVector arrays;
    for (const auto& column : selected->columns()) {
      ARROW_ASSIGN_OR_RAISE(const auto taken,
                            TakeRows(column->data(), numbers->data(), context.pool));
      arrays.push_back(arrow::MakeArray(taken));
    }
    return arrow::RecordBatch::Make(selected->schema(), std::ssize(rows), std::move(arrays));
  }

 private:
  std::shared_ptr<arrow::RecordBatch> rows_;
  std::shared_ptr<arrow::Schema> schema_;
};

/// Rows in files that are removed in the end.
class FileSource final : public MergeSource {
 public:
  FileSource(std::shared_ptr<const Dataset> rows, RewrittenColumns columns, RowSizes sizes)
      : MergeSource(std::move(sizes)), rows_(std::move(rows)), columns_(std::move(columns)) {}
  ~FileSource() override {
    const Dataset::State& state = rows_->state();
    RemoveDataFiles(state.location, state.manifest.fragments, OperationContext());
  }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  const std::shared_ptr<arrow::Schema>& schema() const override { return columns_.schema(); }
  int64_t num_rows() const override { return rows_->state().num_rows(); }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Scan(
      const std::vector<std::string>& columns, const OperationContext& context) const override {
    ScanOptions options;
    options.columns = columns;
    ARROW_ASSIGN_OR_RAISE(auto reader, rows_->Scan(options, context));
    return columns_.Convert(std::move(reader));
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Take(std::span<const int64_t> rows,
                                                   const std::vector<std::string>& columns,
                                                   const OperationContext& context) const override {
    ARROW_ASSIGN_OR_RAISE(const auto table,
                          rows_->Take(rows, {.columns = columns, .expressions = {}}, context));
    ARROW_ASSIGN_OR_RAISE(const auto batch, table->CombineChunksToBatch(context.pool));
    return columns_.Convert(*batch);
  }

 private:
  std::shared_ptr<const Dataset> rows_;
  RewrittenColumns columns_;
};

/// Gives batches that were read already, and then those that were not, with some of the columns and
/// without views, whose rows Arrow cannot take.
class SourceReader final : public arrow::RecordBatchReader {
 public:
  SourceReader(arrow::RecordBatchReader* data, const Schema& schema, arrow::MemoryPool* pool)
      : data_(data), pool_(pool) {
    arrow::FieldVector fields;
    for (const Field& field : schema.fields) {
      names_.push_back(field.name);
      fields.push_back(data->schema()->GetFieldByName(field.name));
    }
    schema_ = WithoutViews(arrow::schema(std::move(fields)));
  }
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    if (ready_.empty()) {
      ARROW_RETURN_NOT_OK(data_->ReadNext(out));
      if (*out == nullptr) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const auto selected, Select(**out, names_));
      ARROW_RETURN_NOT_OK(Convert(*selected));
    }
    *out = std::move(ready_.front());
    ready_.pop_front();
    sizes_.Add(**out);
    return Status::OK();
  }
  /// Of the rows that it gave.
  RowSizes TakeSizes() { return std::move(sizes_); }
  /// All batches that it gave.
  void GiveAgain(Batches batches) {
    sizes_ = {};
    ready_.insert(ready_.begin(), std::make_move_iterator(batches.begin()),
                  std::make_move_iterator(batches.end()));
  }

 private:
  /// Makes the rows ready, in pieces if views have more bytes than a column without them can count.
  Status Convert(const arrow::RecordBatch& batch) {
    std::vector<std::shared_ptr<arrow::ArrayData>> columns;
    for (const auto& column : batch.column_data()) {
      auto copied = CopyViews(column, pool_);
      if (copied.status().IsCapacityError() && batch.num_rows() > 1) {
        const int64_t half = batch.num_rows() / 2;
        ARROW_RETURN_NOT_OK(Convert(*batch.Slice(0, half)));
        return Convert(*batch.Slice(half));
      }
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), std::move(copied));
    }
    ready_.push_back(arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns)));
    return Status::OK();
  }

  arrow::RecordBatchReader* data_;
  arrow::MemoryPool* pool_;
  std::vector<std::string> names_;
  std::shared_ptr<arrow::Schema> schema_;
  std::deque<std::shared_ptr<arrow::RecordBatch>> ready_;
  RowSizes sizes_;
};

Result<std::unique_ptr<MergeSource>> ToMemory(const std::shared_ptr<arrow::Schema>& schema,
                                              const Batches& batches, RowSizes sizes,
                                              const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto table, arrow::Table::FromRecordBatches(schema, batches));
  ARROW_ASSIGN_OR_RAISE(auto rows, table->CombineChunksToBatch(context.pool));
  return std::make_unique<MemorySource>(std::move(rows), std::move(sizes));
}

/// `field` with blobs as the values that they were given as: bytes and URIs.
Field WithoutBlobs(Field field) {
  if (field.is_blob()) field.metadata.clear();
  for (Field& child : field.children) child = WithoutBlobs(std::move(child));
  return field;
}

Result<std::unique_ptr<MergeSource>> ToFiles(SourceReader* data, Schema schema,
                                             const io::StorePath& table, uint16_t minor_version,
                                             const OperationContext& context) {
  // Rows that are not written to the table may have nulls where it has none.
  for (Field& field : schema.fields) {
    field = WithoutBlobs(std::move(field));
    field.nullable = true;
  }
  Manifest manifest;
  ARROW_ASSIGN_OR_RAISE(manifest.fragments,
                        WriteFragments(data, table, schema, minor_version, {}, context));
  for (size_t i = 0; i < manifest.fragments.size(); ++i) manifest.fragments[i].id = i;
  manifest.schema = std::move(schema);
  manifest.data_version = "2." + std::to_string(minor_version);
  const std::vector<Fragment> written = manifest.fragments;
  const auto open = [&]() -> Result<std::unique_ptr<MergeSource>> {
    ARROW_ASSIGN_OR_RAISE(auto rows, Dataset::State::Make(table.path, table, std::move(manifest),
                                                          /*manifest_path=*/{}));
    ARROW_ASSIGN_OR_RAISE(auto columns, RewrittenColumns::Make(
                                            rows->state(), rows->schema()->field_names(), "merge"));
    return std::make_unique<FileSource>(std::move(rows), std::move(columns), data->TakeSizes());
  };
  auto source = open();
  if (!source.ok()) RemoveDataFiles(table, written, context);
  return source;
}

}  // namespace

Result<std::unique_ptr<MergeSource>> MergeSource::Read(arrow::RecordBatchReader* data,
                                                       const Schema& schema,
                                                       const io::StorePath& table,
                                                       uint16_t minor_version, int64_t memory_bytes,
                                                       const OperationContext& context) {
  SourceReader reader(data, schema, context.pool);
  Batches batches;
  int64_t bytes = 0;
  while (bytes <= memory_bytes) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_ASSIGN_OR_RAISE(auto batch, reader.Next());
    if (batch == nullptr) {
      return ToMemory(reader.schema(), batches, reader.TakeSizes(), context);
    }
    // Of a slice its own rows count, where Arrow can tell.
    bytes +=
        arrow::util::ReferencedBufferSize(*batch).ValueOr(arrow::util::TotalBufferSize(*batch));
    batches.push_back(std::move(batch));
  }
  reader.GiveAgain(std::move(batches));
  return ToFiles(&reader, schema, table, minor_version, context);
}

}  // namespace tusk::lance
