#include "tusk/io/deferring_store.h"

#include <filesystem>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::io {
namespace {

/// Files that this process has open.
int64_t OpenFiles() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return std::distance(begin(files), end(files));
}

class DeferringStoreTest : public testing::Test {
 protected:
  std::shared_ptr<DeferringStore> Defer(const LocalStoreOptions& options = {}) {
    const auto store = MakeLocalStore(options);
    return static_cast<DeferringStore&>(*store).Defer();
  }

  const TemporaryFolder folder_;
  const OperationContext context_;
};

TEST_F(DeferringStoreTest, ShowsAtOnceWhatItHasYetToSync) {
  const auto deferred = Defer();
  const auto plain = MakeLocalStore();
  const std::string path = folder_ / "a/b/file";
  ASSERT_OK(deferred->PutIfAbsent(path, "bytes", context_));
  EXPECT_THAT(deferred->PutIfAbsent(path, "others", context_),
              FailsWith(ErrorCode::kAlreadyExists));
  ASSERT_OK_AND_ASSIGN(const auto bytes, plain->Get(path, context_));
  EXPECT_EQ(std::string_view(*bytes), "bytes");
  ASSERT_OK(deferred->Put(path, "newer", context_));
  ASSERT_OK(deferred->Sync(context_));
  ASSERT_OK_AND_ASSIGN(const auto newer, plain->Get(path, context_));
  EXPECT_EQ(std::string_view(*newer), "newer");
}

TEST_F(DeferringStoreTest, KeepsFewFilesOpenAndNoneBehindASync) {
  const int64_t before = OpenFiles();
  const auto deferred = Defer();
  for (int i = 0; i < 300; ++i) {
    ASSERT_OK(deferred->Put(folder_ / ("file" + std::to_string(i)), "bytes", context_));
  }
  EXPECT_GT(OpenFiles(), before);
  EXPECT_LE(OpenFiles(), before + 64);
  ASSERT_OK(deferred->Sync(context_));
  EXPECT_EQ(OpenFiles(), before);
  ASSERT_OK(deferred->Sync(context_));
}

TEST_F(DeferringStoreTest, SyncsBeforeItLinks) {
  const int64_t before = OpenFiles();
  const auto deferred = Defer();
  ASSERT_OK(deferred->Put(folder_ / "staged", "bytes", context_));
  EXPECT_EQ(OpenFiles(), before + 1);
  ASSERT_OK(deferred->LinkIfAbsent(folder_ / "staged", folder_ / "names/final", context_));
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(DeferringStoreTest, SyncsAllWithTheObjectThatItPutsLast) {
  const int64_t before = OpenFiles();
  const auto deferred = Defer();
  ASSERT_OK(deferred->Put(folder_ / "first", "bytes", context_));
  EXPECT_EQ(OpenFiles(), before + 1);
  ASSERT_OK(deferred->SyncAndPutIfAbsent(folder_ / "names/last", "bytes", context_));
  EXPECT_EQ(OpenFiles(), before);
  EXPECT_THAT(deferred->SyncAndPutIfAbsent(folder_ / "names/last", "others", context_),
              FailsWith(ErrorCode::kAlreadyExists));
  // A store that does not defer has nothing else to sync.
  const auto plain = MakeLocalStore();
  ASSERT_OK(static_cast<DeferringStore&>(*plain).SyncAndPutIfAbsent(folder_ / "plain", "bytes",
                                                                    context_));
  ASSERT_OK_AND_ASSIGN(const auto bytes, plain->Get(folder_ / "names/last", context_));
  EXPECT_EQ(std::string_view(*bytes), "bytes");
}

TEST_F(DeferringStoreTest, PutsNothingLastIfWhatCameBeforeIsNotDurable) {
  const auto deferred = Defer();
  ASSERT_OK(deferred->Put(folder_ / "gone/file", "bytes", context_));
  std::filesystem::remove_all(folder_ / "gone");
  EXPECT_THAT(deferred->SyncAndPutIfAbsent(folder_ / "last", "bytes", context_),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "last"));
  EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path(folder_.path())));
}

TEST_F(DeferringStoreTest, FailsIfAFolderCannotBeSynced) {
  const auto deferred = Defer();
  ASSERT_OK(deferred->Put(folder_ / "gone/file", "bytes", context_));
  std::filesystem::remove_all(folder_ / "gone");
  EXPECT_THAT(deferred->Sync(context_), FailsWith(ErrorCode::kNotFound));
}

TEST_F(DeferringStoreTest, HasNothingToPutOffWithoutDurability) {
  const int64_t before = OpenFiles();
  const auto deferred = Defer({.durable = false});
  ASSERT_OK(deferred->Put(folder_ / "file", "bytes", context_));
  EXPECT_EQ(OpenFiles(), before);
  EXPECT_OK(deferred->Sync(context_));
}

}  // namespace
}  // namespace tusk::io
