#include "tusk/lance/table/auto_cleanup.h"

#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;

TEST(AutoCleanupTest, DurationsAreSumsOfUnits) {
  EXPECT_EQ(*ParseDurationMs("0s"), 0);
  EXPECT_EQ(*ParseDurationMs("1500ms"), 1500);
  EXPECT_EQ(*ParseDurationMs("2days 3h"), (2 * 24 + 3) * 3'600'000);
  EXPECT_EQ(*ParseDurationMs("1w1d"), 8 * 86'400'000);
  EXPECT_EQ(*ParseDurationMs("3M"), 7'890'048'000);
  EXPECT_EQ(*ParseDurationMs("1y"), 31'557'600'000);
  for (const std::string wrong : {"", " ", "5", "s", "-5s", "5 s", "5parsecs", "1s x"}) {
    EXPECT_THAT(ParseDurationMs(wrong), FailsWith(ErrorCode::kInvalidArgument)) << wrong;
  }
}

TEST(AutoCleanupTest, IsDueByTheConfig) {
  Manifest manifest;
  manifest.version = 12;
  EXPECT_FALSE(AutoCleanupOf(manifest)->has_value());
  manifest.config["lance.auto_cleanup.interval"] = "5";
  EXPECT_FALSE(AutoCleanupOf(manifest)->has_value());
  manifest.config["lance.auto_cleanup.interval"] = "6";
  manifest.config["lance.auto_cleanup.older_than"] = "14days";
  manifest.config["lance.auto_cleanup.retain_versions"] = "3";
  ASSERT_OK_AND_ASSIGN(const auto options, AutoCleanupOf(manifest));
  EXPECT_EQ(options->older_than_ms, 14 * 86'400'000);
  EXPECT_EQ(options->keep_last, 3);
  EXPECT_FALSE(options->delete_unverified);
  manifest.config["lance.auto_cleanup.interval"] = "often";
  EXPECT_THAT(AutoCleanupOf(manifest), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(AutoCleanupTest, IsDoneAfterEverySoManyCommits) {
  const io::StorePath table{.store = io::MakeMemoryStore(), .path = "t"};
  const auto write = [&](WriteMode mode, const std::map<std::string, std::string>& config) {
    const auto reader = NumberedReader(0, 5);
    EXPECT_OK(WriteDataset(reader.get(), table, {.mode = mode, .config = config}, {}));
    std::vector<uint64_t> versions;
    const auto dataset = *Dataset::Open(table, {}, {});
    for (const VersionInfo& version : *dataset->ListVersions({})) {
      versions.push_back(version.version);
    }
    return versions;
  };
  write(WriteMode::kCreate,
        {{"lance.auto_cleanup.interval", "3"}, {"lance.auto_cleanup.retain_versions", "2"}});
  EXPECT_THAT(write(WriteMode::kOverwrite, {}), ElementsAre(1, 2));
  EXPECT_THAT(write(WriteMode::kOverwrite, {}), ElementsAre(2, 3));
  EXPECT_EQ(table.store->List("t/data", {})->size(), 2U);
  EXPECT_THAT(write(WriteMode::kAppend, {}), ElementsAre(2, 3, 4));
  EXPECT_THAT(write(WriteMode::kAppend, {}), ElementsAre(2, 3, 4, 5));
  // What cannot be read is no reason for a commit to fail.
  EXPECT_THAT(write(WriteMode::kOverwrite, {{"lance.auto_cleanup.retain_versions", "x"}}),
              ElementsAre(2, 3, 4, 5, 6));
}

}  // namespace
}  // namespace tusk::lance
