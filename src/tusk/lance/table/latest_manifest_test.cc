#include <filesystem>
#include <memory>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tusk/lance/cleanup.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::lance {
namespace {

/// Finds the latest version of a table on disk, and says whether it took a listing.
class LatestManifestTest : public ::testing::Test {
 protected:
  void Write(WriteMode mode) {
    const auto reader = NumberedReader(0, 3);
    ASSERT_OK(WriteDataset(reader.get(), table_, {.mode = mode}, {}));
  }

  void MakeVersions(int count) {
    for (int i = 0; i < count; ++i) Write(i == 0 ? WriteMode::kCreate : WriteMode::kAppend);
  }

  uint64_t Find() {
    IoCounters io;
    OperationContext context;
    context.io = &io;
    const auto found = FindLatestManifest(table_, context);
    EXPECT_OK(found);
    has_listed_ = io.list_requests > 0;
    return found.ok() && *found ? (*found)->version : 0;
  }

  Status PutHint(std::string_view text) { return table_.store->Put(hint_, text, {}); }

  /// As if a writer that leaves no hints had changed the folder a second later.
  void OutdateHint() {
    struct stat state;
    ASSERT_EQ(stat(hint_.c_str(), &state), 0);
    const timespec later{.tv_sec = state.st_ctim.tv_sec + 1, .tv_nsec = state.st_ctim.tv_nsec};
    const timespec times[2] = {later, later};
    ASSERT_EQ(utimensat(AT_FDCWD, (folder_ / "t/_versions").c_str(), times, 0), 0);
  }

  const TemporaryFolder folder_;
  const io::StorePath table_{.store = io::MakeLocalStore({.durable = false}),
                             .path = folder_ / "t"};
  const std::string hint_ = folder_ / "t/_versions/latest_version_hint.json";
  bool has_listed_ = false;
};

TEST_F(LatestManifestTest, IsFoundByTheHintOfACommit) {
  MakeVersions(3);
  EXPECT_EQ(Find(), 3);
  EXPECT_FALSE(has_listed_);
}

TEST_F(LatestManifestTest, IsListedIfTheFolderChangedAfterTheHint) {
  MakeVersions(3);
  OutdateHint();
  EXPECT_EQ(Find(), 3);
  EXPECT_TRUE(has_listed_);
}

TEST_F(LatestManifestTest, IsListedIfTheHintIsOfAnEarlierVersion) {
  MakeVersions(3);
  ASSERT_OK(PutHint("{\"version\":2}"));
  EXPECT_EQ(Find(), 3);
  EXPECT_TRUE(has_listed_);
}

TEST_F(LatestManifestTest, IsListedIfTheHintIsOfAVersionThatIsNotThere) {
  MakeVersions(3);
  ASSERT_OK(PutHint("{\"version\":4}"));
  EXPECT_EQ(Find(), 3);
  EXPECT_TRUE(has_listed_);
}

TEST_F(LatestManifestTest, IsListedIfTheHintSaysNothing) {
  MakeVersions(3);
  for (const char* text :
       {"", "{", "3", "{\"version\":}", "{\"version\":0}", "{\"version\":-3}", "{\"version\":3",
        "{\"version\":3}}", "{\"version\":\"3\"}", "{\"version\":9223372036854775808}",
        "{\"version\":18446744073709551615}", "{\"version\":18446744073709551619}"}) {
    ASSERT_OK(PutHint(text));
    EXPECT_EQ(Find(), 3) << text;
    EXPECT_TRUE(has_listed_) << text;
  }
}

TEST_F(LatestManifestTest, IsListedIfThereIsNoHint) {
  MakeVersions(3);
  ASSERT_OK(table_.store->Delete(hint_, {}));
  EXPECT_EQ(Find(), 3);
  EXPECT_TRUE(has_listed_);
}

TEST_F(LatestManifestTest, IsListedIfManifestsHaveTheirOldNames) {
  const auto reader = NumberedReader(0, 3);
  ASSERT_OK(WriteDataset(reader.get(), table_, {.enable_v2_manifest_paths = false}, {}));
  EXPECT_EQ(Find(), 1);
  EXPECT_TRUE(has_listed_);
}

TEST_F(LatestManifestTest, IsFoundBehindAGapByAnOldHint) {
  // Version 2 stayed by its tag when 3 was cleaned up, and whoever made 3 and 4 left no hints.
  MakeVersions(4);
  ASSERT_OK(PutHint("{\"version\":2}"));
  const std::string third = folder_ / ("t/" + ManifestPath(3, ManifestNaming::kV2));
  ASSERT_TRUE(std::filesystem::remove(third));
  OutdateHint();
  EXPECT_EQ(Find(), 4);
}

TEST_F(LatestManifestTest, IsFoundByTheHintOfACleanup) {
  MakeVersions(4);
  ASSERT_OK_AND_ASSIGN(const auto dataset, Dataset::Open(table_, {}, {}));
  ASSERT_OK_AND_ASSIGN(const auto report,
                       CleanUp(*dataset, {.older_than_ms = {}, .keep_last = 1}, {}));
  EXPECT_GT(report.files.size(), 3);
  EXPECT_EQ(Find(), 4);
  EXPECT_FALSE(has_listed_);
}

}  // namespace
}  // namespace tusk::lance
