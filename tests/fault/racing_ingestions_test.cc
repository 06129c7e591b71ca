#include <filesystem>
#include <fstream>
#include <set>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include "tusk/lake/ingest.h"
#include "tusk/lake/lake.h"
#include "tusk/lake/maintenance.h"
#include "tusk/testing/child_process.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/pictures.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::lake {
namespace {

constexpr int kProcesses = 8;
constexpr int kOwnFiles = 12;     // that only one process has
constexpr int kSharedFiles = 20;  // that all of them have

void PutFiles(const std::string& folder, const std::string& kind, int count) {
  for (int i = 0; i < count; ++i) {
    std::ofstream(folder + "/" + kind + std::to_string(i) + ".png", std::ios::binary)
        << kRgbPng << kind << i;
  }
}

IngestOptions Options(int64_t commit_rows) {
  IngestOptions options;
  options.name = *catalog::TableName::Parse("media.pictures");
  options.encoder = *MakeEncoder("pixels");
  options.commit_rows = commit_rows;
  return options;
}

TEST(RacingIngestionsTest, EightProcessesAddEveryContentOnce) {
  const OperationContext context;
  TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  ASSERT_OK_AND_ASSIGN(const auto lake, Lake::Init(folder / "lake", context));
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    const std::string in = folder / ("in" + std::to_string(process));
    std::filesystem::create_directories(in);
    PutFiles(in, "own " + std::to_string(process) + " ", kOwnFiles);
    PutFiles(in, "shared ", kSharedFiles);
  }
  for (int process = 0; process < kProcesses; ++process) {
    children.push_back(StartChild([&, process] {
      // Parts of different sizes, so that they overtake each other.
      const auto report = Ingest(lake.get(), folder / ("in" + std::to_string(process)),
                                 Options(/*commit_rows=*/4 + process), context);
      EXPECT_OK(report);
    }));
  }
  for (const pid_t child : children) EXPECT_FALSE(WaitKilled(child));

  constexpr int64_t kContents = kProcesses * kOwnFiles + kSharedFiles;
  const auto name = Options(1).name;
  ASSERT_OK_AND_ASSIGN(const auto pictures, lake->OpenLance(name, context));
  ASSERT_OK_AND_ASSIGN(const auto reader, pictures->Scan({}, context));
  ASSERT_OK_AND_ASSIGN(const auto rows, reader->ToTable());
  std::set<std::string> contents;
  for (int64_t i = 0; i < rows->num_rows(); ++i) {
    contents.insert((*rows->GetColumnByName("content_id")->GetScalar(i))->ToString());
  }
  EXPECT_EQ(rows->num_rows(), kContents);
  EXPECT_EQ(std::ssize(contents), kContents);
  ASSERT_OK_AND_ASSIGN(
      const auto metadata,
      lake->OpenIceberg(*catalog::TableName::Parse("media.pictures_meta"), context));
  EXPECT_EQ(*metadata->CountRows(nullptr, {}, context), kContents);
  // Each of them finds nothing to do now, and the losers' files are all that is left over.
  ASSERT_OK_AND_ASSIGN(const auto again, Ingest(lake.get(), folder / "in0", Options(4), context));
  EXPECT_EQ(again.added, 0);
  ASSERT_OK_AND_ASSIGN(const auto report,
                       Examine(lake.get(), {.clean = true, .min_age_ms = 0}, context));
  EXPECT_FALSE(report.is_damaged());
  for (const Finding& finding : report.findings) {
    EXPECT_EQ(finding.kind, FindingKind::kLeftover) << finding.detail;
  }
}

}  // namespace
}  // namespace tusk::lake
