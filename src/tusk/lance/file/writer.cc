#include "tusk/lance/file/writer.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "tusk/base/checksum.h"
#include "tusk/lance/encodings/packed_struct.h"
#include "tusk/lance/file/annex.h"
#include "tusk/lance/file/blob_values.h"
#include "tusk/lance/file/column_metadata.h"
#include "tusk/lance/file/list_items.h"
#include "tusk/lance/file/logical_type.h"
#include "tusk/lance/file/write/blob_descriptors.h"
#include "tusk/lance/file/write/column_writer.h"
#include "tusk/lance/file/write/file_container.h"
#include "tusk/lance/file/write/stored_fields.h"

namespace tusk::lance {
namespace {

/// Arrow bytes of the pages that are encoded together: some for each thread.
constexpr int64_t kWindowBytesPerThread = int64_t{16} << 20;
constexpr int64_t kMaxWindowBytes = int64_t{128} << 20;
/// Less than this is not worth a thread.
constexpr int64_t kSmallBytes = 1 << 20;
/// Arrow bytes that wait for their page, in all columns together.
constexpr int64_t kMaxPendingBytes = int64_t{256} << 20;
constexpr int64_t kMinPageBytes = 64 << 10;
/// Blobs of one page of their descriptors, which have 16 bytes each.
constexpr int64_t kMaxDescriptors = 512 << 10;

/// How the pages of a column are encoded.
Result<PageFormat> FormatOf(const PhysicalColumn& column, uint16_t minor_version) {
  const Field& field = *column.field;
  PageFormat format;
  format.minor_version = minor_version;
  format.is_nullable = field.nullable;
  ARROW_ASSIGN_OR_RAISE(format.options, EncodingOptions::Parse(field.metadata));
  ARROW_ASSIGN_OR_RAISE(const auto arrow_field, ToArrowField(field));
  const arrow::DataType* type = arrow_field->type().get();
  if (column.kind == ColumnKind::kPackedStruct) {
    ARROW_ASSIGN_OR_RAISE(format.shape, ValueShape::OfPacked(*type));
    ARROW_ASSIGN_OR_RAISE(ValueEncoding rows, PackedStructEncoding(*type));
    if (rows.kind == ValueEncoding::Kind::kPackedStruct) return format;
    if (minor_version < 2) {
      return Unsupported("packed structs with texts or lists need data version 2.2");
    }
    format.packed_rows = std::move(rows);
    return format;
  }
  if (type->id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type);
    ARROW_ASSIGN_OR_RAISE(format.shape, ValueShape::Of(*dictionary.index_type()));
    format.index_bits = format.shape.bits;
    return format;
  }
  format.is_empty_struct = type->id() == arrow::Type::STRUCT;
  format.is_text = type->id() == arrow::Type::STRING || type->id() == arrow::Type::LARGE_STRING;
  ARROW_ASSIGN_OR_RAISE(format.shape, ValueShape::Of(*type));
  return format;
}

/// A column that a file will have, and the top-level field above it.
struct PlannedColumn {
  size_t field;
  LeafPath path;
  PageFormat format;
};

/// `schema` is of encoded fields.
Result<std::vector<PlannedColumn>> PlanColumns(const Schema& schema, uint16_t minor_version) {
  if (minor_version < 1 || minor_version > 2) {
    return Unsupported("data version 2.", minor_version, " cannot be written, only 2.1 and 2.2");
  }
  std::vector<PlannedColumn> columns;
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto paths, LeafPath::Of(schema.fields[i], minor_version));
    for (LeafPath& path : paths) {
      const PhysicalColumn& column = path.column();
      if (column.kind == ColumnKind::kBlob) {
        if (column.field->logical_type != "large_binary") {
          return InvalidArgument("field '", column.field->name, "': type ",
                                 column.field->logical_type,
                                 " has metadata 'lance-encoding:blob', but only large_binary may");
        }
        if (path.has_lists() || path.entries_per_row() > 1) {
          return Unsupported("field '", column.field->name, "': blobs in lists cannot be stored");
        }
      }
      auto format = FormatOf(path.column(), minor_version);
      if (!format.ok()) {
        return WithContext(format.status(), "field '" + path.column().field->name + "'");
      }
      columns.push_back({.field = i, .path = std::move(path), .format = *std::move(format)});
    }
  }
  return columns;
}

/// Whether rows of `type` are rows of `field`; the names of list items do not matter.
bool Matches(const arrow::DataType& type, const Field& field) {
  if (type.id() == arrow::Type::EXTENSION) {
    return Matches(*static_cast<const arrow::ExtensionType&>(type).storage_type(), field);
  }
  if (field.is_blob_v2()) return type.Equals(*PreparedBlobType());
  if (field.logical_type == "json") {
    return type.id() == arrow::Type::LARGE_BINARY || type.id() == arrow::Type::STRING ||
           type.id() == arrow::Type::LARGE_STRING;
  }
  const auto logical_type = ToLogicalType(type);
  if (!logical_type.ok() || *logical_type != field.logical_type) return false;
  if (field.children.empty()) return true;
  if (type.num_fields() != static_cast<int>(field.children.size())) return false;
  for (int i = 0; i < type.num_fields(); ++i) {
    const bool is_named = type.id() == arrow::Type::STRUCT;
    if (is_named && type.field(i)->name() != field.children[i].name) return false;
    if (!Matches(*type.field(i)->type(), field.children[i])) return false;
  }
  return true;
}

/// The same array with storage types in place of extension types, at every level.
std::shared_ptr<arrow::ArrayData> WithStorageTypes(const arrow::ArrayData& array) {
  auto plain = array.Copy();
  if (plain->type->id() == arrow::Type::EXTENSION) {
    plain->type = static_cast<const arrow::ExtensionType&>(*plain->type).storage_type();
  }
  if (plain->child_data.empty()) return plain;
  arrow::FieldVector fields = plain->type->fields();
  for (size_t i = 0; i < plain->child_data.size(); ++i) {
    plain->child_data[i] = WithStorageTypes(*plain->child_data[i]);
    fields[i] = fields[i]->WithType(plain->child_data[i]->type);
  }
  switch (plain->type->id()) {
    case arrow::Type::LIST:
      plain->type = arrow::list(fields[0]);
      break;
    case arrow::Type::LARGE_LIST:
      plain->type = arrow::large_list(fields[0]);
      break;
    case arrow::Type::FIXED_SIZE_LIST:
      plain->type = arrow::fixed_size_list(
          fields[0], static_cast<const arrow::FixedSizeListType&>(*plain->type).list_size());
      break;
    case arrow::Type::MAP:
      plain->type = std::make_shared<arrow::MapType>(fields[0]);
      break;
    case arrow::Type::STRUCT:
      plain->type = arrow::struct_(fields);
      break;
    default:
      // No other type with children passes the check against the schema.
      break;
  }
  return plain;
}

/// The bits that say which rows of `array` are valid, from its first row on; null if all are.
Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array,
                                                  arrow::MemoryPool* pool) {
  if (array.null_count() == 0) return nullptr;
  return arrow::internal::CopyBitmap(pool, array.null_bitmap_data(), array.offset(),
                                     array.length());
}

/// Pages that are encoded by several threads and written in their order.
class PageBatch {
 public:
  struct Job {
    size_t column;
    PageRows rows;
  };
  using Encode = std::function<Result<EncodedPage>(Job*)>;
  using Write = std::function<Status(Job, EncodedPage)>;

  PageBatch(std::vector<Job> jobs, Encode encode, Write write)
      : jobs_(std::move(jobs)),
        pages_(jobs_.size()),
        encode_(std::move(encode)),
        write_(std::move(write)) {}

  int64_t size() const { return std::ssize(jobs_); }

  /// Encodes page `i`, and writes it and those behind it that waited for it, unless another thread
  /// writes: that one goes on with them.
  Status Run(int64_t i) {
    ARROW_ASSIGN_OR_RAISE(EncodedPage page, encode_(&jobs_[i]));
    std::unique_lock lock(mutex_);
    pages_[i] = std::move(page);
    if (is_writing_) return Status::OK();
    is_writing_ = true;  // for good, if a write fails
    while (next_ < pages_.size() && pages_[next_]) {
      EncodedPage ready = *std::move(pages_[next_]);
      pages_[next_].reset();
      Job job = std::move(jobs_[next_++]);
      lock.unlock();
      ARROW_RETURN_NOT_OK(write_(std::move(job), std::move(ready)));
      lock.lock();
    }
    is_writing_ = false;
    return Status::OK();
  }

 private:
  std::vector<Job> jobs_;
  std::vector<std::optional<EncodedPage>> pages_;
  const Encode encode_;
  const Write write_;
  std::mutex mutex_;
  size_t next_ = 0;  ///< to be written
  bool is_writing_ = false;
};

class FileWriterImpl final : public FileWriter {
 public:
  FileWriterImpl(std::string path, const FileWriterOptions& options, OperationContext context)
      : path_(std::move(path)), options_(options), context_(std::move(context)) {}

  /// The columns of `schema`, which this owns from now on; their fields are in it. Then creates the
  /// file.
  Status Begin(Schema schema, io::ObjectStore* store);

  Status Write(const arrow::RecordBatch& batch) override;
  int64_t bytes_written() const override { return file_->bytes_written(); }
  int64_t bytes_in_flight() const override { return queued_bytes_ + batch_bytes_; }
  Status Drain() override;
  Status AddSchemaMetadata(std::string key, std::string value) override {
    ARROW_RETURN_NOT_OK(state_);
    schema_.metadata[std::move(key)] = std::move(value);
    return Status::OK();
  }
  Result<int32_t> AddGlobalBuffer(std::span<const uint8_t> bytes) override;
  Result<FileSummary> Finish() override;

 private:
  struct Column {
    size_t field;
    ColumnWriter writer;
    ColumnMetadata metadata;
    Annex::Column annex;
    int64_t rows_written = 0;
    BlobDescriptors blobs;

    bool is_blob() const { return writer.path().column().kind == ColumnKind::kBlob; }
  };

  /// Remembers the first error: the file cannot be finished after it.
  Status Fail(const Status& status) {
    if (!status.ok()) state_ = WithContext(status, "cannot write " + path_);
    return state_;
  }

  /// Checks that column `i` of a batch is what the schema says.
  Status CheckColumn(const arrow::ArrayData& array, size_t i) const;
  Status WriteColumns(const arrow::RecordBatch& batch);
  /// What is stored for `array`, rows of the stored field `field`: blobs of version 2, of which
  /// `number` were before it, as descriptors. Writes the bytes of inline ones.
  Result<std::shared_ptr<arrow::ArrayData>> StoreBlobs(const Field& field,
                                                       std::shared_ptr<arrow::ArrayData> array,
                                                       size_t* number);
  Result<std::shared_ptr<arrow::ArrayData>> StoreBlobs(const arrow::StructArray& prepared,
                                                       Annex::Column* annex);
  void Enqueue(size_t column, std::vector<PageRows> pages);
  Status FlushColumns();
  /// Encodes the pages that are queued while the caller goes on, once those before are written.
  Status StartEncoding();
  Status WaitForPages();
  Status WritePage(Column* column, EncodedPage page);
  Status WriteBlobs(Column* column, PageRows rows);
  Status WriteDescriptors(Column* column);
  Result<FileSummary> WriteEnd();

  const std::string path_;
  const FileWriterOptions options_;
  const OperationContext context_;
  std::unique_ptr<FileContainer> file_;
  Schema schema_;          ///< of stored fields
  Schema encoded_schema_;  ///< the same as they are encoded; `columns_` point into it
  std::vector<std::unique_ptr<Column>> columns_;
  std::vector<size_t> blob_columns_;  ///< those that are blobs of version 2
  std::mutex file_mutex_;             ///< for what is written while pages are
  int64_t num_rows_ = 0;
  std::vector<PageBatch::Job> queue_;
  int64_t queued_bytes_ = 0;
  int64_t batch_bytes_ = 0;  ///< of the pages that are being encoded
  Status state_;
  /// Destroyed first: it uses what stands above.
  std::unique_ptr<BackgroundWork> work_;
};

Status FileWriterImpl::Begin(Schema schema, io::ObjectStore* store) {
  ARROW_RETURN_NOT_OK(CheckBlobs(schema, options_.minor_version));
  schema_ = StoredFields(std::move(schema));
  encoded_schema_ = EncodedFields(schema_);
  ARROW_ASSIGN_OR_RAISE(auto planned, PlanColumns(encoded_schema_, options_.minor_version));
  size_t number = 0;
  for (const Field& field : schema_.fields) {
    for (const PhysicalColumn& column : PhysicalColumns(field, options_.minor_version)) {
      if (column.field->is_blob_v2()) blob_columns_.push_back(number);
      ++number;
    }
  }
  const auto share =
      std::max(kMinPageBytes, kMaxPendingBytes / std::max<int64_t>(1, std::ssize(planned)));
  const int64_t page_bytes = std::min(options_.page_bytes, share);
  for (PlannedColumn& column : planned) {
    columns_.push_back(std::make_unique<Column>(
        Column{.field = column.field,
               .writer = ColumnWriter(std::move(column.path), std::move(column.format), page_bytes,
                                      options_.max_page_bytes, context_.pool),
               .metadata = {},
               .annex = {},
               .blobs = {}}));
  }
  return FileContainer::Create(store, path_, options_.minor_version, context_).Value(&file_);
}

Status FileWriterImpl::CheckColumn(const arrow::ArrayData& array, size_t i) const {
  const Field& field = schema_.fields[i];
  if (Matches(*array.type, field)) return Status::OK();
  return InvalidArgument("column '", field.name, "' of the batch has type ", array.type->ToString(),
                         ", the file has ", field.logical_type);
}

Status FileWriterImpl::WriteColumns(const arrow::RecordBatch& batch) {
  if (batch.num_columns() != static_cast<int>(schema_.fields.size())) {
    return InvalidArgument("batch has ", batch.num_columns(), " columns, the file ",
                           schema_.fields.size());
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  size_t num_blob_columns = 0;
  for (size_t i = 0; i < schema_.fields.size(); ++i) {
    const auto array = batch.column_data(static_cast<int>(i));
    if (array->length != batch.num_rows()) {
      return InvalidArgument("column '", schema_.fields[i].name, "' has ", array->length,
                             " rows, its batch ", batch.num_rows());
    }
    ARROW_RETURN_NOT_OK(CheckColumn(*array, i));
    ARROW_ASSIGN_OR_RAISE(
        arrays.emplace_back(),
        StoreBlobs(schema_.fields[i], WithStorageTypes(*array), &num_blob_columns));
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    std::vector<PageRows> pages;
    ARROW_RETURN_NOT_OK(columns_[i]->writer.Append(*arrays[columns_[i]->field], &pages));
    Enqueue(i, std::move(pages));
  }
  num_rows_ += batch.num_rows();
  const int64_t window =
      std::min(kMaxWindowBytes, context_.executor->parallelism() * kWindowBytesPerThread);
  return queued_bytes_ >= window ? StartEncoding() : Status::OK();
}

Result<std::shared_ptr<arrow::ArrayData>> FileWriterImpl::StoreBlobs(
    const Field& field, std::shared_ptr<arrow::ArrayData> array, size_t* number) {
  if (!HasBlobsV2(field)) return array;
  if (IsListOfItems(*array->type)) {
    ARROW_ASSIGN_OR_RAISE(const auto lists, TrimItems(array, context_.pool));
    ARROW_ASSIGN_OR_RAISE(auto items, StoreBlobs(field.children[0], lists->child_data[0], number));
    return WithItems(*lists, std::move(items));
  }
  if (array->type->id() != arrow::Type::STRUCT) {
    return Unsupported("field '", field.name, "': blobs in ", array->type->ToString(),
                       " cannot be stored");
  }
  const arrow::StructArray structs(array);
  if (field.is_blob_v2()) {
    return StoreBlobs(structs, &columns_[blob_columns_[(*number)++]]->annex);
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  arrow::FieldVector fields;
  for (size_t i = 0; i < field.children.size(); ++i) {
    const auto child = static_cast<int>(i);
    ARROW_ASSIGN_OR_RAISE(children.emplace_back(),
                          StoreBlobs(field.children[i], structs.field(child)->data(), number));
    fields.push_back(array->type->field(child)->WithType(children.back()->type));
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(structs, context_.pool));
  return arrow::ArrayData::Make(arrow::struct_(fields), structs.length(), {std::move(validity)},
                                std::move(children));
}

Result<std::shared_ptr<arrow::ArrayData>> FileWriterImpl::StoreBlobs(
    const arrow::StructArray& prepared, Annex::Column* annex) {
  const auto kinds = prepared.field(kPreparedKind);
  const auto values = prepared.field(kPreparedData);
  const auto of_positions = prepared.field(kPreparedPosition);
  const auto of_sizes = prepared.field(kPreparedSize);
  const auto& data = static_cast<const arrow::LargeBinaryArray&>(*values);
  const auto* kind = kinds->data()->GetValues<uint8_t>(1);
  arrow::UInt64Builder positions(context_.pool);
  arrow::UInt64Builder sizes(context_.pool);
  Checksum checksum;
  std::vector<io::ByteRange> written;
  const std::lock_guard lock(file_mutex_);
  for (int64_t row = 0; row < prepared.length(); ++row) {
    auto position = of_positions->data()->GetValues<uint64_t>(1)[row];
    auto size = of_sizes->data()->GetValues<uint64_t>(1)[row];
    if (kind[row] == 0) {
      const std::string_view bytes = prepared.IsValid(row) ? data.GetView(row) : "";
      position = 0;
      size = bytes.size();
      if (size > 0) {
        ARROW_ASSIGN_OR_RAISE(written.emplace_back(), file_->Append(BytesOf(bytes)));
        position = static_cast<uint64_t>(written.back().offset);
        checksum.Update(BytesOf(bytes));
        checksum.Update(PaddingAt(written.back().offset + written.back().length));
      }
    }
    ARROW_RETURN_NOT_OK(positions.Append(position));
    ARROW_RETURN_NOT_OK(sizes.Append(size));
  }
  if (!written.empty()) {
    const int64_t begin = written.front().offset;
    annex->extents.push_back({.bytes = {.offset = begin, .length = file_->bytes_written() - begin},
                              .checksum = checksum.value()});
  }
  ARROW_ASSIGN_OR_RAISE(const auto position_array, positions.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto size_array, sizes.Finish());
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(prepared, context_.pool));
  const auto& type = *prepared.type();
  return arrow::ArrayData::Make(
      arrow::struct_({type.field(kPreparedKind), type.field(kPreparedPosition),
                      type.field(kPreparedSize), type.field(kPreparedBlobId),
                      type.field(kPreparedUri)}),
      prepared.length(), {std::move(validity)},
      {kinds->data(), position_array->data(), size_array->data(),
       prepared.field(kPreparedBlobId)->data(), prepared.field(kPreparedUri)->data()});
}

void FileWriterImpl::Enqueue(size_t column, std::vector<PageRows> pages) {
  for (PageRows& page : pages) {
    queued_bytes_ += page.bytes;
    queue_.push_back({.column = column, .rows = std::move(page)});
  }
}

Status FileWriterImpl::Write(const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(state_);
  return Fail(WriteColumns(batch));
}

Status FileWriterImpl::WaitForPages() {
  if (work_ == nullptr) return Status::OK();
  const Status status = work_->Wait();
  work_.reset();
  batch_bytes_ = 0;
  return status;
}

Status FileWriterImpl::StartEncoding() {
  ARROW_RETURN_NOT_OK(WaitForPages());
  ARROW_RETURN_NOT_OK(context_.CheckStop());
  const auto batch = std::make_shared<PageBatch>(
      std::move(queue_),
      [this](PageBatch::Job* job) -> Result<EncodedPage> {
        const Column& column = *columns_[job->column];
        if (column.is_blob()) return EncodedPage();
        return column.writer.Encode(std::move(job->rows), context_);
      },
      [this](PageBatch::Job job, EncodedPage page) {
        Column* column = columns_[job.column].get();
        const std::lock_guard lock(file_mutex_);
        return column->is_blob() ? WriteBlobs(column, std::move(job.rows))
                                 : WritePage(column, std::move(page));
      });
  const bool is_small = queued_bytes_ < kSmallBytes;
  queue_.clear();
  batch_bytes_ = std::exchange(queued_bytes_, 0);
  if (is_small) {
    for (int64_t i = 0; i < batch->size(); ++i) ARROW_RETURN_NOT_OK(batch->Run(i));
    batch_bytes_ = 0;
    return Status::OK();
  }
  work_ = context_.executor->Start(
      batch->size(), [batch](int64_t i) { return batch->Run(i); }, context_.stop);
  return Status::OK();
}

Status FileWriterImpl::WritePage(Column* column, EncodedPage encoded) {
  PageMetadata page;
  page.num_rows = encoded.num_rows;
  page.first_row = column->rows_written;
  for (const std::span<const uint8_t> buffer : encoded.buffers) {
    ARROW_ASSIGN_OR_RAISE(page.buffers.emplace_back(), file_->Append(buffer));
  }
  page.layout = std::move(encoded.layout);
  column->metadata.pages.push_back(std::move(page));
  column->annex.pages.push_back(std::move(encoded.summary));
  column->rows_written += encoded.num_rows;
  return Status::OK();
}

Status FileWriterImpl::WriteBlobs(Column* column, PageRows rows) {
  ARROW_ASSIGN_OR_RAISE(const LeafRows joined, ColumnWriter::Join(std::move(rows), context_.pool));
  Annex::Extent extent{.bytes = {.offset = file_->bytes_written()}};
  Checksum checksum;
  ARROW_RETURN_NOT_OK(
      column->blobs.Append(joined, [&](std::span<const uint8_t> bytes) -> Result<int64_t> {
        ARROW_ASSIGN_OR_RAISE(const io::ByteRange range, file_->Append(bytes));
        checksum.Update(bytes);
        checksum.Update(PaddingAt(range.offset + range.length));
        return range.offset;
      }));
  extent.bytes.length = file_->bytes_written() - extent.bytes.offset;
  extent.checksum = checksum.value();
  if (extent.bytes.length > 0) column->annex.extents.push_back(extent);
  return column->blobs.num_rows() >= kMaxDescriptors ? WriteDescriptors(column) : Status::OK();
}

Status FileWriterImpl::WriteDescriptors(Column* column) {
  if (column->blobs.num_rows() == 0) return Status::OK();
  const ColumnWriter& writer = column->writer;
  ARROW_ASSIGN_OR_RAISE(EncodedPage page,
                        column->blobs.Finish(writer.path().layers(), writer.format(), context_));
  return WritePage(column, std::move(page));
}

Status FileWriterImpl::FlushColumns() {
  for (size_t i = 0; i < columns_.size(); ++i) {
    std::vector<PageRows> pages;
    columns_[i]->writer.Finish(&pages);
    Enqueue(i, std::move(pages));
  }
  ARROW_RETURN_NOT_OK(StartEncoding());
  ARROW_RETURN_NOT_OK(WaitForPages());
  for (const auto& column : columns_) ARROW_RETURN_NOT_OK(WriteDescriptors(column.get()));
  return Status::OK();
}

Status FileWriterImpl::Drain() {
  ARROW_RETURN_NOT_OK(state_);
  ARROW_RETURN_NOT_OK(Fail(StartEncoding()));
  return Fail(WaitForPages());
}

Result<int32_t> FileWriterImpl::AddGlobalBuffer(std::span<const uint8_t> bytes) {
  ARROW_RETURN_NOT_OK(state_);
  ARROW_RETURN_NOT_OK(Fail(WaitForPages()));
  auto number = file_->AddGlobalBuffer(bytes);
  ARROW_RETURN_NOT_OK(Fail(number.status()));
  return number;
}

Result<FileSummary> FileWriterImpl::WriteEnd() {
  ARROW_RETURN_NOT_OK(FlushColumns());
  std::vector<FileContainer::Column> columns;
  columns.reserve(columns_.size());
  for (const auto& column : columns_) {
    columns.push_back(
        {.metadata = column->metadata.Serialize(), .annex = std::move(column->annex)});
  }
  return file_->Finish(schema_, num_rows_, std::move(columns));
}

Result<FileSummary> FileWriterImpl::Finish() {
  ARROW_RETURN_NOT_OK(state_);
  auto summary = WriteEnd();
  ARROW_RETURN_NOT_OK(Fail(summary.status()));
  state_ = InvalidArgument(path_, " is finished");
  return summary;
}

}  // namespace

Status CheckWritable(const Schema& schema, uint16_t minor_version) {
  ARROW_RETURN_NOT_OK(CheckBlobs(schema, minor_version));
  return PlanColumns(EncodedFields(StoredFields(schema)), minor_version).status();
}

Result<std::unique_ptr<FileWriter>> FileWriter::Open(io::ObjectStore* store, std::string_view path,
                                                     Schema schema,
                                                     const FileWriterOptions& options,
                                                     const OperationContext& context) {
  if (options.page_bytes <= 0) {
    return InvalidArgument("page_bytes is ", options.page_bytes, ", which must be positive");
  }
  auto writer = std::make_unique<FileWriterImpl>(std::string(path), options, context);
  ARROW_RETURN_NOT_OK(writer->Begin(std::move(schema), store));
  return writer;
}

}  // namespace tusk::lance
