// What a version needs is on the disk before its manifest gets its name, and that is before the
// commit returns. The calls that see to it are those of the C library; here they are watched on
// their way.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/compute/expression.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tusk/lance/change_columns.h"
#include "tusk/lance/compact.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/delete_rows.h"
#include "tusk/lance/merge_insert.h"
#include "tusk/lance/update_values.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"
#include "tusk/testing/temporary_folder.h"

namespace tusk::lance {
namespace {

/// A call that was seen.
struct Event {
  ino_t inode = 0;        ///< that was synced, or got a name
  std::string name = {};  ///< that it got; empty for a sync
};

/// Events in their order; while a test watches.
class Watch {
 public:
  static Watch& Get() {
    static auto* watch = new Watch();
    return *watch;
  }
  std::vector<Event> During(const std::function<void()>& action) {
    {
      const std::lock_guard lock(mutex_);
      events_.clear();
      is_on_ = true;
    }
    action();
    const std::lock_guard lock(mutex_);
    is_on_ = false;
    return events_;
  }
  void Add(Event event) {
    const std::lock_guard lock(mutex_);
    if (is_on_) events_.push_back(std::move(event));
  }

 private:
  std::mutex mutex_;
  bool is_on_ = false;
  std::vector<Event> events_;
};

int SyncNext(const char* call, int fd) {
  const auto next = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, call));
  const int result = next(fd);
  struct stat state;
  if (fstat(fd, &state) == 0) Watch::Get().Add({.inode = state.st_ino});
  return result;
}

int LinkNext(const char* from, const char* to) {
  const auto next = reinterpret_cast<int (*)(const char*, const char*)>(dlsym(RTLD_NEXT, "link"));
  struct stat state;
  if (stat(from, &state) == 0) Watch::Get().Add({.inode = state.st_ino, .name = to});
  return next(from, to);
}

/// Of `root` and all below it, by path.
std::map<std::string, ino_t> Inodes(const std::string& root) {
  std::map<std::string, ino_t> inodes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    struct stat state;
    if (stat(entry.path().c_str(), &state) == 0) inodes[entry.path()] = state.st_ino;
  }
  return inodes;
}

class DurableAppendTest : public ::testing::Test {
 protected:
  /// Writes rows to the table in files of `rows_per_file`.
  void Write(int64_t begin, int64_t end, int64_t rows_per_file = 1000) {
    const auto reader = NumberedReader(begin, end);
    const WriteMode mode = begin == 0 ? WriteMode::kCreate : WriteMode::kAppend;
    ASSERT_OK(WriteDataset(reader.get(), table_, {.mode = mode, .max_rows_per_file = rows_per_file},
                           context_));
  }

  /// Expects that all which `commit` adds was synced before the manifest's name came, and the
  /// folder of that after it; each once.
  void ExpectDurableOrder(const std::function<void()>& commit) {
    const auto before = Inodes(table_.path);
    const auto events = Watch::Get().During(commit);
    const auto after = Inodes(table_.path);
    const auto name = std::ranges::find_if(events, [](const Event& event) {
      return std::string_view(event.name).ends_with(".manifest");
    });
    ASSERT_NE(name, events.end());
    const auto is_synced = [&](ino_t inode, auto begin, auto end) {
      return std::any_of(begin, end, [&](const Event& event) {
        return event.name.empty() && event.inode == inode;
      });
    };
    int files = 0;
    for (const auto& [path, inode] : after) {
      // Nobody relies on the hint.
      if (before.contains(path) || path.ends_with("_hint.json")) continue;
      if (!std::filesystem::is_regular_file(path)) continue;
      ++files;
      EXPECT_TRUE(is_synced(inode, events.begin(), name)) << path;
      const std::string folder = std::filesystem::path(path).parent_path();
      const bool is_manifest = path.ends_with(".manifest");
      EXPECT_TRUE(is_manifest ? is_synced(after.at(folder), name, events.end())
                              : is_synced(after.at(folder), events.begin(), name))
          << folder;
    }
    EXPECT_GE(files, 2);
    std::map<ino_t, int> syncs;
    for (const Event& event : events) syncs[event.inode] += event.name.empty() ? 1 : 0;
    for (const auto& [path, inode] : before) {
      if (std::filesystem::is_directory(path)) {
        EXPECT_LE(syncs[inode], 1) << path;
      }
    }
  }

  const TemporaryFolder folder_;
  const io::StorePath table_ = {.store = io::MakeLocalStore(), .path = folder_ / "table"};
  const OperationContext context_;
};

TEST_F(DurableAppendTest, AVersionIsNamedWhenAllOfItIsThere) {
  std::filesystem::create_directory(table_.path);
  ExpectDurableOrder([&] { Write(0, 10); });
  ExpectDurableOrder([&] { Write(10, 20); });
  // More files than are kept open.
  ExpectDurableOrder([&] { Write(20, 120, /*rows_per_file=*/1); });
}

TEST_F(DurableAppendTest, SoIsWhatOtherChangesMake) {
  Write(0, 100, /*rows_per_file=*/10);
  namespace cp = arrow::compute;
  const auto filter = expr::Filter::FromArrow(cp::less(cp::field_ref("id"), cp::literal(5)));
  ExpectDurableOrder([&] { ASSERT_OK(DeleteRows(table_, filter, {}, context_)); });
  ExpectDurableOrder([&] { ASSERT_OK(Compact(table_, {}, context_)); });
}

/// Files of rows and of deletions, one for each of ten fragments.
TEST_F(DurableAppendTest, SoAreRowsThatChange) {
  Write(0, 100, /*rows_per_file=*/10);
  namespace cp = arrow::compute;
  const auto id = cp::field_ref("id");
  const auto some = expr::Filter::FromArrow(cp::greater(
      cp::call("bit_wise_and", {id, cp::literal(int64_t{7})}), cp::literal(int64_t{5})));
  const std::vector<NamedExpression> name = {{.name = "name", .expression = "'new'"}};
  ExpectDurableOrder([&] { ASSERT_OK(UpdateValues(table_, name, some, {}, context_)); });
  ExpectDurableOrder([&] {
    const auto source = NumberedReader(50, 150);
    const MergeInsertOptions upsert{
        .on = {"id"}, .when_matched = WhenMatched::kUpdate, .insert_not_matched = true};
    ASSERT_OK(MergeInsert(source.get(), table_, upsert, context_));
  });
  ExpectDurableOrder([&] {
    const std::vector<NamedExpression> column = {{.name = "twice", .expression = "id * 2"}};
    ASSERT_OK(AddColumns(table_, column, {}, context_));
  });
  ExpectDurableOrder([&] {
    const auto source = NumberedReader(0, 100);
    const MergeInsertOptions columns{.on = {"id"},
                                     .when_matched = WhenMatched::kUpdate,
                                     .insert_not_matched = false,
                                     .write_mode = MergeWriteMode::kRewriteColumns};
    ASSERT_OK(MergeInsert(source.get(), table_, columns, context_));
  });
}

TEST_F(DurableAppendTest, AChangeOfTenFragmentsSyncsEachFolderOnce) {
  Write(0, 100, /*rows_per_file=*/10);
  namespace cp = arrow::compute;
  const auto filter = expr::Filter::FromArrow(
      cp::equal(cp::call("bit_wise_and", {cp::field_ref("id"), cp::literal(int64_t{1})}),
                cp::literal(int64_t{1})));
  const auto events =
      Watch::Get().During([&] { ASSERT_OK(DeleteRows(table_, filter, {}, context_)); });
  // Ten deletion files, the transaction, the manifest; their three folders, and above the one that
  // is new.
  EXPECT_LE(std::ranges::count(events, std::string(), &Event::name), 16);
}

TEST_F(DurableAppendTest, AnAppendSyncsThreeFilesAndTheirFolders) {
  Write(0, 10);
  const auto events = Watch::Get().During([&] { Write(10, 20); });
  EXPECT_EQ(std::ranges::count(events, std::string(), &Event::name), 6);
}

}  // namespace
}  // namespace tusk::lance

// In front of the C library's own, for this program and the libraries that it uses.
extern "C" int fsync(int fd) { return tusk::lance::SyncNext("fsync", fd); }
extern "C" int fdatasync(int fd) { return tusk::lance::SyncNext("fdatasync", fd); }
extern "C" int link(const char* from, const char* to) noexcept {
  return tusk::lance::LinkNext(from, to);
}
