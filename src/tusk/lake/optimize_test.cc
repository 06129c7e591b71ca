#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/expr/filter.h"
#include "tusk/io/object_store.h"
#include "tusk/lake/maintenance.h"
#include "tusk/lance/delete_rows.h"
#include "tusk/testing/foreign_writers.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class OptimizeTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK_AND_ASSIGN(lake_, Lake::Init(root_, context_)); }

  void Append(int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_OK(AppendIds(*lake_, Range(next_id_, 5), context_));
      next_id_ += 5;
    }
  }

  void ExpectAllRows() {
    EXPECT_EQ(*LanceIds(*lake_, context_), Range(0, next_id_));
    EXPECT_EQ(*IcebergIds(*lake_, context_), Range(0, next_id_));
    EXPECT_EQ(*LanceIdsByPath(root_, context_), Range(0, next_id_));
  }

  int64_t CountDataFiles() {
    int64_t count = 0;
    for (const auto& file : fs::recursive_directory_iterator(root_)) {
      const std::string extension = file.path().extension();
      count += extension == ".lance" && file.is_regular_file() ? 1 : 0;
      count += extension == ".parquet" ? 1 : 0;
    }
    return count;
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  const std::string root_ = folder_ / "lake";
  const OperationContext context_;
  std::shared_ptr<Lake> lake_;
  int64_t next_id_ = 0;
};

TEST_F(OptimizeTest, PutsFilesOfBothKindsTogetherAndCleansUp) {
  Append(6);
  OptimizeOptions options{.author = "night"};
  ASSERT_OK_AND_ASSIGN(const OptimizeReport report, Optimize(lake_.get(), options, context_));
  ASSERT_EQ(report.tables.size(), 2U);
  for (const TableOptimization& table : report.tables) {
    EXPECT_OK(table.error);
    EXPECT_EQ(table.files_removed, 6) << table.name.ToString();
    EXPECT_EQ(table.files_added, 1) << table.name.ToString();
  }
  EXPECT_EQ(report.tables[0].version, 7);
  EXPECT_EQ(report.tables[1].version, 8);
  ASSERT_TRUE(report.cleanup.has_value());
  EXPECT_TRUE(report.cleanup->given_up.empty());
  ExpectAllRows();
  EXPECT_EQ(CountDataFiles(), 14);
  ASSERT_OK_AND_ASSIGN(const auto log, lake_->Log(2, context_));
  EXPECT_EQ(log.back().author, "night");
  EXPECT_EQ(log.back().properties.at("tusk.operation"), "optimize");
  EXPECT_EQ(log.back().changes[0].added_rows, 0);

  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // snapshots have milliseconds
  options.cleanup->older_than_ms = 0;
  ASSERT_OK_AND_ASSIGN(const OptimizeReport again, Optimize(lake_.get(), options, context_));
  for (const TableOptimization& table : again.tables) EXPECT_FALSE(table.version.has_value());
  EXPECT_EQ(again.cleanup->given_up.size(), 7U);
  ExpectAllRows();
  EXPECT_EQ(CountDataFiles(), 2);
}

TEST_F(OptimizeTest, EarlierVersionsStayWithoutACleanup) {
  Append(4);
  ASSERT_OK(Optimize(lake_.get(), {.cleanup = {}}, context_));
  ExpectAllRows();
  for (int64_t version = 1; version <= 4; ++version) {
    ASSERT_OK_AND_ASSIGN(const auto at, Lake::Open(root_, version, context_));
    EXPECT_EQ(*LanceIds(*at, context_), Range(0, version * 5));
    EXPECT_EQ(*IcebergIds(*at, context_), Range(0, version * 5));
  }
  ASSERT_OK_AND_ASSIGN(const auto report, Examine(lake_.get(), {}, context_));
  EXPECT_TRUE(report.findings.empty());
}

TEST_F(OptimizeTest, DropsDeletedRowsAndTakesInWhatOthersCommitted) {
  Append(3);
  AppendToIcebergAlone(*lake_, {100}, context_);
  ASSERT_OK(AppendByPath(root_, {100}, context_));
  ASSERT_OK_AND_ASSIGN(const io::StorePath path, io::ResolveUri(LancePath(root_)));
  ASSERT_OK(lance::DeleteRows(path, *expr::Filter::FromSql("id = 3"), {}, context_));
  ASSERT_OK(Optimize(lake_.get(), {}, context_));
  Ids ids = Range(0, 15);
  ids.push_back(100);
  EXPECT_EQ(*IcebergIds(*lake_, context_), ids);
  std::erase(ids, 3);
  EXPECT_EQ(*LanceIds(*lake_, context_), ids);
  ASSERT_OK_AND_ASSIGN(const auto drift, lake_->FindDrift(context_));
  EXPECT_TRUE(drift.empty());
}

TEST_F(OptimizeTest, ATableThatFailsKeepsNothingElseFromBeingDone) {
  Append(3);
  for (const auto& file : fs::directory_iterator(LancePath(root_) + "/data")) {
    fs::resize_file(file.path(), 10);
    break;
  }
  ASSERT_OK_AND_ASSIGN(const OptimizeReport report, Optimize(lake_.get(), {}, context_));
  EXPECT_THAT(report.tables[0].error, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(report.tables[0].error.message(), HasSubstr("items.pictures"));
  EXPECT_EQ(report.tables[0].files_removed, 0);
  EXPECT_FALSE(report.tables[0].version.has_value());
  EXPECT_OK(report.tables[1].error);
  EXPECT_EQ(report.tables[1].files_removed, 3);
  EXPECT_TRUE(report.cleanup.has_value());
  EXPECT_EQ(*IcebergIds(*lake_, context_), Range(0, 15));
}

TEST_F(OptimizeTest, TakesTheTablesThatAreAskedForAndRefusesOthers) {
  Append(3);
  ASSERT_OK_AND_ASSIGN(const OptimizeReport report,
                       Optimize(lake_.get(), {.tables = {IcebergName()}}, context_));
  ASSERT_EQ(report.tables.size(), 1U);
  EXPECT_TRUE(report.tables[0].version.has_value());
  EXPECT_THAT(
      Optimize(lake_.get(), {.tables = {*catalog::TableName::Parse("items.none")}}, context_),
      FailsWith(ErrorCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(const auto old, Lake::Open(root_, 1, context_));
  EXPECT_THAT(Optimize(old.get(), {}, context_), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace tusk::lake
