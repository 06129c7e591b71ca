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

TEST_F(IngestTest, CommitsInPartsOfTheStatedSize) {
  for (int i = 0; i < 7; ++i) Put(std::to_string(i), std::string(kRgbPng) + std::to_string(i));
  options_.commit_rows = 3;
  ASSERT_OK_AND_ASSIGN(const IngestReport report, Run(options_));
  EXPECT_EQ(report.commits, 3);
  EXPECT_EQ(report.joint_version, 3);
  EXPECT_EQ(report.added, 7);
  for (const auto& [number, rows] : std::map<int64_t, int64_t>{{1, 3}, {2, 6}, {3, 7}}) {
    ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open((root_ / "lake").string(), number, context_));
    ASSERT_OK_AND_ASSIGN(const auto pictures, at->OpenLance(options_.name, context_));
    EXPECT_EQ(*pictures->CountRows(nullptr, context_), rows);
  }
  options_.commit_rows = 100;
  options_.commit_bytes = 1;  // a batch is the least
  for (int i = 7; i < 11; ++i) Put(std::to_string(i), std::string(kRgbPng) + std::to_string(i));
  EXPECT_EQ(Run(options_)->commits, 2);
  ExpectBothTablesToHave(11);
}

TEST_F(IngestTest, WhatWasCommittedBeforeAStopStaysAndTheSameCallAddsTheRest) {
  for (int i = 0; i < 8; ++i) Put(std::to_string(i), std::string(kRgbPng) + std::to_string(i));
  options_.commit_rows = 2;
  std::stop_source stop;
  int64_t calls = 0;
  IngestOptions stopping = options_;
  stopping.encoder = std::make_shared<WatchedEncoder>([&] {
    if (++calls == 3) stop.request_stop();
    return Status::OK();
  });
  OperationContext context = context_;
  context.stop = stop.get_token();
  EXPECT_THAT(Ingest(lake_.get(), (root_ / "in").string(), stopping, context),
              FailsWith(ErrorCode::kCancelled));
  ExpectBothTablesToHave(4);
  ASSERT_OK_AND_ASSIGN(const IngestReport report, Run(options_));
  EXPECT_EQ(report.added, 4);
  EXPECT_EQ(report.duplicates, 4);
  ExpectBothTablesToHave(8);
}

TEST_F(IngestTest, RowsThatOthersAppendByPathAreNotAddedAgain) {
  Put("1", kRgbPng);
  ASSERT_OK(Run(options_));
  const auto other = Lake::Init((root_ / "other").string(), context_).ValueOrDie();
  Put("2", kGrayPng);
  ASSERT_OK(Ingest(other.get(), (root_ / "in").string(), options_, context_));
  // The row of the second picture comes by path into the first lake's table.
  const auto from = other->OpenLance(options_.name, context_).ValueOrDie();
  lance::ScanOptions second;
  second.offset = 1;
  const auto row = from->Scan(second, context_).ValueOrDie();
  lance::WriteOptions append;
  append.mode = lance::WriteMode::kAppend;
  const auto own = lake_->OpenLance(options_.name, context_).ValueOrDie();
  ASSERT_OK(lance::WriteDataset(row.get(), own->uri(), append, context_));
  Put("3", kBitPng);
  ASSERT_OK_AND_ASSIGN(const IngestReport report, Run(options_));
  EXPECT_EQ(report.added, 1);
  EXPECT_EQ(Pictures()->num_rows(), 3);
}

TEST_F(IngestTest, ReferencesNameTheFilesAndHoldNoBytes) {
  Put("1.png", kRgbPng);
  options_.media = MediaPlace::kReference;
  ASSERT_OK(Run(options_));
  const auto pictures = Pictures();
  EXPECT_EQ(pictures->schema()->field_names(),
            (std::vector<std::string>{"content_id", "image_uri", "embedding"}));
  EXPECT_EQ(pictures->GetColumnByName("image_uri")->GetScalar(0).ValueOrDie()->ToString(),
            (root_ / "in/1.png").string());
  options_.media = MediaPlace::kInline;
  Put("2.png", kGrayPng);
  EXPECT_THAT(Run(options_), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(IngestTest, FilesOfEveryKindAreTakenWithoutAnEncoderOrWithOneOfFiles) {
  Put("1.png", kRgbPng);
  Put("2.txt", "the quick brown fox");
  Put("3.pdf", "%PDF-1.7 and so on");
  for (const char* name : {"", "trigrams"}) {
    options_.name.name = std::string("files") + name;
    options_.encoder = *name == 0 ? nullptr : MakeEncoder(name).ValueOrDie();
    ASSERT_OK_AND_ASSIGN(const IngestReport report, Run(options_));
    EXPECT_EQ(report.added, 3);
    const auto files = Pictures();
    EXPECT_EQ(files->schema()->field(1)->name(), "media");
    EXPECT_EQ(files->num_columns(), *name == 0 ? 2 : 3);
    const auto metadata = Metadata();
    const auto column = [&](const std::string& which, int64_t row) {
      return metadata->GetColumnByName(which)->GetScalar(row).ValueOrDie()->ToString();
    };
    EXPECT_EQ(column("media_type", 0), "image/png");
    EXPECT_EQ(column("width", 0), "3");
    EXPECT_EQ(column("media_type", 1), "text/plain");
    EXPECT_EQ(column("width", 1), "null");
    EXPECT_EQ(column("media_type", 2), "application/pdf");
    EXPECT_EQ(column("embedding_model", 0), *name == 0 ? "none" : "trigrams-v1");
  }
}

TEST_F(IngestTest, LabelsComeFromAFile) {
  Put("a/1.png", kRgbPng);
  Put("a/2.png", kGrayPng);
  Put("3.png", kBitPng);
  options_.label_from = LabelFrom::kFile;
  const std::string absolute = (root_ / "in/3.png").string();
  const std::vector<std::pair<std::string, std::string>> files = {
      {"labels.csv", "file,label,other\r\na/1.png,\"a \"\"cat\"\", big\",x\r\n" + absolute +
                         ",007,\r\nnot/there.png,dog,\r\n"},
      {"labels.jsonl",
       "{\"path\": \"a/1.png\", \"label\": \"a \\\"cat\\\", big\"}\n\n{\"path\": \"" + absolute +
           "\", \"class\": \"007\"}\n"},
  };
  for (const auto& [name, text] : files) {
    SCOPED_TRACE(name);
    std::ofstream(root_ / name) << text;
    options_.name.name = name.substr(0, 6) + name.substr(7);
    options_.label_file = (root_ / name).string();
    ASSERT_OK_AND_ASSIGN(const IngestReport report, Run(options_));
    EXPECT_EQ(report.added, 3);
    EXPECT_EQ(report.unlabelled, 1);
    std::map<std::string, std::string> labels;
    const auto metadata = Metadata();
    for (int64_t row = 0; row < metadata->num_rows(); ++row) {
      labels[metadata->GetColumnByName("source_path")->GetScalar(row).ValueOrDie()->ToString()] =
          metadata->GetColumnByName("label")->GetScalar(row).ValueOrDie()->ToString();
    }
    const std::map<std::string, std::string> expected = {
        {(root_ / "in/a/1.png").string(), "a \"cat\", big"},
        {(root_ / "in/a/2.png").string(), "null"},
        {absolute, "007"}};
    EXPECT_EQ(labels, expected);
  }
}

TEST_F(IngestTest, LabelFilesThatCannotBeMeantAreRefused) {
  Put("1.png", kRgbPng);
  options_.label_from = LabelFrom::kFile;
  const std::vector<std::pair<std::string, std::string>> files = {
      {"a.csv", "name,label\n1.png,x\n"},           // no path
      {"b.csv", "path,label\n1.png\n"},             // a field is missing
      {"c.csv", "path,label\n1.png,\"x\n"},         // a quote is open
      {"d.csv", "path,label\n1.png,x\n1.png,y\n"},  // two labels
      {"e.csv", "path,label\n2.png,x\n"},           // names no file
      {"f.jsonl", "{\"path\": \"1.png\"}\n"},
      {"g.jsonl", "[1]\n"},
      {"h.txt", "path,label\n1.png,x\n"},
  };
  for (const auto& [name, text] : files) {
    std::ofstream(root_ / name) << text;
    options_.label_file = (root_ / name).string();
    EXPECT_THAT(Run(options_), FailsWith(ErrorCode::kInvalidArgument)) << name;
  }
  options_.label_file = (root_ / "none.csv").string();
  EXPECT_THAT(Run(options_), FailsWith(ErrorCode::kNotFound));
  EXPECT_TRUE(lake_->Tables(context_)->empty());
}

}  // namespace
}  // namespace tusk::lake
