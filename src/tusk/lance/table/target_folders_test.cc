#include "tusk/lance/table/target_folders.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/broken_requests.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<BasePath> kBases = {
    {.id = 1, .name = "one", .path = "/bases/one"},
    {.id = 4, .name = "four", .is_dataset_root = true, .path = "file:///bases/four"},
};

io::StorePath Table() { return {.store = io::MakeMemoryStore(), .path = "/tables/t"}; }

std::vector<std::string> PathsOf(const BaseTargets& targets) {
  std::vector<std::string> paths;
  const auto folders = FindTargetFolders(Table(), kBases, targets);
  EXPECT_OK(folders.status());
  for (const DataFolder& folder : *folders) {
    paths.push_back((folder.base_id ? std::to_string(*folder.base_id) : "root") + " " +
                    folder.place.path);
  }
  return paths;
}

TEST(TargetFoldersTest, AreTheTablesOwnWithoutTargets) {
  EXPECT_THAT(PathsOf({}), ElementsAre("root /tables/t/data"));
}

TEST(TargetFoldersTest, AreFoundByNamePathAndUri) {
  EXPECT_THAT(
      PathsOf({.targets = {"four", "/bases/one/", "file:///tables/t", "one"}}),
      ElementsAre("4 /bases/four/data", "1 /bases/one", "root /tables/t/data", "1 /bases/one"));
}

TEST(TargetFoldersTest, AreAllBasesWithTheRootFirst) {
  EXPECT_THAT(PathsOf({.choice = BaseChoice::kBases}),
              ElementsAre("1 /bases/one", "4 /bases/four/data"));
  EXPECT_THAT(PathsOf({.choice = BaseChoice::kRootAndBases}),
              ElementsAre("root /tables/t/data", "1 /bases/one", "4 /bases/four/data"));
}

TEST(TargetFoldersTest, RefusesWhatIsNotRegistered) {
  const auto refuse = [](const BaseTargets& targets, std::span<const BasePath> bases) {
    const auto folders = FindTargetFolders(Table(), bases, targets);
    EXPECT_EQ(GetErrorCode(folders.status()), ErrorCode::kInvalidArgument);
    return folders.status().message();
  };
  EXPECT_THAT(refuse({.targets = {"two"}}, kBases), HasSubstr("its base paths are 'one', 'four'"));
  EXPECT_THAT(refuse({.targets = {"one"}}, {}), HasSubstr("it has no base paths"));
  EXPECT_THAT(refuse({.choice = BaseChoice::kBases}, {}), HasSubstr("it has none"));
  EXPECT_THAT(refuse({.targets = {"one"}, .choice = BaseChoice::kBases}, kBases),
              HasSubstr("choose one"));
}

TEST(TargetFoldersTest, AreInAStoreWithTheOptionsOfTheirPath) {
  const BaseTargets good{.targets = {"one"},
                         .store_options = {{"/bases/one/", {{"durable", "false"}}}}};
  EXPECT_OK(FindTargetFolders(Table(), kBases, good).status());
  const BaseTargets bad{.targets = {"one"}, .store_options = {{"/bases/one", {{"speed", "1"}}}}};
  EXPECT_EQ(GetErrorCode(FindTargetFolders(Table(), kBases, bad).status()),
            ErrorCode::kUnsupported);
}

TEST(TargetFoldersTest, OfAnUnknownIdAreCorrupt) {
  EXPECT_EQ(FindDataFolder(Table(), kBases, 4)->place.path, "/bases/four/data");
  EXPECT_EQ(GetErrorCode(FindDataFolder(Table(), kBases, 2).status()), ErrorCode::kCorrupt);
}

TEST(NumberBasesTest, GivesTheLowestFreeIdsInOrder) {
  const auto numbered =
      NumberBases({{.path = "/a"}, {.id = 2, .path = "/b"}, {.path = "/c"}}, kBases);
  ASSERT_OK(numbered.status());
  EXPECT_EQ((*numbered)[0].id, 3U);
  EXPECT_EQ((*numbered)[1].id, 2U);
  EXPECT_EQ((*numbered)[2].id, 5U);
}

TEST(NumberBasesTest, RefusesTwoOfOneIdNameOrPath) {
  for (const BasePath& base : std::vector<BasePath>{
           {.id = 4, .path = "/x"},
           {.name = "one", .path = "/x"},
           {.path = "/bases/four"},
           {.path = "/bases/one/"},
           {.path = ""},
       }) {
    EXPECT_EQ(GetErrorCode(NumberBases({base}, kBases).status()), ErrorCode::kInvalidArgument)
        << base.path;
  }
  EXPECT_EQ(GetErrorCode(NumberBases({{.path = "/x"}, {.path = "/x"}}).status()),
            ErrorCode::kInvalidArgument);
}

// The store refuses each request in turn: nothing is left at a base that no version names.
TEST(TargetFoldersTest, AreEmptyAfterAWriteThatFailed) {
  const BaseTargets targets{.initial_bases = {{.path = "/bases/one"}},
                            .choice = BaseChoice::kRootAndBases};
  int num_failed = 0;
  BreakEveryRequest({}, Table, [&](const io::StorePath& broken, const io::StorePath& table) {
    const auto rows = NumberedReader(0, 50);
    const auto written =
        WriteDataset(rows.get(), broken, {.max_rows_per_file = 10}, targets, OperationContext());
    const auto files = *table.store->List("/bases", {});
    if (written.ok()) {
      EXPECT_EQ(files.size(), 2U);
      return;
    }
    if (Dataset::Open(table, {}, {}).ok()) return;
    EXPECT_THAT(files, IsEmpty()) << written.status().ToString();
    ++num_failed;
  });
  EXPECT_GT(num_failed, 5);
}

}  // namespace
}  // namespace tusk::lance
