#include "tusk/lake/maintenance.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "tusk/lake/survey.h"
#include "tusk/lance/table/commit.h"
#include "tusk/testing/foreign_writers.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MaintenanceTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK_AND_ASSIGN(lake_, Lake::Init(root_, context_)); }

  void Append(int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_OK(AppendIds(*lake_, Range(next_id_, 5), context_));
      next_id_ += 5;
    }
  }

  DoctorReport Look(bool clean = false) {
    return *Examine(lake_.get(), {.clean = clean, .min_age_ms = 0}, context_);
  }

  int64_t Count(const DoctorReport& report, FindingKind kind) {
    return std::ranges::count(report.findings, kind, &Finding::kind);
  }

  void WriteFile(const std::string& path) {
    fs::create_directories(fs::path(root_ + "/" + path).parent_path());
    std::ofstream(root_ + "/" + path) << "something";
  }

  Ids IdsAt(int64_t number) {
    const auto at = *Lake::Open(root_, number, context_);
    const Ids lance = *LanceIds(*at, context_);
    EXPECT_EQ(*IcebergIds(*at, context_), lance);
    return lance;
  }

  /// Lets what was committed become older than now, by the milliseconds that snapshots have.
  void GrowOlder() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

  std::vector<int64_t> CleanUpAll(int64_t keep_last = 1) {
    GrowOlder();
    const CleanupOptions options{.older_than_ms = 0, .keep_last = keep_last, .min_age_ms = 0};
    const auto report = CleanUp(lake_.get(), options, context_);
    EXPECT_OK(report);
    EXPECT_TRUE(report->skipped.empty());
    return report->given_up;
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string root_ = folder_ / "lake";
  const OperationContext context_;
  std::shared_ptr<Lake> lake_;
  int64_t next_id_ = 0;
};

TEST_F(MaintenanceTest, AHealthyLakeHasNoFindings) {
  EXPECT_TRUE(Look().findings.empty());
  Append(3);
  ASSERT_OK(lake_->Restore(1, {}, context_));
  for (const Finding& finding : Look().findings) ADD_FAILURE() << finding.path << finding.detail;
}

TEST_F(MaintenanceTest, LeftoversOfEveryKindAreNamedAndRemoved) {
  Append(2);
  const std::vector<std::string> leftovers = {
      "tables/items/gone.lance/data/a.lance",  // a table whose commit did not become true
      "tables/items/pictures.lance/_staged/9-x.manifest",
      "tables/items/pictures.lance/_transactions/1-x.txn",
      "tables/items/pictures.lance/data/.a.tusk-tmp",
      "tables/items/pictures.lance/data/a.lance",
      "tables/items/pictures_meta/data/a.parquet",
      "tables/items/pictures_meta/metadata/00009-x.metadata.json",
      "tables/items/pictures_meta/metadata/x-m0.avro",
  };
  for (const std::string& path : leftovers) WriteFile(path);
  WriteFile("tables/items/pictures.lance/notes/keep.txt");  // not in a folder of the format

  ASSERT_OK_AND_ASSIGN(const auto young, Examine(lake_.get(), {.clean = true}, context_));
  EXPECT_EQ(young.leftover_files, std::ssize(leftovers));
  EXPECT_EQ(young.removed_files, 0);  // a writer may be about to commit them
  GrowOlder();
  const DoctorReport report = Look(/*clean=*/true);
  std::vector<std::string> named;
  for (const Finding& finding : report.findings) {
    EXPECT_EQ(finding.kind, FindingKind::kLeftover);
    EXPECT_TRUE(finding.removed);
    named.push_back(finding.path);
  }
  EXPECT_EQ(named, leftovers);
  for (const std::string& path : leftovers) EXPECT_FALSE(fs::exists(root_ + "/" + path)) << path;
  EXPECT_TRUE(fs::exists(root_ + "/tables/items/pictures.lance/notes/keep.txt"));
  EXPECT_TRUE(Look().findings.empty());
  EXPECT_EQ(IdsAt(1), Range(0, 5));
  EXPECT_EQ(IdsAt(2), Range(0, 10));
}

TEST_F(MaintenanceTest, TablesWhoseNamesBeginAlikeAreToldApart) {
  // In the order of bytes, "a-b" stands between "a" and what lies in the folder a.
  for (const char* name : {"items.a", "items.a-b", "items.ab", "items.a_meta"}) {
    for (const auto kind : {catalog::TableKind::kIceberg, catalog::TableKind::kLance}) {
      std::vector<TableAppend> appends(1);
      const bool is_lance = kind == catalog::TableKind::kLance;
      appends[0].name = *catalog::TableName::Parse(std::string(name) + (is_lance ? "l" : ""));
      appends[0].kind = kind;
      appends[0].data = Rows(Range(0, 3));
      ASSERT_OK(lake_->Append(std::move(appends), {}, context_));
    }
  }
  GrowOlder();
  const DoctorReport report = Look(/*clean=*/true);
  for (const Finding& finding : report.findings) ADD_FAILURE() << finding.path;
}

TEST(SurveyTest, FindsTheInnermostTable) {
  Survey survey;
  for (const char* root : {"/lake/a", "/lake/a/b", "/lake/a-b"}) {
    survey.tables[std::string(root) + "/"].root = root;
  }
  const auto root_of = [&](const std::string& path) {
    const TableNeeds* table = survey.TableOf(path);
    return table == nullptr ? "none" : table->root;
  };
  EXPECT_EQ(root_of("/lake/a/file"), "/lake/a");
  EXPECT_EQ(root_of("/lake/a/c/d/file"), "/lake/a");
  EXPECT_EQ(root_of("/lake/a/b/file"), "/lake/a/b");
  EXPECT_EQ(root_of("/lake/a-b/file"), "/lake/a-b");
  EXPECT_EQ(root_of("/lake/file"), "none");
  EXPECT_EQ(root_of("/lake/ab/file"), "none");
  EXPECT_EQ(root_of("file"), "none");
}

TEST_F(MaintenanceTest, AMissingFileIsDamage) {
  Append(1);
  const fs::path data = root_ + "/tables/items/pictures.lance/data";
  const std::string name = fs::directory_iterator(data)->path().filename();
  fs::remove(data / name);
  const DoctorReport report = Look(/*clean=*/true);
  EXPECT_TRUE(report.is_damaged());
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].kind, FindingKind::kMissing);
  EXPECT_EQ(report.findings[0].path, "tables/items/pictures.lance/data/" + name);
}

TEST_F(MaintenanceTest, ATableThatCannotBeJudgedIsLeftAlone) {
  Append(1);
  WriteFile("tables/items/pictures.lance/_versions/18446744073709551600.manifest");
  WriteFile("tables/items/pictures.lance/data/a.lance");
  const DoctorReport report = Look(/*clean=*/true);
  EXPECT_TRUE(report.is_damaged());
  EXPECT_EQ(Count(report, FindingKind::kUnclear), 1);
  EXPECT_EQ(report.leftover_files, 0);
  EXPECT_TRUE(fs::exists(root_ + "/tables/items/pictures.lance/data/a.lance"));
}

TEST_F(MaintenanceTest, DriftAndStuckPublicationsAreTold) {
  Append(1);
  ASSERT_OK(AppendByPath(root_, Range(100, 5), context_));
  AppendToIcebergAlone(*lake_, Range(100, 5), context_);
  EXPECT_EQ(Count(Look(), FindingKind::kDrift), 2);
  EXPECT_EQ(Look().leftover_files, 0);  // foreign versions are versions
}

TEST_F(MaintenanceTest, CleanupKeepsTheNewestTheTaggedAndTheLast) {
  Append(6);
  ASSERT_OK(lake_->SetTag({.name = "trained", .number = 2}, false, context_));
  EXPECT_THAT(CleanUpAll(/*keep_last=*/2), ElementsAre(1, 3, 4));
  EXPECT_EQ(IdsAt(2), Range(0, 10));
  EXPECT_EQ(IdsAt(5), Range(0, 25));
  EXPECT_EQ(IdsAt(6), Range(0, 30));
  for (const int64_t number : {1, 3, 4}) {
    const auto gone = Lake::Open(root_, number, context_).status();
    EXPECT_THAT(gone, FailsWith(ErrorCode::kNotFound));
    EXPECT_THAT(gone.message(), HasSubstr("given up"));
    EXPECT_THAT(lake_->SetTag({.name = "late", .number = number}, false, context_),
                FailsWith(ErrorCode::kNotFound));
    EXPECT_THAT(lake_->Restore(number, {}, context_), FailsWith(ErrorCode::kNotFound));
  }
  EXPECT_TRUE(Look().findings.empty());
  Append(1);
  EXPECT_EQ(*LanceIdsByPath(root_, context_), Range(0, 35));
  ASSERT_OK(lake_->Restore(2, {}, context_));
  EXPECT_EQ(*LanceIds(*lake_, context_), Range(0, 10));
  EXPECT_EQ(*IcebergIds(*lake_, context_), Range(0, 10));
}

TEST_F(MaintenanceTest, CleanupRemovesTheFilesOfWhatWasUndone) {
  Append(3);
  ASSERT_OK(lake_->Restore(1, {}, context_));
  const auto size = [&] {
    int64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root_ + "/tables")) {
      if (entry.path().extension() == ".lance" && entry.is_regular_file()) ++bytes;
      if (entry.path().extension() == ".parquet") ++bytes;
    }
    return bytes;
  };
  EXPECT_EQ(size(), 6);
  CleanUpAll();
  EXPECT_EQ(size(), 2);  // one of each kind
  EXPECT_EQ(*LanceIds(*lake_, context_), Range(0, 5));
  EXPECT_EQ(*IcebergIds(*lake_, context_), Range(0, 5));
  EXPECT_TRUE(Look().findings.empty());
}

TEST_F(MaintenanceTest, CleanupKeepsWhatIsYoungAndWhatOthersCommitted) {
  Append(3);
  const CleanupOptions week{.older_than_ms = 7 * 24 * 3600 * 1000LL, .min_age_ms = 0};
  ASSERT_OK_AND_ASSIGN(const auto report, CleanUp(lake_.get(), week, context_));
  EXPECT_TRUE(report.given_up.empty());
  EXPECT_EQ(report.removed_files + report.lance_versions + report.iceberg_snapshots, 0);
  ASSERT_OK(AppendByPath(root_, Range(100, 5), context_));
  AppendToIcebergAlone(*lake_, Range(100, 5), context_);
  CleanUpAll();
  EXPECT_EQ(*LanceIdsByPath(root_, context_), Union(Range(0, 15), Range(100, 5)));
  EXPECT_EQ(*IcebergIds(*lake_, context_), Union(Range(0, 15), Range(100, 5)));
  EXPECT_EQ(*LanceIds(*lake_, context_), Range(0, 15));
}

TEST_F(MaintenanceTest, ADryRunChangesNothing) {
  Append(3);
  GrowOlder();
  const CleanupOptions options{.older_than_ms = 0, .dry_run = true, .min_age_ms = 0};
  ASSERT_OK_AND_ASSIGN(const auto report, CleanUp(lake_.get(), options, context_));
  EXPECT_THAT(report.given_up, ElementsAre(1, 2));
  EXPECT_EQ(IdsAt(1), Range(0, 5));
  EXPECT_EQ(lake_->Log({}, context_)->size(), 3u);
}

TEST_F(MaintenanceTest, LanceTagsAreKept) {
  Append(3);
  const std::string tags = "/tables/items/pictures.lance/_refs/tags";
  fs::create_directories(root_ + tags);
  std::ofstream(root_ + tags + "/old.json") << R"({"branch":null,"version":1,"manifestSize":1})";
  CleanUpAll();
  lance::OpenOptions first;
  first.version = 1;
  EXPECT_OK(lance::Dataset::Open(LancePath(root_), first, context_));
  lance::OpenOptions second;
  second.version = 2;
  EXPECT_THAT(lance::Dataset::Open(LancePath(root_), second, context_),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(MaintenanceTest, CleansUpByTheRulesThatAreWrittenDown) {
  Append(6);
  ASSERT_OK(lake_->SetTag({.name = "kept", .number = 2}, /*move=*/false, context_));
  GrowOlder();
  // Nothing is written down: two weeks.
  ASSERT_OK_AND_ASSIGN(const auto none, CleanUp(lake_.get(), {}, context_));
  EXPECT_THAT(none.given_up, ElementsAre());
  EXPECT_EQ(none.older_than_ms, kDefaultOlderThanMs);
  ASSERT_OK(lake_->SetRetention({.older_than_ms = 0, .keep_last = 3}, context_));
  ASSERT_OK_AND_ASSIGN(const auto retention, lake_->Retention(context_));
  EXPECT_EQ(retention.keep_last, 3);
  // What a cleanup is told goes before what is written down.
  ASSERT_OK_AND_ASSIGN(const auto told, CleanUp(lake_.get(), {.keep_last = 5}, context_));
  EXPECT_THAT(told.given_up, ElementsAre(1));
  const auto before = IdsAt(4);
  ASSERT_OK_AND_ASSIGN(const auto ruled, CleanUp(lake_.get(), {.min_age_ms = 0}, context_));
  EXPECT_EQ(ruled.keep_last, 3);
  EXPECT_EQ(ruled.older_than_ms, 0);
  EXPECT_THAT(ruled.given_up, ElementsAre(3, 4));
  EXPECT_GT(ruled.lance_versions, 0);
  EXPECT_GT(ruled.iceberg_snapshots, 0);
  EXPECT_EQ(IdsAt(2), Range(0, 10));
  EXPECT_EQ(IdsAt(6), Range(0, 30));
  EXPECT_EQ(before, Range(0, 20));
  EXPECT_THAT(Lake::Open(root_, 4, context_), FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace tusk::lake
