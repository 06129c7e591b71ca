#include "tusk/lake/ingest.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lake/lake.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/pictures.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::lake {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Passes on to `pixels` and does something else first.
class WatchedEncoder final : public Encoder {
 public:
  explicit WatchedEncoder(std::function<Status()> first, std::string model = "pixels-v2")
      : first_(std::move(first)), model_(std::move(model)) {}
  const std::string& model() const override { return model_; }
  int32_t dimension() const override { return pixels_->dimension(); }
  Status Encode(std::span<const Image> images, std::span<float> out,
                const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(first_());
    return pixels_->Encode(images, out, context);
  }

 private:
  std::function<Status()> first_;
  std::string model_;
  std::shared_ptr<Encoder> pixels_ = MakeEncoder("pixels").ValueOrDie();
};

class IngestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root_ / "in");
    ASSERT_OK_AND_ASSIGN(lake_, Lake::Init((root_ / "lake").string(), context_));
    options_.name = {.levels = {"media"}, .name = "pictures"};
    options_.label_from = LabelFrom::kFolder;
    options_.encoder = MakeEncoder("pixels").ValueOrDie();
    options_.batch_files = 2;
  }

  void Put(const std::string& name, std::string_view bytes) const {
    fs::create_directories((root_ / "in" / name).parent_path());
    std::ofstream(root_ / "in" / name, std::ios::binary) << bytes;
  }

  Result<IngestReport> Run(const IngestOptions& options) const {
    return Ingest(lake_.get(), (root_ / "in").string(), options, context_);
  }

  std::shared_ptr<arrow::Table> Pictures() const {
    const auto dataset = lake_->OpenLance(options_.name, context_).ValueOrDie();
    return dataset->Scan({}, context_).ValueOrDie()->ToTable().ValueOrDie();
  }
  std::shared_ptr<arrow::Table> Metadata() const {
    catalog::TableName name = options_.name;
    name.name += "_meta";
    const auto table = lake_->OpenIceberg(name, context_).ValueOrDie();
    return table->Scan({}, context_).ValueOrDie()->ToTable().ValueOrDie();
  }

  /// The elements of a column as text.
  static std::vector<std::string> Column(const arrow::Table& table, const std::string& name) {
    std::vector<std::string> values;
    for (int64_t row = 0; row < table.num_rows(); ++row) {
      values.push_back(table.GetColumnByName(name)->GetScalar(row).ValueOrDie()->ToString());
    }
    return values;
  }

  void ExpectBothTablesToHave(int64_t rows) const {
    const auto pictures = Pictures();
    EXPECT_EQ(pictures->num_rows(), rows);
    // The order of rows in an Iceberg table means nothing.
    std::vector<std::string> ids = Column(*pictures, "content_id");
    std::vector<std::string> metadata_ids = Column(*Metadata(), "content_id");
    std::ranges::sort(ids);
    std::ranges::sort(metadata_ids);
    EXPECT_EQ(ids, metadata_ids);
  }

  void ExpectNoTables() const {
    ASSERT_OK_AND_ASSIGN(const auto tables, lake_->Tables(context_));
    EXPECT_THAT(tables, IsEmpty());
  }

  TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
  std::shared_ptr<Lake> lake_;
  IngestOptions options_;
  OperationContext context_;
};

TEST_F(IngestTest, MakesBothTablesInOneJointVersion) {
  Put("cat/1.png", kRgbPng);
  Put("cat/2.jpg", kJpeg);
  Put("dog/3.webp", kLosslessWebP);
  Put("dog/4.png", kRgbPng);
  Put("dog/broken.png", kRgbPng.substr(0, 50));
  Put("dog/.hidden.png", kGrayPng);
  fs::create_symlink("nowhere", root_ / "in" / "a-link");
  options_.author = "somebody";
  ASSERT_OK_AND_ASSIGN(const IngestReport report, Run(options_));
  EXPECT_EQ(report.joint_version, 1);
  EXPECT_EQ(report.files, 6);
  EXPECT_EQ(report.added, 3);
  EXPECT_EQ(report.duplicates, 1);
  EXPECT_EQ(report.added_bytes,
            std::ssize(kRgbPng) + std::ssize(kJpeg) + std::ssize(kLosslessWebP));
  ASSERT_EQ(report.skipped.size(), 2);
  EXPECT_EQ(report.skipped[0].path, (root_ / "in" / "a-link").string());
  EXPECT_EQ(report.skipped[1].path, (root_ / "in" / "dog" / "broken.png").string());
  EXPECT_THAT(report.skipped[1].reason, HasSubstr("truncated"));

  ExpectBothTablesToHave(3);
  EXPECT_THAT(Column(*Metadata(), "label"), ::testing::ElementsAre("cat", "cat", "dog"));
  ASSERT_OK_AND_ASSIGN(const auto image, Pictures()->GetColumnByName("image")->GetScalar(1));
  EXPECT_EQ(static_cast<const arrow::BinaryScalar&>(*image).view(), kJpeg);

  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log(std::nullopt, context_));
  ASSERT_EQ(log.size(), 1);
  EXPECT_EQ(log[0].author, "somebody");
  EXPECT_THAT(log[0].message, HasSubstr("ingest"));
  for (const catalog::TableChange& change : log[0].changes) EXPECT_EQ(change.added_rows, 3);
}

TEST_F(IngestTest, AddsOnlyWhatIsNew) {
  Put("1.png", kRgbPng);
  ASSERT_OK(Run(options_));
  ASSERT_OK_AND_ASSIGN(IngestReport report, Run(options_));
  EXPECT_EQ(report.joint_version, std::nullopt);
  EXPECT_EQ(report.added, 0);
  EXPECT_EQ(report.duplicates, 1);
  Put("0.png", kGrayPng);
  Put("2.png", kPalettePng);
  options_.message = "more";
  ASSERT_OK_AND_ASSIGN(report, Run(options_));
  EXPECT_EQ(report.joint_version, 2);
  EXPECT_EQ(report.added, 2);
  EXPECT_EQ(report.duplicates, 1);
  ExpectBothTablesToHave(3);
  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log(std::nullopt, context_));
  ASSERT_EQ(log.size(), 2);
  EXPECT_EQ(log[0].message, "more");
}

TEST_F(IngestTest, MakesNothingOfAFolderWithoutPictures) {
  Put("notes.txt", "text");
  ASSERT_OK_AND_ASSIGN(const IngestReport report, Run(options_));
  EXPECT_EQ(report.joint_version, std::nullopt);
  EXPECT_EQ(report.skipped.size(), 1);
  ExpectNoTables();
}

TEST_F(IngestTest, LeavesTheFilesOfTheLakeOut) {
  Put("1.png", kRgbPng);
  for (const int64_t added : {1, 0}) {
    ASSERT_OK_AND_ASSIGN(const IngestReport report,
                         Ingest(lake_.get(), root_.string(), options_, context_));
    EXPECT_EQ(report.added, added);
    EXPECT_EQ(report.files, 1);
    EXPECT_THAT(report.skipped, IsEmpty());
  }
}

// A table whose files cannot be found is not one that is to be made.
TEST_F(IngestTest, SaysThatAMovedLakeCannotFindItsMetadata) {
  Put("1.png", kRgbPng);
  ASSERT_OK(Run(options_));
  fs::rename(root_ / "lake", root_ / "moved");
  ASSERT_OK_AND_ASSIGN(lake_, Lake::Open((root_ / "moved").string(), std::nullopt, context_));
  const auto report = Run(options_);
  EXPECT_THAT(report, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(report.status().message(), HasSubstr("media.pictures_meta"));
  EXPECT_THAT(report.status().message(), HasSubstr("move it back"));
}

TEST_F(IngestTest, RefusesVectorsOfAnotherEncoder) {
  Put("1.png", kRgbPng);
  ASSERT_OK(Run(options_));
  Put("2.png", kGrayPng);
  options_.encoder =
      std::make_shared<WatchedEncoder>([] { return Status::OK(); }, /*model=*/"other-v1");
  const auto report = Run(options_);
  EXPECT_THAT(report, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(report.status().message(), HasSubstr("pixels-v2"));
  ExpectBothTablesToHave(1);
}

TEST_F(IngestTest, RefusesATableThatNoIngestionMade) {
  Put("1.png", kRgbPng);
  const auto schema = arrow::schema({arrow::field("x", arrow::int64())});
  for (const std::string& name : {std::string("pictures"), std::string("pictures_meta")}) {
    arrow::Int64Builder builder;
    ASSERT_OK(builder.Append(1));
    const auto batch = arrow::RecordBatch::Make(schema, 1, {*builder.Finish()});
    ASSERT_OK_AND_ASSIGN(auto reader, arrow::RecordBatchReader::Make({batch}));
    TableAppend append;
    append.name = {.levels = {"media"}, .name = name};
    append.kind = name == "pictures" ? catalog::TableKind::kLance : catalog::TableKind::kIceberg;
    append.data = reader;
    ASSERT_OK(lake_->Append({append}, {}, context_));
    EXPECT_THAT(Run(options_), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST_F(IngestTest, RefusesWhatMakesNoSense) {
  EXPECT_THAT(Ingest(lake_.get(), (root_ / "none").string(), options_, context_),
              FailsWith(ErrorCode::kNotFound));
  IngestOptions without_encoder = options_;
  without_encoder.encoder = nullptr;
  EXPECT_THAT(Run(without_encoder), FailsWith(ErrorCode::kInvalidArgument));
  Put("1.png", kRgbPng);
  ASSERT_OK(Run(options_));
  ASSERT_OK_AND_ASSIGN(const auto old, Lake::Open((root_ / "lake").string(), 1, context_));
  EXPECT_THAT(Ingest(old.get(), (root_ / "in").string(), options_, context_),
              FailsWith(ErrorCode::kInvalidArgument));
}

// The other ingestion runs and commits while this one encodes.
TEST_F(IngestTest, AddsNothingTwiceWhenTwoRunAtOnce) {
  for (const bool table_exists : {false, true}) {
    const std::string tag = table_exists ? "2" : "1";
    Put("a" + tag, std::string(kRgbPng) + tag);
    Put("b" + tag, std::string(kGrayPng) + tag);
    Put("c" + tag, std::string(kPalettePng) + tag);
    int calls = 0;
    IngestOptions racing = options_;
    racing.encoder = std::make_shared<WatchedEncoder>([&]() -> Status {
      if (++calls == 2) return Run(options_).status();
      return Status::OK();
    });
    ASSERT_OK_AND_ASSIGN(const IngestReport report, Run(racing));
    EXPECT_EQ(report.joint_version, std::nullopt);
    EXPECT_EQ(report.added, 0);
    EXPECT_EQ(report.files, table_exists ? 6 : 3);
    EXPECT_EQ(report.duplicates, report.files);
    ExpectBothTablesToHave(report.files);
  }
}

TEST_F(IngestTest, LeavesTheLakeAsItWasWhenItFails) {
  Put("1.png", kRgbPng);
  Put("2.png", kGrayPng);
  Put("3.png", kPalettePng);
  int calls = 0;
  options_.encoder = std::make_shared<WatchedEncoder>(
      [&] { return ++calls == 2 ? IoError("the model is gone") : Status::OK(); });
  const auto report = Run(options_);
  EXPECT_THAT(report, FailsWith(ErrorCode::kIo));
  EXPECT_THAT(report.status().message(), HasSubstr("the model is gone"));
  ExpectNoTables();

  calls = 0;
  std::stop_source source;
  context_.stop = source.get_token();
  options_.encoder = std::make_shared<WatchedEncoder>([&] {
    if (++calls == 2) source.request_stop();
    return Status::OK();
  });
  EXPECT_THAT(Run(options_), FailsWith(ErrorCode::kCancelled));
  context_.stop = {};
  ExpectNoTables();
}

}  // namespace
}  // namespace tusk::lake
