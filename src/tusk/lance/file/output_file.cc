#include "tusk/lance/output_file.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/batch_shaper.h"
#include "tusk/lance/file/blob_values.h"
#include "tusk/lance/file/data_version.h"
#include "tusk/lance/file/described_blobs.h"
#include "tusk/lance/file/page_options.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/file/writer.h"

namespace tusk::lance {
namespace {

constexpr int64_t kMinColumnCacheBytes = 64 << 10;

/// As pylance, which finds a dotted name to be the path of a nested field.
Status CheckNames(const arrow::Schema& schema) {
  for (const auto& field : schema.fields()) {
    if (field->name().find('.') != std::string::npos) {
      return InvalidArgument("cannot write a column '", field->name(),
                             "': a dot in a name stands before a nested field in Lance files");
    }
  }
  return Status::OK();
}

/// What lies in files beside a data file has no place beside a file of a user's, unless the user
/// has written these and says where it lies.
Status CheckBlobs(const std::vector<Field>& fields, const arrow::FieldVector& given) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    if (field.is_blob_v2() && field.parent_id < 0 && IsDescribedBlob(*given[i]->type())) continue;
    if (field.is_blob_v2()) {
      return Unsupported("field '", field.name, "': the file has no place for blobs as ",
                         given[i]->type()->ToString(),
                         ": write them to a table, or describe them (BlobDescriptorArrayBuilder)");
    }
    if (field.children.size() != static_cast<size_t>(given[i]->type()->num_fields())) continue;
    ARROW_RETURN_NOT_OK(CheckBlobs(field.children, given[i]->type()->fields()));
  }
  return Status::OK();
}

/// Batches of schema `data` with blobs as FileWriter takes them.
std::shared_ptr<arrow::Schema> PreparedSchema(const arrow::Schema& data, const Schema& file) {
  arrow::FieldVector fields = data.fields();
  for (auto& field : fields) {
    const Field* stored = file.FindField(field->name());
    if (stored == nullptr || !stored->is_blob_v2() || !IsDescribedBlob(*field->type())) continue;
    field = field->WithType(PreparedBlobType());
  }
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::RecordBatch>> PrepareBlobs(
    const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& prepared,
    arrow::MemoryPool* pool) {
  arrow::ArrayVector columns = batch.columns();
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& field = prepared->field(i);
    if (columns[i]->type()->Equals(*field->type())) continue;
    auto described =
        PrepareDescribedBlobs(static_cast<const arrow::StructArray&>(*columns[i]), pool);
    if (!described.ok()) return WithContext(described.status(), "column '" + field->name() + "'");
    columns[i] = *std::move(described);
  }
  return arrow::RecordBatch::Make(prepared, batch.num_rows(), std::move(columns));
}

}  // namespace

Result<FileWriterOptions> WriterOptionsOf(const PageOptions& pages, int64_t num_columns,
                                          uint16_t minor_version) {
  if (pages.data_cache_bytes && *pages.data_cache_bytes < 0) {
    return InvalidArgument("data_cache_bytes must not be negative, but is ",
                           *pages.data_cache_bytes);
  }
  if (pages.max_page_bytes && *pages.max_page_bytes <= 0) {
    return InvalidArgument("max_page_bytes must be greater than 0, but is ", *pages.max_page_bytes);
  }
  FileWriterOptions options;
  options.minor_version = minor_version;
  if (pages.data_cache_bytes) {
    options.page_bytes =
        std::max(kMinColumnCacheBytes, *pages.data_cache_bytes / std::max<int64_t>(1, num_columns));
  }
  options.max_page_bytes = pages.max_page_bytes.value_or(options.max_page_bytes);
  options.page_bytes = std::min(options.page_bytes, options.max_page_bytes);
  return options;
}

struct OutputFile::State {
  /// Opens the file itself, now that its columns are known.
  Status Begin(const arrow::Schema& arrow_schema);
  /// Makes `shaper` fit for batches of this schema.
  Status FitShaper(const std::shared_ptr<arrow::Schema>& data);
  Status Write(const arrow::RecordBatch& batch);
  Status Finish();
  Status CheckUsable() const;
  /// Gives `status` on. After an error the file can only be given up, which is done at once.
  Status Keep(Status status);

  io::StorePath location;
  OutputFileOptions options;
  OperationContext context;
  uint16_t minor_version = 2;

  std::unique_ptr<FileWriter> writer;  ///< null while the columns are not known
  Schema schema;
  std::optional<BatchShaper> shaper;
  std::shared_ptr<arrow::Schema> shaped;    ///< the batches that were given to be shaped last
  std::shared_ptr<arrow::Schema> prepared;  ///< the same with blobs prepared: `shaper` is for these
  bool has_blobs = false;

  /// Given before the columns were known.
  std::vector<std::string> early_buffers;
  std::map<std::string, std::string> early_metadata;

  int64_t num_rows = 0;
  int64_t size_bytes = 0;
  bool finished = false;
  Status failure;
};

Status OutputFile::State::Begin(const arrow::Schema& arrow_schema) {
  ARROW_RETURN_NOT_OK(CheckNames(arrow_schema));
  const auto stored = WithoutViews(std::make_shared<arrow::Schema>(arrow_schema));
  ARROW_ASSIGN_OR_RAISE(schema, Schema::FromArrow(*stored));
  ARROW_RETURN_NOT_OK(CheckBlobs(schema.fields, stored->fields()));
  for (const Field& field : schema.fields) has_blobs = has_blobs || field.is_blob_v2();
  ARROW_ASSIGN_OR_RAISE(const FileWriterOptions writer_options,
                        WriterOptionsOf(options.pages, std::ssize(schema.fields), minor_version));
  ARROW_ASSIGN_OR_RAISE(writer, FileWriter::Open(location.store.get(), location.path, schema,
                                                 writer_options, context));
  for (auto& [key, value] : std::exchange(early_metadata, {})) {
    ARROW_RETURN_NOT_OK(writer->AddSchemaMetadata(key, std::move(value)));
  }
  for (const std::string& bytes : std::exchange(early_buffers, {})) {
    const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
    ARROW_RETURN_NOT_OK(writer->AddGlobalBuffer({data, bytes.size()}));
  }
  return Status::OK();
}

Status OutputFile::State::FitShaper(const std::shared_ptr<arrow::Schema>& data) {
  if (shaped == data) return Status::OK();
  if (shaped != nullptr && shaped->Equals(*data, /*check_metadata=*/true)) return Status::OK();
  prepared = PreparedSchema(*data, schema);
  Schema stored = schema;
  for (Field& field : stored.fields) field = PreparedForm(std::move(field));
  ARROW_ASSIGN_OR_RAISE(shaper, BatchShaper::Make(*prepared, stored));
  shaped = data;
  return Status::OK();
}

Status OutputFile::State::Write(const arrow::RecordBatch& batch) {
  if (writer == nullptr) ARROW_RETURN_NOT_OK(Begin(*batch.schema()));
  ARROW_RETURN_NOT_OK(FitShaper(batch.schema()));
  const arrow::RecordBatch* rows = &batch;
  std::shared_ptr<arrow::RecordBatch> with_blobs;
  if (has_blobs) {
    ARROW_ASSIGN_OR_RAISE(with_blobs, PrepareBlobs(batch, prepared, context.pool));
    rows = with_blobs.get();
  }
  bool begun = false;
  const Status status = shaper->Shape(*rows, context, [&](const arrow::RecordBatch& piece) {
    begun = true;
    return writer->Write(piece);
  });
  // A batch that was refused as a whole is not missing in the file.
  if (!status.ok()) return begun ? Keep(status) : status;
  num_rows += batch.num_rows();
  size_bytes = writer->bytes_written();
  return Status::OK();
}

Status OutputFile::State::CheckUsable() const {
  if (finished) return InvalidArgument(location.path, " is finished");
  return failure;
}

Status OutputFile::State::Keep(Status status) {
  if (!status.ok()) {
    failure = std::move(status);
    writer.reset();
  }
  return failure;
}

Status OutputFile::State::Finish() {
  if (writer == nullptr) {
    return InvalidArgument(
        "cannot finish ", location.path,
        ": neither a schema nor a batch was given, so its columns are not known");
  }
  ARROW_ASSIGN_OR_RAISE(const FileSummary summary, writer->Finish());
  size_bytes = summary.size_bytes;
  finished = true;
  return Status::OK();
}

Result<std::unique_ptr<OutputFile>> OutputFile::Open(io::StorePath location,
                                                     const std::shared_ptr<arrow::Schema>& schema,
                                                     const OutputFileOptions& options,
                                                     const OperationContext& context) {
  auto state = std::make_unique<State>();
  ARROW_ASSIGN_OR_RAISE(state->minor_version, ParseDataVersion(options.data_storage_version));
  ARROW_RETURN_NOT_OK(WriterOptionsOf(options.pages, /*num_columns=*/1, state->minor_version));
  state->location = std::move(location);
  state->options = options;
  state->context = context;
  if (schema != nullptr) ARROW_RETURN_NOT_OK(state->Begin(*schema));
  return std::make_unique<OutputFile>(std::move(state));
}

OutputFile::OutputFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
OutputFile::~OutputFile() = default;

int64_t OutputFile::num_rows() const { return state_->num_rows; }
int64_t OutputFile::size_bytes() const { return state_->size_bytes; }

Status OutputFile::Write(const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(state_->CheckUsable());
  return state_->Write(batch);
}

Status OutputFile::WriteAll(arrow::RecordBatchReader* data) {
  ARROW_RETURN_NOT_OK(state_->CheckUsable());
  if (state_->writer == nullptr) ARROW_RETURN_NOT_OK(state_->Begin(*data->schema()));
  while (true) {
    ARROW_RETURN_NOT_OK(state_->context.CheckStop());
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(data->ReadNext(&batch));
    if (batch == nullptr) return Status::OK();
    ARROW_RETURN_NOT_OK(Write(*batch));
  }
}

Result<int32_t> OutputFile::AddGlobalBuffer(std::span<const uint8_t> bytes) {
  ARROW_RETURN_NOT_OK(state_->CheckUsable());
  if (state_->writer == nullptr) {
    state_->early_buffers.emplace_back(bytes.begin(), bytes.end());
    return static_cast<int32_t>(state_->early_buffers.size());
  }
  auto number = state_->writer->AddGlobalBuffer(bytes);
  ARROW_RETURN_NOT_OK(state_->Keep(number.status()));
  state_->size_bytes = state_->writer->bytes_written();
  return number;
}

Status OutputFile::AddSchemaMetadata(std::string key, std::string value) {
  ARROW_RETURN_NOT_OK(state_->CheckUsable());
  if (state_->writer != nullptr) {
    return state_->writer->AddSchemaMetadata(std::move(key), std::move(value));
  }
  state_->early_metadata.insert_or_assign(std::move(key), std::move(value));
  return Status::OK();
}

Status OutputFile::Finish() {
  ARROW_RETURN_NOT_OK(state_->CheckUsable());
  return state_->Keep(state_->Finish());
}

void OutputFile::Abandon() {
  (void)state_->Keep(InvalidArgument(state_->location.path, " was given up"));
}

}  // namespace tusk::lance
