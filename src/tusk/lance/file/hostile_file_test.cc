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
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tusk/lance/file/file_laws.h"
#include "tusk/testing/matchers.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace tusk::lance {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr size_t kStride = 1;
#else
constexpr size_t kStride = 3;
#endif

/// So far apart are the bytes of a file that are damaged: the sanitizers' build takes them all, but
/// for files of some kilobytes, nearly all of which are values.
size_t StrideOf(size_t file_size) { return file_size > 2048 ? kStride * 8 : kStride; }

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
  size_t stride = 1;
  /// Where damage begins, so that files of one kind are not all damaged at the same places.
  size_t first = 0;
};

/// Those of one data version, by which their names end: "2_1".
class HostileFileTest : public testing::TestWithParam<std::string> {
 protected:
  HostileFileTest() {
    for (const auto& entry : std::filesystem::directory_iterator(TUSK_FILE_CORPUS)) {
      SmallFile file;
      file.name = entry.path().stem().string();
      if (!file.name.ends_with(GetParam())) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      file.bytes.assign(std::istreambuf_iterator<char>(in), {});
      file.stride = StrideOf(file.bytes.size());
      file.first = std::hash<std::string>()(file.name) % file.stride;
      files_.push_back(std::move(file));
    }
    std::ranges::sort(files_, {}, &SmallFile::name);
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
  ASSERT_GT(files_.size(), 40);
  for (const SmallFile& file : files_) {
    for (size_t length = file.first; length < file.bytes.size(); length += file.stride) {
      damage = file.name + " cut to " + std::to_string(length) + " bytes\n";
      ASSERT_THAT(CheckFile(std::string_view(file.bytes).substr(0, length)),
                  FailsWith(ErrorCode::kCorrupt))
          << damage;
    }
  }
}

TEST_P(HostileFileTest, IsRefusedOrReadWithAnyByteChanged) {
  ASSERT_GT(files_.size(), 40);
  for (const SmallFile& file : files_) {
    std::string damaged = file.bytes;
    int refused = 0;
    for (size_t at = file.first; at < damaged.size(); at += file.stride) {
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

INSTANTIATE_TEST_SUITE_P(Version, HostileFileTest, testing::Values("2_0", "2_1", "2_2"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace tusk::lance
