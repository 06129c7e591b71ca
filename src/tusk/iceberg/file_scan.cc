#include "tusk/iceberg/file_scan.h"

#include <map>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/iceberg/parquet_file.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/single_value.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

/// The values of the columns of `schema` that the file's partition tells.
std::map<int32_t, std::shared_ptr<arrow::Scalar>> PartitionConstants(
    const FileTask& task, const std::map<int32_t, PartitionSpec>& specs,
    const arrow::Schema& schema) {
  std::map<int32_t, std::shared_ptr<arrow::Scalar>> constants;
  const auto spec = specs.find(task.spec_id);
  if (spec == specs.end()) return constants;
  for (const PartitionField& field : spec->second.fields) {
    const auto* value = task.file.partition.Find(field.field_id);
    if (field.transform.kind != Transform::Kind::kIdentity || value == nullptr) continue;
    for (const auto& column : schema.fields()) {
      if (FieldId(*column) != field.source_id) continue;
      auto scalar = *value ? ParseSingleValue(**value, column->type())
                           : arrow::MakeNullScalar(column->type());
      if (scalar != nullptr) constants.emplace(field.source_id, std::move(scalar));
    }
  }
  return constants;
}

}  // namespace

FileScan::FileScan(std::shared_ptr<const Table::State> table, std::shared_ptr<arrow::Schema> schema,
                   int64_t batch_rows, const OperationContext& context)
    : table_(std::move(table)),
      schema_(std::move(schema)),
      batch_rows_(batch_rows),
      context_(context),
      deletes_(table_->store) {}

Status FileScan::Open(const FileTask& task) {
  ARROW_ASSIGN_OR_RAISE(deleted_, deletes_.Find(task, context_));
  file_row_ = 0;
  return OpenParquet(table_->store.get(), task.path,
                     {.schema = schema_,
                      .batch_rows = batch_rows_,
                      .constants = PartitionConstants(task, table_->metadata.specs, *schema_)},
                     context_)
      .Value(&file_);
}

Result<std::shared_ptr<arrow::RecordBatch>> FileScan::ReadBatch() {
  if (file_ == nullptr) return nullptr;
  std::shared_ptr<arrow::RecordBatch> batch;
  ARROW_RETURN_NOT_OK(file_->ReadNext(&batch));
  if (batch == nullptr) {
    file_.reset();
    return nullptr;
  }
  const int64_t begin = file_row_;
  file_row_ += batch->num_rows();
  return deleted_.empty() ? batch : WithoutRows(batch, begin, deleted_, context_);
}

}  // namespace tusk::iceberg
