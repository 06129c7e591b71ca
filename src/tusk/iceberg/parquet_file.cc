#include "tusk/iceberg/parquet_file.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/array/util.h>
#include <arrow/extension/uuid.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include "tusk/iceberg/column_statistics.h"
#include "tusk/iceberg/conversion.h"
#include "tusk/iceberg/schema.h"

namespace tusk::iceberg {
namespace {

constexpr int64_t kMaxGroupRows = 1 << 20;
/// Rows of one group are held encoded until it is full: this bounds a writer's memory.
constexpr int64_t kMaxGroupBytes = 128 << 20;

/// What Parquet says about a file's bytes becomes Corrupt; errors of the store stay.
Status FileError(const Status& status, std::string_view path) {
  if (status.ok()) return status;
  const bool is_ours = status.detail() != nullptr;
  const bool is_content = status.IsInvalid() || status.IsIOError() || status.IsTypeError() ||
                          status.IsSerializationError() || status.IsUnknownError();
  if (!is_ours && is_content) return Corrupt("Parquet file '", path, "': ", status.message());
  return WithContext(status, "Parquet file '" + std::string(path) + "'");
}

/// An object as Arrow's random-access file.
class ObjectFile final : public arrow::io::RandomAccessFile {
 public:
  ObjectFile(std::shared_ptr<const io::ObjectReader> reader, OperationContext context)
      : reader_(std::move(reader)), context_(std::move(context)) {}

  arrow::Result<int64_t> GetSize() override { return reader_->size(); }
  arrow::Result<int64_t> Tell() const override { return position_; }
  Status Seek(int64_t position) override {
    position_ = position;
    return Status::OK();
  }
  Status Close() override {
    closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return closed_; }

  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t length) override {
    // Arrow's contract is to read less at the end of a file.
    const int64_t begin = std::clamp<int64_t>(position, 0, reader_->size());
    length = std::clamp<int64_t>(length, 0, reader_->size() - begin);
    return reader_->ReadOne({.offset = begin, .length = length}, context_);
  }
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t length, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const auto buffer, ReadAt(position, length));
    std::copy_n(buffer->data(), buffer->size(), static_cast<uint8_t*>(out));
    return buffer->size();
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t length) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, length));
    position_ += buffer->size();
    return buffer;
  }
  arrow::Result<int64_t> Read(int64_t length, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position_, length, out));
    position_ += read;
    return read;
  }

 private:
  std::shared_ptr<const io::ObjectReader> reader_;
  OperationContext context_;
  int64_t position_ = 0;
  bool closed_ = false;
};

/// A writer of the store as Arrow's output stream. Close does not make the object visible.
class ObjectStream final : public arrow::io::OutputStream {
 public:
  explicit ObjectStream(std::unique_ptr<io::ObjectWriter> writer) : writer_(std::move(writer)) {}

  Status Write(const void* data, int64_t size) override {
    return writer_->Append({static_cast<const uint8_t*>(data), static_cast<size_t>(size)});
  }
  arrow::Result<int64_t> Tell() const override { return writer_->bytes_written(); }
  Status Close() override {
    closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return closed_; }
  io::ObjectWriter* writer() const { return writer_.get(); }

 private:
  std::unique_ptr<io::ObjectWriter> writer_;
  bool closed_ = false;
};

void AddLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) AddLeaves(child, leaves);
}

class ParquetReader final : public arrow::RecordBatchReader {
 public:
  ParquetReader(std::string path, ParquetReadOptions options, const OperationContext& context)
      : path_(std::move(path)), options_(std::move(options)), context_(context) {}

  Status Open(io::ObjectStore* store) {
    ARROW_ASSIGN_OR_RAISE(io::OpenedObject object, store->Open(path_, 0, context_));
    try {
      return FileError(OpenFile(std::move(object)), path_);
    } catch (const parquet::ParquetException& error) {
      return Corrupt("Parquet file '", path_, "': ", error.what());
    }
  }

  std::shared_ptr<arrow::Schema> schema() const override { return options_.schema; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    try {
      return FileError(ReadBatch(out), path_);
    } catch (const parquet::ParquetException& error) {
      return Corrupt("Parquet file '", path_, "': ", error.what());
    }
  }

 private:
  Status OpenFile(io::OpenedObject object) {
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(
        builder.Open(std::make_shared<ObjectFile>(std::move(object.reader), context_),
                     parquet::ReaderProperties(context_.pool)));
    parquet::ArrowReaderProperties properties;
    properties.set_batch_size(options_.batch_rows);
    // Only the columns of one row group are held; nothing is read ahead on foreign threads.
    properties.set_pre_buffer(false);
    properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
    builder.memory_pool(context_.pool)->properties(properties);
    ARROW_RETURN_NOT_OK(builder.Build(&file_));
    rows_left_ = file_->parquet_reader()->metadata()->num_rows();
    ARROW_ASSIGN_OR_RAISE(const std::vector<int> leaves, ChooseLeaves());
    if (leaves.empty()) return Status::OK();
    std::vector<int> groups(static_cast<size_t>(file_->num_row_groups()));
    std::iota(groups.begin(), groups.end(), 0);
    ARROW_ASSIGN_OR_RAISE(batches_, file_->GetRecordBatchReader(groups, leaves));
    return Status::OK();
  }

  /// The leaf columns below the top-level columns that are asked for.
  Result<std::vector<int>> ChooseLeaves() {
    std::vector<int> leaves;
    bool has_ids = false;
    for (const auto& field : file_->manifest().schema_fields) {
      const std::optional<int32_t> id = FieldId(*field.field);
      has_ids = has_ids || id.has_value();
      const auto is_asked = [&](const auto& wanted) { return FieldId(*wanted) == id; };
      if (id.has_value() && std::ranges::any_of(options_.schema->fields(), is_asked)) {
        AddLeaves(field, &leaves);
      }
    }
    if (!has_ids) {
      return Unsupported("its columns carry no field ids; name mappings are not supported yet");
    }
    return leaves;
  }

  Status ReadBatch(std::shared_ptr<arrow::RecordBatch>* out) {
    std::shared_ptr<arrow::RecordBatch> read;
    if (batches_ != nullptr) {
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&read));
    } else if (rows_left_ > 0) {
      // None of the columns is in the file: its rows count all the same.
      const int64_t rows = std::min(rows_left_, options_.batch_rows);
      rows_left_ -= rows;
      read = arrow::RecordBatch::Make(arrow::schema({}), rows, arrow::ArrayVector{});
    }
    if (read == nullptr) {
      out->reset();
      return Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(*out, Project(*read));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Project(const arrow::RecordBatch& read) {
    arrow::ArrayVector columns;
    for (const auto& field : options_.schema->fields()) {
      ARROW_ASSIGN_OR_RAISE(auto column, FindColumn(read, *field));
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(options_.schema, read.num_rows(), std::move(columns));
  }

  Result<std::shared_ptr<arrow::Array>> FindColumn(const arrow::RecordBatch& read,
                                                   const arrow::Field& field) {
    for (int i = 0; i < read.num_columns(); ++i) {
      if (FieldId(*read.schema()->field(i)) == FieldId(field)) {
        auto column = ConvertArray(read.column(i), field, /*by_id=*/true, context_);
        // Values that do not fit are nobody's argument here.
        if (GetErrorCode(column.status()) == ErrorCode::kInvalidArgument) {
          return Corrupt(column.status().message());
        }
        return column;
      }
    }
    const auto constant = options_.constants.find(FieldId(field).value_or(0));
    if (constant != options_.constants.end()) {
      return arrow::MakeArrayFromScalar(*constant->second, read.num_rows(), context_.pool);
    }
    if (!field.nullable()) {
      return Corrupt("required column '", field.name(), "' is not in the file");
    }
    return arrow::MakeArrayOfNull(field.type(), read.num_rows(), context_.pool);
  }

  const std::string path_;
  const ParquetReadOptions options_;
  const OperationContext& context_;
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // borrows from file_
  int64_t rows_left_ = 0;
};

/// `type` with the extension type of Arrow in the place of each uuid, by which Parquet's own type
/// for them is written.
std::shared_ptr<arrow::Field> FileField(const std::shared_ptr<arrow::Field>& field);

std::shared_ptr<arrow::DataType> FileType(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& child : type->fields()) fields.push_back(FileField(child));
      return arrow::struct_(fields);
    }
    case arrow::Type::LIST:
      return arrow::list(FileField(type->field(0)));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(FileField(map.key_field()),
                                              FileField(map.item_field()));
    }
    default:
      return type;
  }
}

std::shared_ptr<arrow::Field> FileField(const std::shared_ptr<arrow::Field>& field) {
  if (IsUuid(*field)) return field->WithType(arrow::extension::uuid());
  return field->WithType(FileType(field->type()));
}

/// The same values as the type that FileType gave.
std::shared_ptr<arrow::ArrayData> Retyped(const std::shared_ptr<arrow::ArrayData>& data,
                                          const std::shared_ptr<arrow::DataType>& type) {
  auto retyped = data->Copy();
  retyped->type = type;
  for (size_t i = 0; i < retyped->child_data.size(); ++i) {
    retyped->child_data[i] =
        Retyped(retyped->child_data[i], type->field(static_cast<int>(i))->type());
  }
  return retyped;
}

/// Sizes of columns and starts of row groups, from a finished file's footer.
void FillInLayout(const parquet::FileMetaData& footer, DataFile* file) {
  for (int group = 0; group < footer.num_row_groups(); ++group) {
    const auto row_group = footer.RowGroup(group);
    int64_t begin = file->size_bytes;
    for (int i = 0; i < row_group->num_columns(); ++i) {
      const auto chunk = row_group->ColumnChunk(i);
      const int32_t id = footer.schema()->Column(i)->schema_node()->field_id();
      file->column_sizes[id] += chunk->total_compressed_size();
      begin = std::min(begin, chunk->data_page_offset());
      if (chunk->has_dictionary_page()) begin = std::min(begin, chunk->dictionary_page_offset());
    }
    file->split_offsets.push_back(begin);
  }
}

class ArrowParquetWriter final : public ParquetWriter {
 public:
  ArrowParquetWriter(std::string path, const std::shared_ptr<arrow::Schema>& schema,
                     const OperationContext& context)
      : path_(std::move(path)), statistics_(*schema), context_(context) {}

  Status Open(io::ObjectStore* store, const std::shared_ptr<arrow::Schema>& schema,
              std::string_view schema_json) {
    ARROW_ASSIGN_OR_RAISE(auto writer, store->Create(path_, context_));
    stream_ = std::make_shared<ObjectStream>(std::move(writer));
    parquet::WriterProperties::Builder properties;
    properties.memory_pool(context_.pool)
        ->created_by("tusk")
        ->version(parquet::ParquetVersion::PARQUET_2_6)
        ->compression(parquet::Compression::ZSTD)
        ->max_row_group_length(kMaxGroupRows)
        ->enable_store_decimal_as_integer();
    arrow::FieldVector fields;
    for (const auto& field : schema->fields()) fields.push_back(FileField(field));
    file_schema_ = arrow::schema(std::move(fields));
    const auto with_key_values = file_schema_->WithMetadata(
        arrow::key_value_metadata({"iceberg.schema"}, {std::string(schema_json)}));
    ARROW_ASSIGN_OR_RAISE(file_, parquet::arrow::FileWriter::Open(*with_key_values, context_.pool,
                                                                  stream_, properties.build()));
    return Status::OK();
  }

  Status Write(const arrow::RecordBatch& batch) override {
    if (batch.num_rows() == 0) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const int64_t batch_bytes, arrow::util::ReferencedBufferSize(batch));
    if (group_bytes_ > 0 && group_bytes_ + batch_bytes > kMaxGroupBytes) {
      ARROW_RETURN_NOT_OK(EndRowGroup());
    }
    group_bytes_ += batch_bytes;
    ARROW_RETURN_NOT_OK(statistics_.Add(batch, context_));
    arrow::ArrayVector columns;
    for (int i = 0; i < batch.num_columns(); ++i) {
      columns.push_back(
          arrow::MakeArray(Retyped(batch.column_data(i), file_schema_->field(i)->type())));
    }
    try {
      return file_->WriteRecordBatch(
          *arrow::RecordBatch::Make(file_schema_, batch.num_rows(), std::move(columns)));
    } catch (const parquet::ParquetException& error) {
      return IoError("cannot write Parquet file '", path_, "': ", error.what());
    }
  }

  int64_t EstimatedBytes() const override {
    const int64_t written = stream_->writer()->bytes_written();
    if (!has_row_groups()) return written + group_bytes_;
    const double ratio = static_cast<double>(written) / static_cast<double>(ended_bytes_);
    return written + static_cast<int64_t>(std::min(ratio, 1.0) * static_cast<double>(group_bytes_));
  }

  int64_t BufferedBytes() const override { return group_bytes_; }
  bool has_row_groups() const override { return ended_bytes_ > 0; }

  Status EndRowGroup() override {
    ended_bytes_ += std::exchange(group_bytes_, 0);
    try {
      return file_->NewBufferedRowGroup();
    } catch (const parquet::ParquetException& error) {
      return IoError("cannot write Parquet file '", path_, "': ", error.what());
    }
  }

  Result<DataFile> Finish() override {
    try {
      ARROW_RETURN_NOT_OK(file_->Close());
    } catch (const parquet::ParquetException& error) {
      return IoError("cannot finish Parquet file '", path_, "': ", error.what());
    }
    ARROW_RETURN_NOT_OK(stream_->writer()->Finish());
    DataFile file;
    file.format = "PARQUET";
    file.sort_order_id = 0;  // unsorted
    file.size_bytes = stream_->writer()->bytes_written();
    statistics_.FillIn(&file);
    FillInLayout(*file_->metadata(), &file);
    return file;
  }

 private:
  const std::string path_;
  ColumnStatistics statistics_;
  const OperationContext& context_;
  std::shared_ptr<arrow::Schema> file_schema_;
  std::shared_ptr<ObjectStream> stream_;
  std::unique_ptr<parquet::arrow::FileWriter> file_;
  int64_t group_bytes_ = 0;  ///< in memory, of the row group that is being filled
  int64_t ended_bytes_ = 0;  ///< the same of those before it
};

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> OpenParquet(io::ObjectStore* store,
                                                              std::string_view path,
                                                              ParquetReadOptions options,
                                                              const OperationContext& context) {
  auto reader = std::make_shared<ParquetReader>(std::string(path), std::move(options), context);
  ARROW_RETURN_NOT_OK(reader->Open(store));
  return reader;
}

Result<std::unique_ptr<ParquetWriter>> CreateParquet(io::ObjectStore* store, std::string_view path,
                                                     const std::shared_ptr<arrow::Schema>& schema,
                                                     std::string_view schema_json,
                                                     const OperationContext& context) {
  auto writer = std::make_unique<ArrowParquetWriter>(std::string(path), schema, context);
  ARROW_RETURN_NOT_OK(writer->Open(store, schema, schema_json));
  return writer;
}

}  // namespace tusk::iceberg
