#include "tusk/lake/picture_stream.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table_builder.h>
#include <arrow/type.h>

#include "tusk/base/sha256.h"
#include "tusk/base/utf8.h"
#include "tusk/lake/image.h"
#include "tusk/lake/media_schema.h"

namespace tusk::lake {
namespace {

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

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Width and height by the header, as the picture is to be looked at; zeros if it is none or too
/// large to be one.
PictureSize UprightSize(std::span<const uint8_t> bytes) {
  PictureSize size = ClaimedSize(bytes);
  if (!CheckSize(size.width, size.height, "").ok()) return {};
  if (ExifOrientation(bytes) >= 5) std::swap(size.width, size.height);
  return size;
}

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
  int64_t size = 0;  ///< when it was looked at
  std::string content_id;
  ContentDigest digest = {};
  std::shared_ptr<arrow::Buffer> bytes;
  bool repeats = false;  ///< the content came earlier in this window
  Status error;          ///< of reading or decoding
  std::string media_type;
  PictureSize pixels_size;
  Image image;

  std::span<const uint8_t> span() const {
    return {bytes->data(), static_cast<size_t>(bytes->size())};
  }
};

struct PictureStream::Batch {
  struct Row {
    std::string path;
    std::string content_id;
    std::shared_ptr<arrow::Buffer> bytes;
    PictureSize pixels_size;
    std::string media_type;
  };
  std::vector<Row> rows;
  int64_t file_bytes = 0;
  std::vector<Image> pixels;  ///< of the last rows, those that have no vector yet
  int64_t pixel_bytes = 0;
  std::vector<float> vectors;  ///< [rows with one, dimension]
};

PictureStream::PictureStream(Source source, IngestOptions options, const OperationContext& context)
    : source_(std::move(source)), options_(std::move(options)), context_(context) {
  BeginPart();
}

Result<std::shared_ptr<PictureStream>> PictureStream::Make(Source source, IngestOptions options,
                                                           const OperationContext& context) {
  if (options.encoder != nullptr && options.encoder->dimension() < 1) {
    return InvalidArgument("encoder ", options.encoder->model(), " makes vectors of ",
                           options.encoder->dimension(), " dimensions");
  }
  if (options.batch_files < 1 || options.batch_bytes < 1) {
    return InvalidArgument("batches of ", options.batch_files, " files and ", options.batch_bytes,
                           " bytes: at least 1 of each is needed");
  }
  if (options.commit_rows < 1 || options.commit_bytes < 1 || !(options.commit_seconds > 0)) {
    return InvalidArgument("commits of ", options.commit_rows, " rows, ", options.commit_bytes,
                           " bytes and ", options.commit_seconds,
                           " seconds: more than 0 of each is needed");
  }
  return std::shared_ptr<PictureStream>(
      new PictureStream(std::move(source), std::move(options), context));
}

void PictureStream::BeginPart() {
  part_ = {
      .first_path = next_path_, .rows = 0, .bytes = 0, .begin = Clock::now(), .before = report_};
  at_end_ = false;
  metadata_.clear();
}

void PictureStream::RewindPart(ContentIds known) {
  next_path_ = part_.first_path;
  IngestSeconds spent = report_.seconds;
  report_ = part_.before;
  report_.seconds = spent;
  read_ahead_ = nullptr;
  source_.known = std::move(known);
  BeginPart();
}

bool PictureStream::PartIsFull() const {
  return part_.rows >= options_.commit_rows || part_.bytes >= options_.commit_bytes ||
         (part_.rows > 0 && SecondsSince(part_.begin) >= options_.commit_seconds);
}

Result<bool> PictureStream::HasPictures() {
  if (read_ahead_ == nullptr && part_.rows == 0) {
    ARROW_ASSIGN_OR_RAISE(read_ahead_, MakeBatch());
  }
  return part_.rows > 0;
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
  if (!PartIsFull()) {
    const int64_t max_files = std::min(options_.batch_files, options_.commit_rows - part_.rows);
    while (std::ssize(batch.rows) < max_files && batch.file_bytes < options_.batch_bytes &&
           next_path_ < source_.paths.size()) {
      ARROW_ASSIGN_OR_RAISE(
          std::vector<Picture> window,
          ReadWindow(max_files - std::ssize(batch.rows), options_.batch_bytes - batch.file_bytes));
      ARROW_RETURN_NOT_OK(AddWindow(std::move(window), &batch));
    }
    ARROW_RETURN_NOT_OK(Encode(&batch));
  }
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
  part_.rows += std::ssize(batch.rows);
  part_.bytes += batch.file_bytes;
  return pictures;
}

Result<std::vector<PictureStream::Picture>> PictureStream::ReadWindow(int64_t max_files,
                                                                      int64_t max_bytes) {
  const auto begin = Clock::now();
  const int64_t window_bytes = kWindowBytesPerThread * context_.executor->parallelism();
  ARROW_ASSIGN_OR_RAISE(
      std::vector<Picture> window,
      ChooseFiles(std::min(max_files, kWindowFiles), std::min(max_bytes, window_bytes)));
  ARROW_RETURN_NOT_OK(context_.executor->ParallelFor(
      std::ssize(window), [&](int64_t i) { return ReadFile(&window[i]); }, context_.stop,
      /*while_waiting=*/nullptr));
  ARROW_RETURN_NOT_OK(KeepNew(&window));
  report_.seconds.reading += SecondsSince(begin);
  return window;
}

Result<std::vector<PictureStream::Picture>> PictureStream::ChooseFiles(int64_t max_files,
                                                                       int64_t max_bytes) {
  std::vector<Picture> window;
  int64_t bytes = 0;
  while (std::ssize(window) < max_files && bytes < max_bytes && next_path_ < source_.paths.size()) {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    ReportProgress(static_cast<int64_t>(next_path_) - std::ssize(window));
    Picture picture;
    picture.path = source_.paths[next_path_++];
    ++report_.files;
    if (!IsUtf8(picture.path)) {
      Skip(picture.path, "its path is not UTF-8");
      continue;
    }
    const auto info = source_.store->Head(picture.path, context_);
    if (!info.ok()) {
      if (!IsAboutTheFile(info.status())) return info.status();
      Skip(picture.path, info.status().message());
      continue;
    }
    picture.size = info->size;
    bytes += picture.size;
    window.push_back(std::move(picture));
  }
  return window;
}

/// Reads and hashes the file. Errors of the file itself are kept in it.
Status PictureStream::ReadFile(Picture* picture) const {
  Status status = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const io::OpenedObject file,
                          source_.store->Open(picture->path, /*tail_length=*/0, context_));
    const int64_t size = file.reader->size();
    if (size > kMaxFileBytes) {
      return Unsupported("it has ", size, " bytes: more than ", kMaxFileBytes,
                         " are not supported");
    }
    ARROW_ASSIGN_OR_RAISE(picture->bytes,
                          file.reader->ReadOne({.offset = 0, .length = size}, context_));
    ARROW_ASSIGN_OR_RAISE(picture->content_id, Sha256Hex(picture->span()));
    return ParseContentId(picture->content_id).Value(&picture->digest);
  }();
  if (status.ok()) return status;
  if (!IsAboutTheFile(status)) return status;
  picture->error = status;
  picture->bytes = nullptr;
  return Status::OK();
}

/// Drops from the window what is not to be added, and counts it.
Status PictureStream::KeepNew(std::vector<Picture>* window) {
  std::vector<Picture> kept;
  for (Picture& picture : *window) {
    if (!picture.error.ok()) {
      Skip(picture.path, picture.error.message());
      continue;
    }
    if (source_.known.Contains(picture.digest)) {
      ++report_.duplicates;
      continue;
    }
    if (const auto broken = broken_.find(picture.digest); broken != broken_.end()) {
      Skip(picture.path, broken->second);
      continue;
    }
    picture.repeats = std::ranges::any_of(
        kept, [&](const Picture& earlier) { return earlier.digest == picture.digest; });
    if (picture.repeats) picture.bytes = nullptr;
    kept.push_back(std::move(picture));
  }
  *window = std::move(kept);
  return Status::OK();
}

/// Tells what kind of file each is and, for an encoder of pictures, decodes it.
Status PictureStream::DecodeSome(std::span<Picture> pictures) {
  const auto begin = Clock::now();
  const bool any_file = TakesAnyFile(options_);
  const auto decode = [&](int64_t i) {
    Picture& picture = pictures[i];
    if (picture.repeats) return Status::OK();
    if (any_file) {
      picture.media_type = MediaTypeOf(picture.span());
      picture.pixels_size = UprightSize(picture.span());
      return Status::OK();
    }
    auto image = DecodeImage(picture.span());
    picture.error = image.status();
    if (image.ok()) {
      picture.image = std::move(image).ValueUnsafe();
      picture.media_type = picture.image.media_type;
      picture.pixels_size = {.width = picture.image.width, .height = picture.image.height};
      return Status::OK();
    }
    return IsAboutTheFile(picture.error) ? Status::OK() : picture.error;
  };
  ARROW_RETURN_NOT_OK(context_.executor->ParallelFor(std::ssize(pictures), decode, context_.stop,
                                                     /*while_waiting=*/nullptr));
  report_.seconds.decoding += SecondsSince(begin);
  return Status::OK();
}

/// Decodes and adds the window piece by piece, so that the pixels in memory stay within limits.
Status PictureStream::AddWindow(std::vector<Picture> window, Batch* batch) {
  const bool any_file = TakesAnyFile(options_);
  size_t begin = 0;
  while (begin < window.size()) {
    size_t end = begin;
    int64_t pixel_bytes = batch->pixel_bytes;
    while (end < window.size() && (end == begin || pixel_bytes < kPixelBytes)) {
      const Picture& picture = window[end++];
      if (!any_file && !picture.repeats) pixel_bytes += ClaimedPixelBytes(picture.span());
    }
    const std::span<Picture> some = std::span(window).subspan(begin, end - begin);
    ARROW_RETURN_NOT_OK(DecodeSome(some));
    AddToBatch(some, batch);
    if (batch->pixel_bytes >= kPixelBytes) ARROW_RETURN_NOT_OK(Encode(batch));
    begin = end;
  }
  return Status::OK();
}

void PictureStream::AddToBatch(std::span<Picture> pictures, Batch* batch) {
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
                           .pixels_size = picture.pixels_size,
                           .media_type = std::move(picture.media_type)});
    batch->pixel_bytes += std::ssize(picture.image.rgb);
    batch->pixels.push_back(std::move(picture.image));
  }
}

/// Makes the vectors of the rows that have none yet and drops their pixels.
Status PictureStream::Encode(Batch* batch) {
  if (batch->pixels.empty()) return Status::OK();
  const size_t count = batch->pixels.size();
  Encoder* encoder = options_.encoder.get();
  if (encoder != nullptr) {
    const auto began = Clock::now();
    const size_t begin = batch->vectors.size();
    batch->vectors.resize(begin + count * encoder->dimension());
    const std::span<float> out = std::span(batch->vectors).subspan(begin);
    if (encoder->input() == EncoderInput::kPictures) {
      ARROW_RETURN_NOT_OK(encoder->Encode(batch->pixels, out, context_));
    } else {
      std::vector<std::span<const uint8_t>> files;
      for (auto row = batch->rows.end() - static_cast<int64_t>(count); row != batch->rows.end();
           ++row) {
        files.emplace_back(row->bytes->data(), static_cast<size_t>(row->bytes->size()));
      }
      ARROW_RETURN_NOT_OK(encoder->EncodeFiles(files, out, context_));
    }
    report_.seconds.encoding += SecondsSince(began);
  }
  batch->pixels.clear();
  batch->pixel_bytes = 0;
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> PictureStream::BuildPictures(const Batch& batch) {
  arrow::ArrayVector columns;
  arrow::StringBuilder content_id(context_.pool);
  for (const Batch::Row& row : batch.rows) {
    ARROW_RETURN_NOT_OK(content_id.Append(row.content_id));
  }
  ARROW_RETURN_NOT_OK(content_id.Finish(&columns.emplace_back()));
  if (options_.media == MediaPlace::kInline) {
    arrow::BinaryBuilder media(context_.pool);
    ARROW_RETURN_NOT_OK(media.ReserveData(batch.file_bytes));
    for (const Batch::Row& row : batch.rows) {
      ARROW_RETURN_NOT_OK(media.Append(std::string_view(*row.bytes)));
    }
    ARROW_RETURN_NOT_OK(media.Finish(&columns.emplace_back()));
  } else {
    arrow::StringBuilder uri(context_.pool);
    for (const Batch::Row& row : batch.rows) ARROW_RETURN_NOT_OK(uri.Append(row.path));
    ARROW_RETURN_NOT_OK(uri.Finish(&columns.emplace_back()));
  }
  if (options_.encoder != nullptr) {
    auto values = std::make_shared<arrow::FloatBuilder>(context_.pool);
    arrow::FixedSizeListBuilder embedding(context_.pool, values, options_.encoder->dimension());
    ARROW_RETURN_NOT_OK(embedding.AppendValues(std::ssize(batch.rows)));
    ARROW_RETURN_NOT_OK(values->AppendValues(batch.vectors));
    ARROW_RETURN_NOT_OK(embedding.Finish(&columns.emplace_back()));
  }
  return arrow::RecordBatch::Make(MediaSchema(options_), std::ssize(batch.rows),
                                  std::move(columns));
}

std::optional<std::string> PictureStream::LabelOf(const std::string& path) {
  switch (options_.label_from) {
    case LabelFrom::kNothing:
      return std::nullopt;
    case LabelFrom::kFolder:
      return std::string(FolderName(path));
    case LabelFrom::kFile:
      break;
  }
  auto label = source_.labels->Find(source_.folder, path);
  if (!label) ++report_.unlabelled;
  return label;
}

Result<std::shared_ptr<arrow::RecordBatch>> PictureStream::BuildMetadata(const Batch& batch) {
  const auto schema = MetadataSchema(options_);
  const std::string model = ModelOf(options_);
  ARROW_ASSIGN_OR_RAISE(
      auto builder, arrow::RecordBatchBuilder::Make(schema, context_.pool, std::ssize(batch.rows)));
  const auto text = [&](int column, std::string_view value) {
    return builder->GetFieldAs<arrow::StringBuilder>(column)->Append(value);
  };
  const auto pixels = [&](int column, int64_t value) {
    auto* numbers = builder->GetFieldAs<arrow::Int32Builder>(column);
    return value == 0 ? numbers->AppendNull() : numbers->Append(static_cast<int32_t>(value));
  };
  for (const Batch::Row& row : batch.rows) {
    ARROW_ASSIGN_OR_RAISE(const std::string split, SplitOf(row.content_id));
    const std::optional<std::string> label = LabelOf(row.path);
    ARROW_RETURN_NOT_OK(text(0, row.content_id));
    ARROW_RETURN_NOT_OK(text(1, row.path));
    ARROW_RETURN_NOT_OK(label ? text(2, *label) : builder->GetField(2)->AppendNull());
    ARROW_RETURN_NOT_OK(text(3, split));
    ARROW_RETURN_NOT_OK(pixels(4, row.pixels_size.width));
    ARROW_RETURN_NOT_OK(pixels(5, row.pixels_size.height));
    ARROW_RETURN_NOT_OK(builder->GetFieldAs<arrow::Int64Builder>(6)->Append(row.bytes->size()));
    ARROW_RETURN_NOT_OK(text(7, row.media_type));
    ARROW_RETURN_NOT_OK(
        builder->GetFieldAs<arrow::TimestampBuilder>(8)->Append(source_.ingested_at_us));
    ARROW_RETURN_NOT_OK(text(9, model));
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
  auto schema = MediaSchema(stream->options());
  return std::make_shared<StreamReader>(std::move(stream), std::move(schema),
                                        &PictureStream::NextPictures);
}

std::shared_ptr<arrow::RecordBatchReader> ReadMetadata(std::shared_ptr<PictureStream> stream) {
  auto schema = MetadataSchema(stream->options());
  return std::make_shared<StreamReader>(std::move(stream), std::move(schema),
                                        &PictureStream::NextMetadata);
}

}  // namespace tusk::lake
