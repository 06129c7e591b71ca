#include "tusk/io/last_change.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tusk/io/object_store.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::io {
namespace {

class LastChangeTest : public ::testing::Test {
 protected:
  Status Put(const std::string& name, std::string_view bytes = "text") {
    return store_->Put(folder_ / name, bytes, {});
  }

  /// The bytes, or "unknown".
  std::string Get(const std::string& name) {
    auto* telling = dynamic_cast<LastChangeStore*>(store_.get());
    const auto bytes = telling->GetIfLastChange(folder_ / name, {});
    EXPECT_OK(bytes);
    return bytes.ok() && *bytes != nullptr ? (*bytes)->ToString() : "unknown";
  }

  /// Moves the time of the folder's last change, which is what the kernel does when it changes.
  void MoveFolder(int64_t milliseconds) {
    struct stat state;
    ASSERT_EQ(stat((folder_ / "a").c_str(), &state), 0);
    const int64_t ns =
        state.st_ctim.tv_sec * 1'000'000'000 + state.st_ctim.tv_nsec + milliseconds * 1'000'000;
    const timespec time{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    const timespec times[2] = {time, time};
    ASSERT_EQ(utimensat(AT_FDCWD, folder_.path().c_str(), times, 0), 0);
  }

  const TemporaryFolder folder_;
  const std::shared_ptr<ObjectStore> store_ = MakeLocalStore({.durable = false});
};

TEST_F(LastChangeTest, GivesWhatWasPutLast) {
  ASSERT_OK(Put("b"));
  ASSERT_OK(Put("a", "first"));
  EXPECT_EQ(Get("a"), "first");
  ASSERT_OK(Put("a", "second"));
  EXPECT_EQ(Get("a"), "second");
}

TEST_F(LastChangeTest, KnowsNothingOnceTheFolderHasChanged) {
  ASSERT_OK(Put("a"));
  MoveFolder(9);
  EXPECT_EQ(Get("a"), "text");
  MoveFolder(11);
  EXPECT_EQ(Get("a"), "unknown");
  ASSERT_OK(Put("a"));
  EXPECT_EQ(Get("a"), "text");
}

TEST_F(LastChangeTest, KnowsNothingOfFilesThatWereChangedInPlace) {
  ASSERT_OK(Put("a"));
  MoveFolder(-11);
  EXPECT_EQ(Get("a"), "unknown");
}

TEST_F(LastChangeTest, KnowsNothingOfWhatIsNoSmallFile) {
  EXPECT_EQ(Get("a"), "unknown");
  ASSERT_OK(Put("a/inside"));
  EXPECT_EQ(Get("a"), "unknown");
  ASSERT_OK(Put("b", std::string(64 << 10, 'x')));
  EXPECT_EQ(Get("b").size(), 64 << 10);
  ASSERT_OK(Put("b", std::string((64 << 10) + 1, 'x')));
  EXPECT_EQ(Get("b"), "unknown");
}

}  // namespace
}  // namespace tusk::io
