#include "tusk/lance/file.h"

#include <algorithm>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "tusk/lance/file/batch_stream.h"
#include "tusk/lance/file/describe.h"
#include "tusk/lance/file/field_path.h"
#include "tusk/lance/file/file_state.h"
#include "tusk/lance/file/reader.h"
#include "tusk/lance/file/verify_file.h"
#include "tusk/lance/file_session.h"

namespace tusk::lance {

namespace {

using Columns = std::vector<FileReader::Column>;

/// The columns to read and the schema that they make.
struct FileProjection {
  Columns columns;
  std::shared_ptr<arrow::Schema> schema;
};

Result<FileProjection> Project(const File::State& file,
                               const std::optional<std::vector<std::string>>& names) {
  FileProjection projection;
  std::vector<std::string> all;
  if (!names) {
    for (const Field& field : file.reader->schema().fields)
      all.push_back(FormatFieldPath({field.name}));
  }
  auto columns = file.reader->FindColumns(names ? *names : all);
  if (!columns.ok()) return WithContext(columns.status(), file.location.path);
  projection.columns = *std::move(columns);
  arrow::FieldVector fields;
  for (const FileReader::Column& column : projection.columns) {
    ARROW_ASSIGN_OR_RAISE(auto field, ToArrowField(column.field));
    fields.push_back(std::move(field));
  }
  projection.schema = arrow::schema(std::move(fields), file.schema->metadata());
  return projection;
}

/// Rows of a file: a run of them, or those in a list.
class FileSource final : public RowSource {
 public:
  FileSource(std::shared_ptr<const File::State> file, FileProjection projection,
             std::optional<std::vector<int64_t>> taken)
      : file_(std::move(file)), projection_(std::move(projection)), taken_(std::move(taken)) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return projection_.schema; }
  RowSize GuessRowSize() const override {
    const int64_t rows = std::max<int64_t>(1, file_->reader->num_rows());
    return lance::GuessRowSize(*projection_.schema, file_->reader->file_size() / rows);
  }
  int64_t PieceEnd(int64_t /*row*/) const override {
    return taken_ ? std::ssize(*taken_) : file_->reader->num_rows();
  }
  Result<Piece> Read(RowRange rows, const OperationContext& context) const override {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (taken_) {
      const auto part = std::span(*taken_).subspan(rows.begin, rows.length());
      ARROW_ASSIGN_OR_RAISE(batch, file_->reader->TakeAgain(projection_.columns, part, context));
    } else {
      ARROW_ASSIGN_OR_RAISE(batch, file_->reader->ReadRange(projection_.columns, rows, context));
    }
    Piece piece;
    piece.bytes = arrow::util::TotalBufferSize(*batch);
    piece.batch = arrow::RecordBatch::Make(projection_.schema, rows.length(), batch->columns());
    return piece;
  }

 private:
  const std::shared_ptr<const File::State> file_;
  const FileProjection projection_;
  const std::optional<std::vector<int64_t>> taken_;
};

Result<BatchStreamOptions> StreamOptions(const FileReadOptions& options, RowRange rows) {
  if (options.batch_rows <= 0 || options.batch_bytes <= 0 || options.read_ahead_bytes <= 0) {
    return InvalidArgument("batches of ", options.batch_rows, " rows and ", options.batch_bytes,
                           " bytes with ", options.read_ahead_bytes,
                           " bytes of read-ahead: all of them must be positive");
  }
  return BatchStreamOptions{.rows = rows,
                            .batch_rows = options.batch_rows,
                            .batch_bytes = options.batch_bytes,
                            .read_ahead_bytes = options.read_ahead_bytes};
}

}  // namespace

Result<std::shared_ptr<const File>> File::Open(std::string_view uri,
                                               const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const io::StorePath location, io::ResolveUri(uri));
  return Open(location, context);
}

Result<std::shared_ptr<const File>> File::Open(const io::StorePath& location,
                                               const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(
      auto reader, FileReader::Open(location.store.get(), location.path, context,
                                    std::make_shared<RangeCache>(FileCacheOptions{}.range_bytes)));
  return State::Make(location, std::move(reader));
}

Result<std::shared_ptr<const File>> File::State::Make(io::StorePath location,
                                                      std::shared_ptr<const FileReader> reader) {
  auto state = std::make_shared<State>();
  auto schema = reader->schema().ToArrow();
  if (!schema.ok()) return WithContext(schema.status(), location.path);
  state->schema = *std::move(schema);
  state->version = "2." + std::to_string(reader->minor_version());
  state->location = std::move(location);
  state->reader = std::move(reader);
  return std::make_shared<const File>(std::move(state));
}

File::File(std::shared_ptr<const State> state) : state_(std::move(state)) {}
File::~File() = default;

const std::string& File::path() const { return state_->location.path; }
const std::string& File::data_storage_version() const { return state_->version; }
int64_t File::num_rows() const { return state_->reader->num_rows(); }
const std::shared_ptr<arrow::Schema>& File::schema() const { return state_->schema; }

Result<std::shared_ptr<arrow::Schema>> File::ProjectedSchema(const FileReadOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(const FileProjection projection, Project(*state_, options.columns));
  return projection.schema;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> File::Read(
    int64_t first_row, int64_t num_rows, const FileReadOptions& options,
    const OperationContext& context) const {
  const int64_t all = this->num_rows();
  if (first_row < 0 || num_rows < 0 || first_row > all || num_rows > all - first_row) {
    return InvalidArgument(state_->location.path, ": ", num_rows, " rows from row ", first_row,
                           " on are not inside the file's ", all);
  }
  const RowRange rows{.begin = first_row, .end = first_row + num_rows};
  ARROW_ASSIGN_OR_RAISE(const BatchStreamOptions stream, StreamOptions(options, rows));
  ARROW_ASSIGN_OR_RAISE(FileProjection projection, Project(*state_, options.columns));
  auto source = std::make_shared<FileSource>(state_, std::move(projection), std::nullopt);
  return MakeBatchStream(std::move(source), stream, context);
}

Result<std::shared_ptr<arrow::RecordBatchReader>> File::Take(
    std::vector<int64_t> rows, const FileReadOptions& options,
    const OperationContext& context) const {
  const auto outside =
      std::ranges::find_if(rows, [&](int64_t row) { return row < 0 || row >= num_rows(); });
  if (outside != rows.end()) {
    return InvalidArgument(state_->location.path, ": row ", *outside, " is not one of the file's ",
                           num_rows());
  }
  ARROW_ASSIGN_OR_RAISE(BatchStreamOptions stream,
                        StreamOptions(options, {.begin = 0, .end = std::ssize(rows)}));
  stream.starts_wide = true;
  ARROW_ASSIGN_OR_RAISE(FileProjection projection, Project(*state_, options.columns));
  auto source = std::make_shared<FileSource>(state_, std::move(projection), std::move(rows));
  return MakeBatchStream(std::move(source), stream, context);
}

Result<std::shared_ptr<arrow::Buffer>> File::ReadGlobalBuffer(
    int64_t index, const OperationContext& context) const {
  return lance::ReadGlobalBuffer(state_->location, index, context);
}

Result<FileDescription> File::Describe(const OperationContext& context) const {
  return DescribeFile(state_->location, context);
}

Result<FileVerification> File::Verify(const OperationContext& context) const {
  return VerifyFile(state_->location, context);
}

}  // namespace tusk::lance
