// Small files of another writer, one of each layout and codec, cut at every length and with every
// byte changed.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tusk/lance/file/file_laws.h"
#include "tusk/testing/matchers.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>

/// Stacks of two frames for each block of memory: whole ones, of which each is kept, take twice the
/// time of the test. ASAN_OPTIONS=malloc_context_size=30 shows them.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" const char* __asan_default_options() { return "malloc_context_size=2"; }
#endif

namespace tusk::lance {
namespace {

/// So far apart are the bytes of a file that are damaged, and the lengths it is cut to.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kStride = 1;
#else
constexpr size_t kStride = 3;
#endif

/// The files of a data version are divided among so many tests, which can run at the same time.
constexpr size_t kShares = 4;

/// What is done to the file now, for the one who looks at a test that died of it.
std::string damage;  // NOLINT(readability-identifier-naming)

void PrintDamage() {
  const auto written = write(STDERR_FILENO, damage.data(), damage.size());
  static_cast<void>(written);
}

/// A file of the corpus.
struct SmallFile {
  std::string name;
  std::string bytes;
  /// Where damage begins, so that files of one kind are not all damaged at the same places.
  size_t first = 0;
};

/// A share of the files of one data version, by which their names end: "2_1".
class HostileFileTest : public testing::TestWithParam<std::tuple<std::string, size_t>> {
 protected:
  HostileFileTest() {
    const auto& [version, share] = GetParam();
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(TUSK_FILE_CORPUS)) {
      if (entry.path().stem().string().ends_with(version)) paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    for (size_t i = share; i < paths.size(); i += kShares) {
      SmallFile file;
      file.name = paths[i].stem().string();
      std::ifstream in(paths[i], std::ios::binary);
      file.bytes.assign(std::istreambuf_iterator<char>(in), {});
      file.first = std::hash<std::string>()(file.name) % kStride;
      files_.push_back(std::move(file));
    }
    std::signal(SIGABRT, [](int) { PrintDamage(); });
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_set_death_callback(PrintDamage);
#endif
  }

  std::vector<SmallFile> files_;
};

TEST_P(HostileFileTest, IsReadInPartsAsAWhole) {
  for (const SmallFile& file : files_) {
    damage = file.name + " as it is\n";
    const Status status = CheckFile(file.bytes, /*is_sound=*/true);
    EXPECT_TRUE(status.ok() || GetErrorCode(status) == ErrorCode::kUnsupported)
        << file.name << ": " << status.ToString();
  }
}

TEST_P(HostileFileTest, IsRefusedAtEveryTruncation) {
  ASSERT_GT(files_.size(), 30);
  for (const SmallFile& file : files_) {
    for (size_t length = file.first; length < file.bytes.size(); length += kStride) {
      damage = file.name + " cut to " + std::to_string(length) + " bytes\n";
      ASSERT_THAT(CheckFile(std::string_view(file.bytes).substr(0, length)),
                  FailsWith(ErrorCode::kCorrupt))
          << damage;
    }
  }
}

TEST_P(HostileFileTest, IsRefusedOrReadWithAnyByteChanged) {
  ASSERT_GT(files_.size(), 30);
  for (const SmallFile& file : files_) {
    std::string damaged = file.bytes;
    int refused = 0;
    for (size_t at = file.first; at < damaged.size(); at += kStride) {
      const char before = damaged[at];
      for (const int value : {before ^ 0x01, before ^ 0x80, 0x00, 0xFF}) {
        damaged[at] = static_cast<char>(value);
        damage = file.name + " with byte " + std::to_string(at) + " " +
                 std::to_string(value & 0xFF) + "\n";
        // What it must be is required there.
        if (!CheckFile(damaged).ok()) ++refused;
      }
      damaged[at] = before;
    }
    EXPECT_GT(refused, 0) << file.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Version, HostileFileTest,
                         testing::Combine(testing::Values("2_0", "2_1", "2_2"),
                                          testing::Range(size_t{0}, kShares)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_share_" +
                                  std::to_string(std::get<1>(info.param));
                         });

}  // namespace
}  // namespace tusk::lance
