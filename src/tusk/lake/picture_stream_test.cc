#include "tusk/lake/picture_stream.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include "tusk/base/sha256.h"
#include "tusk/lake/media_schema.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/pictures.h"

namespace tusk::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kIngestedAt = 1'700'000'000'000'000;

/// Encodes width and height, and remembers how it was called.
class SizeEncoder final : public Encoder {
 public:
  const std::string& model() const override {
    static const std::string model = "size-v1";
    return model;
  }
  int32_t dimension() const override { return 2; }
  Status Encode(std::span<const Image> images, std::span<float> out,
                const OperationContext&) override {
    EXPECT_EQ(std::this_thread::get_id(), thread_);
    if (fail_) return IoError("no model");
    calls_.push_back(std::ssize(images));
    for (size_t i = 0; i < images.size(); ++i) {
      out[2 * i] = static_cast<float>(images[i].width);
      out[2 * i + 1] = static_cast<float>(images[i].height);
    }
    return Status::OK();
  }

  bool fail_ = false;
  std::vector<int64_t> calls_;  ///< how many images each had

 private:
  const std::thread::id thread_ = std::this_thread::get_id();
};

/// Another file with the same pixels: decoders stop at the end of a PNG.
std::string Variant(std::string_view png, int number) {
  return std::string(png) + " " + std::to_string(number);
}

/// `size` x `size` black pixels.
std::string BlackPng(uint32_t size) {
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = size;
  png.height = size;
  png.format = PNG_FORMAT_GRAY;
  const std::vector<uint8_t> pixels(size_t{size} * size);
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(png), '\0');
  png_alloc_size_t length = bytes.size();
  EXPECT_NE(png_image_write_to_memory(&png, bytes.data(), &length, /*convert_to_8bit=*/0,
                                      pixels.data(), /*row_stride=*/0, /*colormap=*/nullptr),
            0);
  bytes.resize(length);
  return bytes;
}

class PictureStreamTest : public ::testing::Test {
 protected:
  void Put(const std::string& path, std::string_view bytes) {
    ASSERT_OK(store_->Put(path, bytes, context_));
    paths_.push_back(path);
  }

  std::shared_ptr<PictureStream> Open(int64_t batch_files = 4, ContentIds known = {}) {
    IngestOptions options{.name = {},
                          .label_from = label_from_,
                          .encoder = encoder_,
                          .batch_files = batch_files,
                          .message = "",
                          .author = ""};
    auto stream = PictureStream::Make({.store = store_,
                                       .paths = paths_,
                                       .known = std::move(known),
                                       .ingested_at_us = kIngestedAt},
                                      options, context_);
    return stream.ValueOrDie();
  }

  static std::string ContentId(std::string_view bytes) {
    return Sha256Hex({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}).ValueOrDie();
  }

  std::shared_ptr<io::ObjectStore> store_ = io::MakeMemoryStore();
  std::vector<std::string> paths_;
  std::shared_ptr<SizeEncoder> encoder_ = std::make_shared<SizeEncoder>();
  LabelFrom label_from_ = LabelFrom::kFolder;
  OperationContext context_;
};

std::shared_ptr<arrow::Table> ReadAll(const std::shared_ptr<arrow::RecordBatchReader>& reader) {
  auto table = reader->ToTable();
  EXPECT_THAT(table, IsOk());
  EXPECT_OK(table.ValueOrDie()->ValidateFull());
  return table.ValueOrDie();
}

/// A column as text, one element per row.
std::vector<std::string> Column(const arrow::Table& table, const std::string& name) {
  std::vector<std::string> values;
  for (int64_t row = 0; row < table.num_rows(); ++row) {
    values.push_back(table.GetColumnByName(name)->GetScalar(row).ValueOrDie()->ToString());
  }
  return values;
}

TEST_F(PictureStreamTest, MakesTheRowsOfBothTables) {
  Put("/in/cat/1.png", kRgbPng);
  Put("/in/dog/2.jpg", kTurnedJpeg);
  const auto stream = Open();
  const auto pictures = ReadAll(ReadPictures(stream));
  const auto metadata = ReadAll(ReadMetadata(stream));

  EXPECT_TRUE(pictures->schema()->Equals(MediaSchema(stream->options())));
  EXPECT_THAT(Column(*pictures, "content_id"),
              ElementsAre(ContentId(kRgbPng), ContentId(kTurnedJpeg)));
  ASSERT_OK_AND_ASSIGN(const auto image, pictures->GetColumnByName("image")->GetScalar(1));
  EXPECT_EQ(static_cast<const arrow::BinaryScalar&>(*image).view(), kTurnedJpeg);
  ASSERT_OK_AND_ASSIGN(const auto vector, pictures->GetColumnByName("embedding")->GetScalar(1));
  const auto& values = static_cast<const arrow::FloatArray&>(
      *static_cast<const arrow::FixedSizeListScalar&>(*vector).value);
  EXPECT_EQ(values.Value(0), 8.0F);
  EXPECT_EQ(values.Value(1), 16.0F);

  EXPECT_TRUE(metadata->schema()->Equals(MetadataSchema(stream->options())));
  EXPECT_EQ(Column(*metadata, "content_id"), Column(*pictures, "content_id"));
  EXPECT_THAT(Column(*metadata, "source_path"), ElementsAre("/in/cat/1.png", "/in/dog/2.jpg"));
  EXPECT_THAT(Column(*metadata, "label"), ElementsAre("cat", "dog"));
  EXPECT_THAT(Column(*metadata, "split"),
              ElementsAre(*SplitOf(ContentId(kRgbPng)), *SplitOf(ContentId(kTurnedJpeg))));
  EXPECT_THAT(Column(*metadata, "width"), ElementsAre("3", "8"));
  EXPECT_THAT(Column(*metadata, "height"), ElementsAre("2", "16"));
  EXPECT_THAT(Column(*metadata, "bytes"),
              ElementsAre(std::to_string(kRgbPng.size()), std::to_string(kTurnedJpeg.size())));
  EXPECT_THAT(Column(*metadata, "media_type"), ElementsAre("image/png", "image/jpeg"));
  EXPECT_THAT(Column(*metadata, "embedding_model"), ElementsAre("size-v1", "size-v1"));
  ASSERT_OK_AND_ASSIGN(const auto at, metadata->GetColumnByName("ingested_at")->GetScalar(0));
  EXPECT_EQ(static_cast<const arrow::TimestampScalar&>(*at).value, kIngestedAt);

  EXPECT_EQ(stream->report().files, 2);
  EXPECT_EQ(stream->report().added, 2);
  EXPECT_EQ(stream->report().added_bytes, std::ssize(kRgbPng) + std::ssize(kTurnedJpeg));
}

TEST_F(PictureStreamTest, LeavesTheLabelNullIfNoneIsAsked) {
  Put("/in/cat/1.png", kRgbPng);
  label_from_ = LabelFrom::kNothing;
  const auto stream = Open();
  ReadAll(ReadPictures(stream));
  EXPECT_EQ(ReadAll(ReadMetadata(stream))->GetColumnByName("label")->null_count(), 1);
}

TEST_F(PictureStreamTest, GivesTheSameRowsInBatchesOfAnySize) {
  for (int i = 0; i < 150; ++i) {
    Put("/in/" + std::to_string(1000 + i), Variant(i % 2 == 0 ? kRgbPng : kGrayPng, i));
  }
  const auto whole = Open(1000);
  const auto all = ReadAll(ReadPictures(whole));
  const auto all_metadata = ReadAll(ReadMetadata(whole));
  EXPECT_EQ(all->num_rows(), 150);
  for (const int64_t batch_files : {1, 7, 64, 65, 149, 150}) {
    const auto stream = Open(batch_files);
    ASSERT_OK_AND_ASSIGN(const bool has_pictures, stream->HasPictures());
    EXPECT_TRUE(has_pictures);
    const auto reader = ReadPictures(stream);
    ASSERT_OK_AND_ASSIGN(auto batches, reader->ToRecordBatches());
    for (const auto& batch : batches) EXPECT_LE(batch->num_rows(), batch_files);
    ASSERT_OK_AND_ASSIGN(const auto table,
                         arrow::Table::FromRecordBatches(reader->schema(), batches));
    EXPECT_TRUE(table->Equals(*all)) << batch_files;
    EXPECT_TRUE(ReadAll(ReadMetadata(stream))->Equals(*all_metadata)) << batch_files;
  }
}

TEST_F(PictureStreamTest, AddsEveryContentOnce) {
  Put("/in/1", kRgbPng);
  Put("/in/2", kRgbPng);
  Put("/in/3", kGrayPng);
  Put("/in/4", kPalettePng);
  Put("/in/5", kRgbPng);
  ASSERT_OK_AND_ASSIGN(const ContentDigest known, ParseContentId(ContentId(kGrayPng)));
  for (const int64_t batch_files : {1, 2, 100}) {
    const auto stream = Open(batch_files, ContentIds({known}));
    const auto pictures = ReadAll(ReadPictures(stream));
    EXPECT_THAT(Column(*pictures, "content_id"),
                ElementsAre(ContentId(kRgbPng), ContentId(kPalettePng)));
    EXPECT_THAT(Column(*ReadAll(ReadMetadata(stream)), "source_path"),
                ElementsAre("/in/1", "/in/4"));
    EXPECT_EQ(stream->report().files, 5);
    EXPECT_EQ(stream->report().added, 2);
    EXPECT_EQ(stream->report().duplicates, 3);
    EXPECT_THAT(stream->report().skipped, IsEmpty());
  }
}

// 192 MiB of pixels each from a file of a few hundred KiB: two of them are enough at once.
TEST_F(PictureStreamTest, HoldsFewLargePicturesAtOnce) {
  const std::string large = BlackPng(8192);
  for (int i = 0; i < 3; ++i) Put("/in/" + std::to_string(i) + ".png", Variant(large, i));
  EXPECT_EQ(ReadAll(ReadPictures(Open()))->num_rows(), 3);
  EXPECT_THAT(encoder_->calls_, ElementsAre(2, 1));
}

TEST_F(PictureStreamTest, ListsEveryFileThatItLeavesOut) {
  Put("/in/1", kRgbPng);
  Put("/in/2", kRgbPng.substr(0, 40));
  Put("/in/3", "GIF89a...");
  Put("/in/4", kRgbPng.substr(0, 40));
  Put("/in/5", "");
  paths_.push_back("/in/6-gone");
  Put("/in/7-\xFF", kGrayPng);
  for (const int64_t batch_files : {1, 100}) {
    const auto stream = Open(batch_files);
    EXPECT_EQ(ReadAll(ReadPictures(stream))->num_rows(), 1);
    std::vector<SkippedFile> skipped = stream->report().skipped;
    std::ranges::sort(skipped, {}, &SkippedFile::path);
    ASSERT_EQ(skipped.size(), 6);
    EXPECT_EQ(skipped[0].path, "/in/2");
    EXPECT_THAT(skipped[0].reason, HasSubstr("truncated"));
    EXPECT_THAT(skipped[1].reason, HasSubstr("GIF"));
    // The same broken bytes again are not a duplicate: nothing of them is in the table.
    EXPECT_EQ(skipped[2].path, "/in/4");
    EXPECT_THAT(skipped[2].reason, HasSubstr("truncated"));
    EXPECT_THAT(skipped[3].reason, HasSubstr("empty"));
    EXPECT_EQ(skipped[4].path, "/in/6-gone");
    EXPECT_THAT(skipped[5].reason, HasSubstr("UTF-8"));
    EXPECT_EQ(stream->report().files, 7);
    EXPECT_EQ(stream->report().duplicates, 0);
  }
}

TEST_F(PictureStreamTest, HasNoPicturesIfNothingIsNew) {
  Put("/in/1", kRgbPng);
  Put("/in/2", "text");
  ASSERT_OK_AND_ASSIGN(const ContentDigest known, ParseContentId(ContentId(kRgbPng)));
  const auto stream = Open(10, ContentIds({known}));
  ASSERT_OK_AND_ASSIGN(const bool has_pictures, stream->HasPictures());
  EXPECT_FALSE(has_pictures);
  EXPECT_EQ(ReadAll(ReadPictures(stream))->num_rows(), 0);
  EXPECT_EQ(ReadAll(ReadMetadata(stream))->num_rows(), 0);
}

TEST_F(PictureStreamTest, RefusesMetadataBeforeTheEndOfThePictures) {
  Put("/in/1", kRgbPng);
  const auto stream = Open();
  EXPECT_THAT(stream->NextMetadata(), FailsWith(ErrorCode::kInvalidArgument));
  ASSERT_OK(stream->HasPictures());
  EXPECT_THAT(stream->NextMetadata(), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(PictureStreamTest, PassesOnWhatIsNotAboutOneFile) {
  Put("/in/1", kRgbPng);
  encoder_->fail_ = true;
  EXPECT_THAT(Open()->NextPictures(), FailsWith(ErrorCode::kIo));
  encoder_->fail_ = false;
  std::stop_source source;
  source.request_stop();
  context_.stop = source.get_token();
  EXPECT_THAT(Open()->NextPictures(), FailsWith(ErrorCode::kCancelled));
}

TEST_F(PictureStreamTest, SkipsAFileThatCannotBeLookedAtOrRead) {
  Put("/in/1", kRgbPng);
  Put("/in/2", kGrayPng);
  auto faulty = std::make_shared<FaultyStore>(store_);
  store_ = faulty;
  // Both are looked at, in order, and then read, in any.
  faulty->FailRequest(0);
  const auto stream = Open();
  EXPECT_THAT(Column(*ReadAll(ReadPictures(stream)), "content_id"),
              ElementsAre(ContentId(kGrayPng)));
  ASSERT_EQ(stream->report().skipped.size(), 1);
  EXPECT_EQ(stream->report().skipped[0].path, "/in/1");
  for (const int64_t n : {2, 3, 4}) {
    faulty->FailRequest(n);
    const auto other = Open();
    EXPECT_EQ(ReadAll(ReadPictures(other))->num_rows(), 1);
    EXPECT_EQ(other->report().skipped.size(), 1);
  }
}

class RecordingSink final : public ProgressSink {
 public:
  void Report(std::string_view what, int64_t done, int64_t total) override {
    EXPECT_EQ(what, "files");
    EXPECT_GE(done, last_done_);
    EXPECT_EQ(total, 3);
    last_done_ = done;
  }
  int64_t last_done_ = 0;
};

TEST_F(PictureStreamTest, ReportsProgressToTheEnd) {
  Put("/in/1", kRgbPng);
  Put("/in/2", "text");
  Put("/in/3", kGrayPng);
  RecordingSink sink;
  context_.progress = &sink;
  ReadAll(ReadPictures(Open(1)));
  EXPECT_EQ(sink.last_done_, 3);
}

TEST_F(PictureStreamTest, RefusesOptionsThatMakeNoSense) {
  const IngestOptions good;
  EXPECT_OK(PictureStream::Make({}, good, context_));
  std::vector<IngestOptions> wrong(5, good);
  wrong[0].batch_files = 0;
  wrong[1].batch_bytes = 0;
  wrong[2].commit_rows = 0;
  wrong[3].commit_bytes = -1;
  wrong[4].commit_seconds = 0;
  for (const IngestOptions& options : wrong) {
    EXPECT_THAT(PictureStream::Make({}, options, context_), FailsWith(ErrorCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace tusk::lake
