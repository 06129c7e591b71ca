#include "tusk/lake/picture_stream.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table_builder.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>

#include "tusk/base/sha256.h"
#include "tusk/lake/image.h"

namespace tusk::lake {
namespace {

/// A batch is closed when it holds this many bytes of files, whatever their number.
constexpr int64_t kBatchBytes = int64_t{64} << 20;
/// Pixels are encoded and dropped when this many bytes of them have gathered, and a window is
/// closed when its files will make as many: a small file can hold a large picture.
constexpr int64_t kPixelBytes = int64_t{256} << 20;
/// Files are read and decoded in windows: enough of them to keep the threads busy, few enough that
/// their pixels (ten or twenty times their bytes) are no burden.
constexpr int64_t kWindowFiles = 64;
constexpr int64_t kWindowBytesPerThread = int64_t{4} << 20;
/// Far beyond pictures, and within what one value of a binary column holds.
constexpr int64_t kMaxFileBytes = int64_t{1} << 30;

/// True if `status` tells of the file that was read and not of the run as a whole.
bool IsAboutTheFile(const Status& status) {
  switch (GetErrorCode(status).value_or(ErrorCode::kInvalidArgument)) {
    case ErrorCode::kCancelled:
    case ErrorCode::kOutOfBudget:
      return false;
    default:
      return true;
  }
}

bool IsUtf8(std::string_view text) { return arrow::util::UTF8ToWideString(text).ok(); }

/// The name of the folder that holds the file.
std::string_view FolderName(std::string_view path) {
  const size_t end = path.rfind('/');
  if (end == path.npos) return {};
  path = path.substr(0, end);
  const size_t begin = path.rfind('/');
  return begin == path.npos ? path : path.substr(begin + 1);
}

}  // namespace

struct PictureStream::Picture {
  std::string path;
  std::string content_id;
  ContentDigest digest = {};
  std::shared_ptr<arrow::Buffer> bytes;
  bool repeats = false;  ///< the content came earlier in this window
  Status error;          ///< of decoding
  Image image;
};

struct PictureStream::Batch {
  struct Row {
    std::string path;
    std::string content_id;
    std::shared_ptr<arrow::Buffer> bytes;
    int32_t width;
    int32_t height;
    std::string media_type;
  };
  std::vector<Row> rows;
  int64_t file_bytes = 0;
  std::vector<Image> pixels;  ///< of the last rows, those that have no vector yet
  int64_t pixel_bytes = 0;
  std::vector<float> vectors;  ///< [rows.size() - pixels.size(), dimension]
};

std::shared_ptr<arrow::Schema> PictureSchema(int32_t dimension) {
  return arrow::schema(
      {arrow::field("content_id", arrow::utf8(), /*nullable=*/false),
       arrow::field("image", arrow::binary(), /*nullable=*/false),
       arrow::field("embedding", arrow::fixed_size_list(arrow::float32(), dimension),
                    /*nullable=*/false)});
}

std::shared_ptr<arrow::Schema> PictureMetadataSchema() {
  const auto required = [](const char* name, std::shared_ptr<arrow::DataType> type) {
    return arrow::field(name, std::move(type), /*nullable=*/false);
  };
  return arrow::schema({required("content_id", arrow::utf8()),
                        required("source_path", arrow::utf8()),
                        arrow::field("label", arrow::utf8()), required("split", arrow::utf8()),
                        required("width", arrow::int32()), required("height", arrow::int32()),
                        required("bytes", arrow::int64()), required("media_type", arrow::utf8()),
                        required("ingested_at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                        required("embedding_model", arrow::utf8())});
}

PictureStream::PictureStream(Source source, IngestOptions options, const OperationContext& context)
    : source_(std::move(source)), options_(std::move(options)), context_(context) {}

Result<std::shared_ptr<PictureStream>> PictureStream::Make(Source source, IngestOptions options,
                                                           const OperationContext& context) {
  if (options.encoder == nullptr) return InvalidArgument("ingestion without an encoder");
  if (options.encoder->dimension() < 1) {
    return InvalidArgument("encoder ", options.encoder->model(), " makes vectors of ",
                           options.encoder->dimension(), " dimensions");
  }
  if (options.batch_files < 1) {
    return InvalidArgument("batches of ", options.batch_files, " files: at least 1 is needed");
  }
  return std::shared_ptr<PictureStream>(
      new PictureStream(std::move(source), std::move(options), context));
}

Result<bool> PictureStream::HasPictures() {
  if (read_ahead_ == nullptr && report_.added == 0) {
    ARROW_ASSIGN_OR_RAISE(read_ahead_, MakeBatch());
  }
  return report_.added > 0;
}

Result<std::shared_ptr<arrow::RecordBatch>> PictureStream::NextPictures() {
  if (read_ahead_ != nullptr) return std::exchange(read_ahead_, nullptr);
  return MakeBatch();
}

Result<std::shared_ptr<arrow::RecordBatch>> PictureStream::NextMetadata() {
  if (!at_end_ || read_ahead_ != nullptr) {
    return InvalidArgument("the metadata of pictures is there when all pictures are read");
  }
  if (metadata_.empty()) return nullptr;
  auto batch = std::move(metadata_.front());
  metadata_.pop_front();
  return batch;
}

Result<std::shared_ptr<arrow::RecordBatch>> PictureStream::MakeBatch() {
  Batch batch;
  while (std::ssize(batch.rows) < options_.batch_files && batch.file_bytes < kBatchBytes &&
         next_path_ < source_.paths.size()) {
    ARROW_ASSIGN_OR_RAISE(std::vector<Picture> window,
                          ReadWindow(options_.batch_files - std::ssize(batch.rows)));
    ARROW_RETURN_NOT_OK(DecodeAll(&window));
    ARROW_RETURN_NOT_OK(AddToBatch(std::move(window), &batch));
    if (batch.pixel_bytes >= kPixelBytes) ARROW_RETURN_NOT_OK(EncodePixels(&batch));
  }
  ARROW_RETURN_NOT_OK(EncodePixels(&batch));
  ReportProgress(static_cast<int64_t>(next_path_));
  if (batch.rows.empty()) {
    at_end_ = true;
    return nullptr;
  }
  ARROW_ASSIGN_OR_RAISE(auto metadata, BuildMetadata(batch));
  ARROW_ASSIGN_OR_RAISE(auto pictures, BuildPictures(batch));
  metadata_.push_back(std::move(metadata));
  report_.added += std::ssize(batch.rows);
  report_.added_bytes += batch.file_bytes;
  return pictures;
}

Result<std::vector<PictureStream::Picture>> PictureStream::ReadWindow(int64_t max_files) {
  const int64_t limit = std::min(max_files, kWindowFiles);
  const int64_t byte_limit = kWindowBytesPerThread * context_.executor->parallelism();
  std::vector<Picture> window;
  int64_t bytes = 0;
  int64_t pixel_bytes = 0;
  while (std::ssize(window) < limit && bytes < byte_limit && pixel_bytes < kPixelBytes &&
         next_path_ < source_.paths.size()) {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    ReportProgress(static_cast<int64_t>(next_path_) - std::ssize(window));
    Picture picture;
    picture.path = source_.paths[next_path_++];
    ++report_.files;
    if (!IsUtf8(picture.path)) {
      Skip(picture.path, "its path is not UTF-8");
      continue;
    }
    auto read = ReadFile(picture.path);
    if (!read.ok()) {
      if (!IsAboutTheFile(read.status())) return read.status();
      Skip(picture.path, read.status().message());
      continue;
    }
    picture.bytes = std::move(read).ValueUnsafe();
    ARROW_ASSIGN_OR_RAISE(
        picture.content_id,
        Sha256Hex({picture.bytes->data(), static_cast<size_t>(picture.bytes->size())}));
    ARROW_ASSIGN_OR_RAISE(picture.digest, ParseContentId(picture.content_id));
    if (source_.known.Contains(picture.digest)) {
      ++report_.duplicates;
      continue;
    }
    if (const auto broken = broken_.find(picture.digest); broken != broken_.end()) {
      Skip(picture.path, broken->second);
      continue;
    }
    picture.repeats = std::ranges::any_of(
        window, [&](const Picture& earlier) { return earlier.digest == picture.digest; });
    if (picture.repeats) {
      picture.bytes = nullptr;
    } else {
      bytes += picture.bytes->size();
      pixel_bytes +=
          ClaimedPixelBytes({picture.bytes->data(), static_cast<size_t>(picture.bytes->size())});
    }
    window.push_back(std::move(picture));
  }
  return window;
}

Result<std::shared_ptr<arrow::Buffer>> PictureStream::ReadFile(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const io::OpenedObject file,
                        source_.store->Open(path, /*tail_length=*/0, context_));
  const int64_t size = file.reader->size();
  if (size > kMaxFileBytes) {
    return Unsupported("it has ", size, " bytes: more than ", kMaxFileBytes, " are not supported");
  }
  return file.reader->ReadOne({.offset = 0, .length = size}, context_);
}

Status PictureStream::DecodeAll(std::vector<Picture>* pictures) {
  const auto decode = [pictures](int64_t i) {
    Picture& picture = (*pictures)[i];
    if (picture.repeats) return Status::OK();
    auto image = DecodeImage({picture.bytes->data(), static_cast<size_t>(picture.bytes->size())});
    picture.error = image.status();
    if (image.ok()) {
      picture.image = std::move(image).ValueUnsafe();
      return Status::OK();
    }
    return IsAboutTheFile(picture.error) ? Status::OK() : picture.error;
  };
  return context_.executor->ParallelFor(std::ssize(*pictures), decode, context_.stop,
                                        /*while_waiting=*/nullptr);
}

Status PictureStream::AddToBatch(std::vector<Picture> pictures, Batch* batch) {
  for (Picture& picture : pictures) {
    if (picture.repeats) {
      const auto broken = broken_.find(picture.digest);
      if (broken == broken_.end()) {
        ++report_.duplicates;
      } else {
        Skip(picture.path, broken->second);
      }
      continue;
    }
    if (!picture.error.ok()) {
      broken_.emplace(picture.digest, picture.error.message());
      Skip(picture.path, picture.error.message());
      continue;
    }
    source_.known.Add(picture.digest);
    batch->file_bytes += picture.bytes->size();
    batch->rows.push_back({.path = std::move(picture.path),
                           .content_id = std::move(picture.content_id),
                           .bytes = std::move(picture.bytes),
                           .width = picture.image.width,
                           .height = picture.image.height,
                           .media_type = picture.image.media_type});
    batch->pixel_bytes += std::ssize(picture.image.rgb);
    batch->pixels.push_back(std::move(picture.image));
  }
  return Status::OK();
}

Status PictureStream::EncodePixels(Batch* batch) {
  if (batch->pixels.empty()) return Status::OK();
  const size_t dimension = options_.encoder->dimension();
  const size_t begin = batch->vectors.size();
  batch->vectors.resize(begin + batch->pixels.size() * dimension);
  ARROW_RETURN_NOT_OK(
      options_.encoder->Encode(batch->pixels, std::span(batch->vectors).subspan(begin), context_));
  batch->pixels.clear();
  batch->pixel_bytes = 0;
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> PictureStream::BuildPictures(const Batch& batch) {
  arrow::StringBuilder content_id(context_.pool);
  arrow::BinaryBuilder image(context_.pool);
  ARROW_RETURN_NOT_OK(image.ReserveData(batch.file_bytes));
  for (const Batch::Row& row : batch.rows) {
    ARROW_RETURN_NOT_OK(content_id.Append(row.content_id));
    ARROW_RETURN_NOT_OK(image.Append(std::string_view(*row.bytes)));
  }
  auto values = std::make_shared<arrow::FloatBuilder>(context_.pool);
  arrow::FixedSizeListBuilder embedding(context_.pool, values, options_.encoder->dimension());
  ARROW_RETURN_NOT_OK(embedding.AppendValues(std::ssize(batch.rows)));
  ARROW_RETURN_NOT_OK(values->AppendValues(batch.vectors));
  ARROW_ASSIGN_OR_RAISE(auto content_ids, content_id.Finish());
  ARROW_ASSIGN_OR_RAISE(auto images, image.Finish());
  ARROW_ASSIGN_OR_RAISE(auto embeddings, embedding.Finish());
  return arrow::RecordBatch::Make(
      PictureSchema(options_.encoder->dimension()), std::ssize(batch.rows),
      {std::move(content_ids), std::move(images), std::move(embeddings)});
}

Result<std::shared_ptr<arrow::RecordBatch>> PictureStream::BuildMetadata(const Batch& batch) {
  const auto schema = PictureMetadataSchema();
  ARROW_ASSIGN_OR_RAISE(
      auto builder, arrow::RecordBatchBuilder::Make(schema, context_.pool, std::ssize(batch.rows)));
  const auto text = [&](int column, std::string_view value) {
    return builder->GetFieldAs<arrow::StringBuilder>(column)->Append(value);
  };
  for (const Batch::Row& row : batch.rows) {
    ARROW_ASSIGN_OR_RAISE(const std::string split, SplitOf(row.content_id));
    ARROW_RETURN_NOT_OK(text(0, row.content_id));
    ARROW_RETURN_NOT_OK(text(1, row.path));
    ARROW_RETURN_NOT_OK(options_.label_from == LabelFrom::kFolder
                            ? text(2, FolderName(row.path))
                            : builder->GetField(2)->AppendNull());
    ARROW_RETURN_NOT_OK(text(3, split));
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::Int32Builder>(4)->Append(row.width));
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::Int32Builder>(5)->Append(row.height));
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::Int64Builder>(6)->Append(row.bytes->size()));
    ARROW_RETURN_NOT_OK(text(7, row.media_type));
    ARROW_RETURN_NOT_OK(
        builder->GetFieldAs<arrow::TimestampBuilder>(8)->Append(source_.ingested_at_us));
    ARROW_RETURN_NOT_OK(text(9, options_.encoder->model()));
  }
  return builder->Flush();
}

void PictureStream::Skip(const std::string& path, const std::string& reason) {
  report_.skipped.push_back({path, reason});
}

void PictureStream::ReportProgress(int64_t done) {
  if (context_.progress == nullptr) return;
  context_.progress->Report("files", done, std::ssize(source_.paths));
}

namespace {

/// One side of a stream as a reader.
class StreamReader final : public arrow::RecordBatchReader {
 public:
  using Next = Result<std::shared_ptr<arrow::RecordBatch>> (PictureStream::*)();
  StreamReader(std::shared_ptr<PictureStream> stream, std::shared_ptr<arrow::Schema> schema,
               Next next)
      : stream_(std::move(stream)), schema_(std::move(schema)), next_(next) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    return ((*stream_).*next_)().Value(batch);
  }

 private:
  std::shared_ptr<PictureStream> stream_;
  std::shared_ptr<arrow::Schema> schema_;
  Next next_;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> ReadPictures(std::shared_ptr<PictureStream> stream) {
  auto schema = PictureSchema(stream->dimension());
  return std::make_shared<StreamReader>(std::move(stream), std::move(schema),
                                        &PictureStream::NextPictures);
}

std::shared_ptr<arrow::RecordBatchReader> ReadMetadata(std::shared_ptr<PictureStream> stream) {
  return std::make_shared<StreamReader>(std::move(stream), PictureMetadataSchema(),
                                        &PictureStream::NextMetadata);
}

}  // namespace tusk::lake
