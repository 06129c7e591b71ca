#include "tusk/lance/file/writer.h"

#include <span>
#include <string>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_shape.h"
#include "tusk/lance/file/column_writer.h"
#include "tusk/lance/file/footer.h"
#include "tusk/lance/file/logical_type.h"
#include "tusk/lance/file/page_encoder.h"
#include "tusk/lance/file/schema_proto.h"

namespace tusk::lance {
namespace {

constexpr int64_t kBufferAlignment = 64;

/// The shape of a column for `field`. Unsupported, naming it, for what pages do not cover yet.
Result<ValueShape> ShapeOf(const Field& field) {
  if (field.is_blob()) {
    return Unsupported("field '", field.name, "': blobs cannot be written yet");
  }
  if (!field.children.empty() || field.logical_type == "json" || field.logical_type == "blob" ||
      field.logical_type.find("lance.bfloat16:") != std::string::npos) {
    return Unsupported("field '", field.name, "': type ", field.logical_type,
                       " cannot be written yet");
  }
  ARROW_ASSIGN_OR_RAISE(const auto arrow_field, ToArrowField(field));
  auto shape = ValueShape::Of(*arrow_field->type());
  if (!shape.ok()) return WithContext(shape.status(), "field '" + field.name + "'");
  if (shape->bits == 0) {
    return Unsupported("field '", field.name, "': values of type ", field.logical_type,
                       " cannot be written yet");
  }
  if (!shape->is_variable && shape->bits == 1 && shape->row_bits() / 8 >= kFullZipBytes) {
    return Unsupported("field '", field.name, "': fixed-size lists of ", shape->items_per_row,
                       " booleans are not supported yet");
  }
  return shape;
}

class FileWriterImpl final : public FileWriter {
 public:
  FileWriterImpl(std::string path, std::unique_ptr<io::ObjectWriter> file, Schema schema,
                 uint16_t minor_version, OperationContext context)
      : path_(std::move(path)),
        file_(std::move(file)),
        schema_(std::move(schema)),
        minor_version_(minor_version),
        context_(std::move(context)) {}

  void AddColumn(ValueShape shape, int64_t page_bytes) {
    columns_.push_back(
        std::make_unique<ColumnWriter>(std::move(shape), page_bytes, file_.get(), context_));
  }

  Status Write(const arrow::RecordBatch& batch) override;
  Result<int32_t> AddGlobalBuffer(std::span<const uint8_t> bytes) override;
  Status AddSchemaMetadata(std::string key, std::string value) override;
  int64_t bytes_written() const override { return file_->bytes_written(); }
  Result<FileSummary> Finish() override;

 private:
  /// Checks that column `i` of a batch is what the schema says.
  Status CheckColumn(const arrow::ArrayData& array, size_t i) const;
  Status WriteColumns(const arrow::RecordBatch& batch);
  Status WriteEnd();
  Status AppendBytes(std::string_view bytes) {
    return file_->Append({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  }

  std::string path_;
  std::unique_ptr<io::ObjectWriter> file_;
  Schema schema_;
  uint16_t minor_version_;
  OperationContext context_;
  std::vector<std::unique_ptr<ColumnWriter>> columns_;
  std::vector<io::ByteRange> global_buffers_;  ///< from number 1 on
  int64_t num_rows_ = 0;
  /// What went wrong first; the file cannot be finished after that.
  Status state_;
};

Status FileWriterImpl::CheckColumn(const arrow::ArrayData& array, size_t i) const {
  const Field& field = schema_.fields[i];
  const arrow::DataType* type = array.type.get();
  if (type->id() == arrow::Type::EXTENSION) {
    type = static_cast<const arrow::ExtensionType*>(type)->storage_type().get();
  }
  const auto logical_type = ToLogicalType(*type);
  if (!logical_type.ok() || *logical_type != field.logical_type) {
    return InvalidArgument("column '", field.name, "' of the batch has type ",
                           array.type->ToString(), ", the file has ", field.logical_type);
  }
  if (!field.nullable && array.GetNullCount() > 0) {
    return InvalidArgument("column '", field.name, "' is not nullable, but ", array.GetNullCount(),
                           " of ", array.length, " rows are null");
  }
  return Status::OK();
}

Status FileWriterImpl::WriteColumns(const arrow::RecordBatch& batch) {
  if (batch.num_columns() != static_cast<int>(columns_.size())) {
    return InvalidArgument("batch has ", batch.num_columns(), " columns, the file ",
                           columns_.size());
  }
  std::vector<RowsView> views;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const arrow::ArrayData& array = *batch.column_data(static_cast<int>(i));
    ARROW_RETURN_NOT_OK(CheckColumn(array, i));
    auto view = RowsView::Of(array, columns_[i]->shape());
    if (!view.ok()) {
      return WithContext(view.status(), "column '" + schema_.fields[i].name + "'");
    }
    views.push_back(*view);
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    ARROW_RETURN_NOT_OK(columns_[i]->Append(views[i]));
  }
  num_rows_ += batch.num_rows();
  return Status::OK();
}

Status FileWriterImpl::Write(const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(state_);
  const Status status = WriteColumns(batch);
  if (!status.ok()) state_ = WithContext(status, "cannot write " + path_);
  return state_;
}

Result<int32_t> FileWriterImpl::AddGlobalBuffer(std::span<const uint8_t> bytes) {
  ARROW_RETURN_NOT_OK(state_);
  const int64_t offset = file_->bytes_written();
  Status status = file_->Append(bytes);
  // What follows may be a page, whose buffers are aligned.
  const std::vector<uint8_t> padding(-file_->bytes_written() & (kBufferAlignment - 1), 0);
  if (status.ok()) status = file_->Append(padding);
  if (!status.ok()) {
    state_ = WithContext(status, "cannot write " + path_);
    return state_;
  }
  global_buffers_.push_back({.offset = offset, .length = static_cast<int64_t>(bytes.size())});
  return static_cast<int32_t>(global_buffers_.size());
}

Status FileWriterImpl::AddSchemaMetadata(std::string key, std::string value) {
  ARROW_RETURN_NOT_OK(state_);
  schema_.metadata.insert_or_assign(std::move(key), std::move(value));
  return Status::OK();
}

Status FileWriterImpl::WriteEnd() {
  std::vector<std::string> metadata;
  for (const auto& column : columns_) {
    ARROW_ASSIGN_OR_RAISE(const ColumnMetadata finished, column->Finish());
    metadata.push_back(finished.Serialize());
  }
  proto::FileDescriptor descriptor;
  *descriptor.mutable_schema() = ToProto(schema_);
  descriptor.set_length(num_rows_);
  const std::string descriptor_bytes = descriptor.SerializeAsString();

  Footer footer{.num_buffers = static_cast<uint32_t>(1 + global_buffers_.size()),
                .num_columns = static_cast<uint32_t>(metadata.size()),
                .minor = minor_version_};
  const auto descriptor_position = static_cast<uint64_t>(file_->bytes_written());
  ARROW_RETURN_NOT_OK(AppendBytes(descriptor_bytes));
  footer.column_metadata = file_->bytes_written();
  std::string table;
  for (const std::string& column : metadata) {
    AppendLittle(static_cast<uint64_t>(file_->bytes_written()), &table);
    AppendLittle(static_cast<uint64_t>(column.size()), &table);
    ARROW_RETURN_NOT_OK(AppendBytes(column));
  }
  footer.column_table = file_->bytes_written();
  ARROW_RETURN_NOT_OK(AppendBytes(table));
  footer.buffer_table = file_->bytes_written();
  std::string end;
  AppendLittle(descriptor_position, &end);
  AppendLittle(static_cast<uint64_t>(descriptor_bytes.size()), &end);
  for (const io::ByteRange& buffer : global_buffers_) {
    AppendLittle(static_cast<uint64_t>(buffer.offset), &end);
    AppendLittle(static_cast<uint64_t>(buffer.length), &end);
  }
  footer.AppendTo(&end);
  ARROW_RETURN_NOT_OK(AppendBytes(end));
  return file_->Finish();
}

Result<FileSummary> FileWriterImpl::Finish() {
  ARROW_RETURN_NOT_OK(state_);
  const Status status = WriteEnd();
  if (!status.ok()) {
    state_ = WithContext(status, "cannot write " + path_);
    return state_;
  }
  state_ = InvalidArgument(path_, " is finished");
  FileSummary summary;
  summary.num_rows = num_rows_;
  summary.size_bytes = file_->bytes_written();
  summary.minor_version = minor_version_;
  for (size_t i = 0; i < schema_.fields.size(); ++i) {
    summary.field_ids.push_back(schema_.fields[i].id);
    summary.column_indices.push_back(static_cast<int32_t>(i));
  }
  return summary;
}

}  // namespace

Status CheckWritable(const Schema& schema) {
  for (const Field& field : schema.fields) ARROW_RETURN_NOT_OK(ShapeOf(field));
  return Status::OK();
}

Result<std::unique_ptr<FileWriter>> FileWriter::Open(io::ObjectStore* store, std::string_view path,
                                                     Schema schema,
                                                     const FileWriterOptions& options,
                                                     const OperationContext& context) {
  if (options.page_bytes <= 0) {
    return InvalidArgument("page_bytes is ", options.page_bytes, ", which must be positive");
  }
  if (options.minor_version != 1 && options.minor_version != 2) {
    return Unsupported("data version 2.", options.minor_version, " is not supported for writing");
  }
  std::vector<ValueShape> shapes;
  for (const Field& field : schema.fields) {
    ARROW_ASSIGN_OR_RAISE(ValueShape shape, ShapeOf(field));
    shapes.push_back(std::move(shape));
  }
  ARROW_ASSIGN_OR_RAISE(auto file, store->Create(path, context));
  auto writer = std::make_unique<FileWriterImpl>(std::string(path), std::move(file),
                                                 std::move(schema), options.minor_version, context);
  for (ValueShape& shape : shapes) writer->AddColumn(std::move(shape), options.page_bytes);
  return writer;
}

}  // namespace tusk::lance
