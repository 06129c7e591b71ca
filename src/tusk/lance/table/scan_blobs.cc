#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "tusk/lance/blob.h"
#include "tusk/lance/file/field_path.h"
#include "tusk/lance/table/blob_bytes.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

/// Puts the bytes into the batches of a scan.
class BytesReader final : public arrow::RecordBatchReader {
 public:
  BytesReader(std::shared_ptr<const Dataset> dataset, int address_column, int64_t batch_bytes,
              OperationContext context)
      : dataset_(std::move(dataset)),
        address_column_(address_column),
        batch_bytes_(batch_bytes),
        context_(std::move(context)) {}

  Status Begin(std::shared_ptr<arrow::RecordBatchReader> scan,
               std::vector<BlobBytes::Column> columns) {
    scan_ = std::move(scan);
    ARROW_ASSIGN_OR_RAISE(auto bytes, BlobBytes::Make(dataset_->state(), std::move(columns),
                                                      *scan_->schema(), context_));
    bytes_.emplace(std::move(bytes));
    return Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return bytes_->schema(); }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    while (batch_ == nullptr || next_row_ >= batch_->num_rows()) {
      ARROW_RETURN_NOT_OK(scan_->ReadNext(&batch_));
      next_row_ = 0;
      if (batch_ == nullptr) {
        out->reset();
        return Status::OK();
      }
      const auto& addresses =
          static_cast<const arrow::UInt64Array&>(*batch_->column(address_column_));
      ARROW_RETURN_NOT_OK(bytes_->Find(batch_, addresses));
    }
    const int64_t rows = bytes_->CountRows(next_row_, batch_bytes_);
    ARROW_ASSIGN_OR_RAISE(*out, bytes_->Read(next_row_, rows));
    next_row_ += rows;
    return Status::OK();
  }

 private:
  const std::shared_ptr<const Dataset> dataset_;
  const int address_column_;
  const int64_t batch_bytes_;
  const OperationContext context_;
  std::optional<BlobBytes> bytes_;
  std::shared_ptr<arrow::RecordBatchReader> scan_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t next_row_ = 0;
};

/// What addresses are called among columns that have names of their own.
const std::string kTakenAddress = "address of the row";

/// `names`, of columns or paths of fields, as paths.
std::vector<std::string> ToPaths(const Schema& schema, std::vector<std::string> names) {
  for (std::string& name : names) {
    if (schema.FindField(name) != nullptr) name = FormatFieldPath({name});
  }
  return names;
}

/// The field that a column of the result is, if it is one of the table.
const Field* FindColumn(const Schema& schema, const std::string& text) {
  if (const Field* field = schema.FindField(text)) return field;
  const auto path = schema.Resolve(text);
  return path.ok() ? path->back() : nullptr;
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> ScanBlobBytes(
    std::shared_ptr<const Dataset> dataset, const ScanOptions& options,
    const OperationContext& context) {
  const Schema& schema = dataset->state().manifest.schema;
  if (options.include_deleted_rows) {
    return Unsupported("blobs of deleted rows cannot be read as bytes");
  }
  std::vector<BlobBytes::Column> columns;
  if (!options.expressions.empty()) {
    for (const NamedExpression& column : options.expressions) {
      columns.push_back({FindColumn(schema, column.expression), column.name});
    }
  } else {
    const auto names = options.columns.value_or(dataset->schema()->field_names());
    for (const std::string& name : names) columns.push_back({FindColumn(schema, name), name});
  }
  ScanOptions scan = options;
  const auto named = std::ranges::find(columns, kRowAddressColumn, &BlobBytes::Column::name);
  const bool has_address = named != columns.end() || options.with_row_address;
  scan.with_row_address = named == columns.end();
  ARROW_ASSIGN_OR_RAISE(auto rows, dataset->Scan(scan, context));
  // Row ids and addresses that are asked for stand behind the columns.
  const int last = rows->schema()->num_fields() - 1;
  const int address = named == columns.end() ? last : static_cast<int>(named - columns.begin());
  const int given = has_address ? last + 1 : last;
  while (static_cast<int>(columns.size()) < given) columns.push_back({});
  auto reader =
      std::make_shared<BytesReader>(std::move(dataset), address, options.batch_bytes, context);
  ARROW_RETURN_NOT_OK(reader->Begin(std::move(rows), std::move(columns)));
  return reader;
}

Result<std::shared_ptr<arrow::RecordBatch>> TakeBlobBytes(const Dataset& dataset,
                                                          std::span<const int64_t> rows,
                                                          const TakeOptions& options,
                                                          const OperationContext& context) {
  const Schema& schema = dataset.state().manifest.schema;
  TakeOptions with_address = options;
  const std::string address(kRowAddressColumn);
  Schema projected = schema;  // in whose fields the columns of the result are
  bool has_address = false;
  if (!options.expressions.empty()) {
    with_address.expressions.push_back({.name = kTakenAddress, .expression = address});
  } else {
    const auto names = options.columns.value_or(dataset.schema()->field_names());
    std::vector<std::string> paths;
    for (const std::string& name : names) {
      has_address = has_address || name == address;
      if (schema.FindField(name) != nullptr || schema.Resolve(name).ok()) paths.push_back(name);
    }
    if (options.nested) {
      ARROW_ASSIGN_OR_RAISE(projected, schema.ProjectPaths(ToPaths(schema, paths)));
    }
    with_address.columns = names;
    if (!has_address) with_address.columns->push_back(address);
  }
  ARROW_ASSIGN_OR_RAISE(const auto taken, dataset.Take(rows, with_address, context));
  ARROW_ASSIGN_OR_RAISE(auto batch, taken->CombineChunksToBatch(context.pool));
  const auto addresses =
      batch->GetColumnByName(options.expressions.empty() ? address : kTakenAddress);
  if (!has_address) {
    ARROW_ASSIGN_OR_RAISE(batch, batch->RemoveColumn(batch->num_columns() - 1));
  }
  std::vector<BlobBytes::Column> columns;
  for (int i = 0; i < batch->num_columns(); ++i) {
    const std::string& name = batch->column_name(i);
    const std::string& text =
        options.expressions.empty() ? name : options.expressions[i].expression;
    columns.push_back({FindColumn(projected, text), name});
  }
  ARROW_ASSIGN_OR_RAISE(
      auto bytes, BlobBytes::Make(dataset.state(), std::move(columns), *batch->schema(), context));
  const int64_t count = batch->num_rows();
  ARROW_RETURN_NOT_OK(
      bytes.Find(std::move(batch), static_cast<const arrow::UInt64Array&>(*addresses)));
  ARROW_RETURN_NOT_OK(bytes.CheckClaims());
  return bytes.Read(0, count);
}

}  // namespace tusk::lance
