#include "tusk/lake/folder_walk.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::lake {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FindFilesTest : public ::testing::Test {
 protected:
  std::string Touch(const std::string& name) {
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << name;
    return path.string();
  }

  TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
  OperationContext context_;
};

TEST_F(FindFilesTest, GoesByPathAtAnyDepth) {
  const std::string b = Touch("b.png");
  const std::string deep = Touch("a/x/y/1.png");
  const std::string dash = Touch("a-b/1.png");
  const std::string upper = Touch("Z.png");
  fs::create_directories(root_ / "empty");
  ASSERT_OK_AND_ASSIGN(const FoundFiles found, FindFiles(root_.string(), context_));
  EXPECT_THAT(found.paths, ElementsAre(upper, dash, deep, b));
  EXPECT_THAT(found.skipped, IsEmpty());
}

TEST_F(FindFilesTest, LeavesOutWhatIsHidden) {
  Touch(".hidden");
  Touch(".folder/1.png");
  Touch("a/.DS_Store");
  const std::string seen = Touch("a/1.png");
  ASSERT_OK_AND_ASSIGN(const FoundFiles found, FindFiles(root_.string(), context_));
  EXPECT_THAT(found.paths, ElementsAre(seen));
  EXPECT_THAT(found.skipped, IsEmpty());
}

TEST_F(FindFilesTest, FollowsLinksToFilesButNotToFolders) {
  const std::string file = Touch("a/1.png");
  fs::create_symlink(file, root_ / "link.png");
  fs::create_directory_symlink(root_, root_ / "a" / "loop");
  fs::create_symlink("nowhere", root_ / "dangling.png");
  ASSERT_EQ(mkfifo((root_ / "pipe").c_str(), 0600), 0);
  ASSERT_OK_AND_ASSIGN(const FoundFiles found, FindFiles(root_.string(), context_));
  EXPECT_THAT(found.paths, ElementsAre(file, (root_ / "link.png").string()));
  ASSERT_EQ(found.skipped.size(), 2);
  EXPECT_EQ(found.skipped[0].path, (root_ / "dangling.png").string());
  EXPECT_EQ(found.skipped[1].path, (root_ / "pipe").string());
}

TEST_F(FindFilesTest, RefusesWhatIsNoFolder) {
  const std::string file = Touch("1.png");
  EXPECT_THAT(FindFiles(file, context_), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(FindFiles((root_ / "none").string(), context_), FailsWith(ErrorCode::kNotFound));
  fs::create_symlink("loop", root_ / "loop");
  EXPECT_THAT(FindFiles((root_ / "loop").string(), context_), FailsWith(ErrorCode::kIo));
}

TEST_F(FindFilesTest, StopsWhenAskedTo) {
  std::stop_source source;
  source.request_stop();
  context_.stop = source.get_token();
  EXPECT_THAT(FindFiles(root_.string(), context_), FailsWith(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace tusk::lake
