// What a commit needs is on the disk before the catalog makes it true. The calls that put it there
// are those of the C library; here they are watched on their way.

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tusk/lake/lake.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/temporary_folder.h"
#include "tusk/testing/two_table_lake.h"

namespace tusk::lake {
namespace {

/// Inodes that were synced, in order; while a test watches.
class Watch {
 public:
  static Watch& Get() {
    static auto* watch = new Watch();
    return *watch;
  }
  void Start() {
    const std::lock_guard lock(mutex_);
    synced_.clear();
    is_on_ = true;
  }
  std::vector<ino_t> Stop() {
    const std::lock_guard lock(mutex_);
    is_on_ = false;
    return synced_;
  }
  void Add(int fd) {
    struct stat state;
    const std::lock_guard lock(mutex_);
    if (is_on_ && fstat(fd, &state) == 0) synced_.push_back(state.st_ino);
  }

 private:
  std::mutex mutex_;
  bool is_on_ = false;
  std::vector<ino_t> synced_;
};

int CallNext(const char* name, int fd) {
  Watch::Get().Add(fd);
  const auto next = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, name));
  return next(fd);
}

/// Of `root` and all below it, by path.
std::map<std::string, ino_t> Inodes(const std::string& root) {
  std::map<std::string, ino_t> inodes;
  const auto add = [&](const std::string& path) {
    struct stat state;
    if (stat(path.c_str(), &state) == 0) inodes[path] = state.st_ino;
  };
  add(root);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) add(entry.path());
  return inodes;
}

/// Inodes that were synced before the catalog first was: its file is the last to be.
std::set<ino_t> SyncedBefore(const std::vector<ino_t>& synced, ino_t catalog) {
  return {synced.begin(), std::ranges::find(synced, catalog)};
}

class DurableOrderTest : public ::testing::Test {
 protected:
  /// Expects of every file that `commit` adds, and of its folder, that it was synced in time.
  template <typename Commit>
  void ExpectDurableInTime(const Commit& commit) {
    const auto before = Inodes(folder_.path());
    Watch::Get().Start();
    commit();
    const auto synced = Watch::Get().Stop();
    const auto after = Inodes(folder_.path());
    const auto in_time = SyncedBefore(synced, after.at(folder_.path() + "/catalog.db"));
    ASSERT_FALSE(in_time.empty());
    int files = 0;
    for (const auto& [path, inode] : after) {
      if (before.contains(path)) continue;
      const auto place = std::filesystem::path(path).parent_path();
      const bool is_name = place.filename() == "_versions" || path.ends_with("_versions");
      // Its names come after the commit, and nobody relies on the hint.
      if (path.ends_with("_hint.json")) continue;
      if (std::filesystem::is_regular_file(path)) {
        ++files;
        EXPECT_TRUE(in_time.contains(inode)) << path;
      }
      if (is_name) continue;
      EXPECT_TRUE(in_time.contains(after.at(place))) << place;
    }
    EXPECT_GE(files, 6);
  }

  TemporaryFolder folder_;
  OperationContext context_;
};

TEST_F(DurableOrderTest, AllThatACommitNeedsIsThereBeforeTheCatalogSaysSo) {
  const auto lake = *Lake::Init(folder_.path(), context_);
  // The first makes the folders, too.
  ExpectDurableInTime([&] { ASSERT_OK(AppendIds(*lake, Range(0, 5), context_)); });
  ExpectDurableInTime([&] { ASSERT_OK(AppendIds(*lake, Range(5, 5), context_)); });
}

TEST_F(DurableOrderTest, ACommitSyncsEveryObjectOnce) {
  const auto lake = *Lake::Init(folder_.path(), context_);
  ASSERT_OK(AppendIds(*lake, Range(0, 5), context_));
  Watch::Get().Start();
  ASSERT_OK(AppendIds(*lake, Range(5, 5), context_));
  const auto synced = Watch::Get().Stop();
  // Seven files, five folders; the folder of versions; the catalog, its journal and its folder,
  // which has one more sync for each of two transactions.
  EXPECT_LE(synced.size(), 7U + 5U + 1U + 12U);
  std::map<ino_t, int> counts;
  for (const ino_t inode : synced) ++counts[inode];
  for (const auto& [path, inode] : Inodes(folder_.path() + "/tables")) {
    // The hint gets another file each time, perhaps with the number of one that has just gone.
    if (path.ends_with("_hint.json")) continue;
    EXPECT_LE(counts[inode], 1) << path;
  }
}

}  // namespace
}  // namespace tusk::lake

// In front of the C library's own, for this program and the libraries that it uses.
extern "C" int fsync(int fd) { return tusk::lake::CallNext("fsync", fd); }
extern "C" int fdatasync(int fd) { return tusk::lake::CallNext("fdatasync", fd); }
