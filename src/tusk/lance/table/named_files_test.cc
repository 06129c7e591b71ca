#include "tusk/lance/table/named_files.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tusk/lance/dataset.h"
#include "tusk/lance/table/commit.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

class NamedFilesTest : public ::testing::Test {
 protected:
  void Write(int64_t begin, int64_t end, WriteMode mode) {
    const auto reader = NumberedReader(begin, end);
    ASSERT_OK(WriteDataset(reader.get(), table_, {.mode = mode}, context_));
  }

  /// Every file of the table but the hint, which nobody relies on.
  std::set<std::string> AllFiles() {
    std::set<std::string> paths;
    const auto listed = *table_.store->List(table_.path, context_);
    for (const io::ObjectInfo& info : listed) {
      const std::string path = info.path.substr(table_.path.size() + 1);
      if (!path.ends_with("_hint.json")) paths.insert(path);
    }
    return paths;
  }

  NamedFiles NamesOf(uint64_t version) {
    NamedFiles named;
    EXPECT_OK(AddNamedFiles(table_, FinalManifestPath(version), &named, context_));
    return named;
  }

  const OperationContext context_;
  const io::StorePath table_{.store = io::MakeMemoryStore(), .path = "t.lance"};
};

TEST_F(NamedFilesTest, TheOnlyVersionNamesEveryFile) {
  Write(0, 10, WriteMode::kCreate);
  const NamedFiles named = NamesOf(1);
  for (const std::string& path : AllFiles()) EXPECT_TRUE(Names(named, path)) << path;
  EXPECT_EQ(named.data.size(), 1u);
}

TEST_F(NamedFilesTest, AnOverwriteNamesNothingOfWhatWasBefore) {
  Write(0, 10, WriteMode::kCreate);
  const std::set<std::string> before = AllFiles();
  Write(10, 20, WriteMode::kOverwrite);
  const NamedFiles named = NamesOf(2);
  for (const std::string& path : before) EXPECT_FALSE(Names(named, path)) << path;
}

TEST_F(NamedFilesTest, AnAppendNamesTheRowsOfWhatWasBefore) {
  Write(0, 10, WriteMode::kCreate);
  const NamedFiles first = NamesOf(1);
  Write(10, 20, WriteMode::kAppend);
  const NamedFiles second = NamesOf(2);
  EXPECT_EQ(second.data.size(), 2u);
  for (const std::string& path : first.data) EXPECT_TRUE(Names(second, path)) << path;
  EXPECT_FALSE(Names(second, FinalManifestPath(1)));
}

TEST_F(NamedFilesTest, FoldersHoldWhatIsBelowThemOnly) {
  const NamedFiles named{.data = {"data/x.lance"}, .folders = {"_indices/a/"}};
  EXPECT_TRUE(Names(named, "_indices/a/index.idx"));
  EXPECT_TRUE(Names(named, "data/x/1.blob"));
  EXPECT_FALSE(Names(named, "_indices/b/index.idx"));
  EXPECT_FALSE(Names(named, "data/x"));
  EXPECT_FALSE(Names(named, "data/xy/1.blob"));
  EXPECT_FALSE(Names(named, "data/y/x.lance"));
  EXPECT_FALSE(Names(named, "_a"));
}

TEST_F(NamedFilesTest, AMissingManifestIsNotFound) {
  NamedFiles named;
  EXPECT_THAT(AddNamedFiles(table_, FinalManifestPath(9), &named, context_),
              FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace tusk::lance
