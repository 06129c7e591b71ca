#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "tusk/base/uuid.h"

namespace tusk {

/// A new folder under the system's temporary one, removed with its content at the end.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(std::filesystem::temp_directory_path() / ("tusk-test-" + RandomUuidString())) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path() const { return path_.native(); }
  /// The path of `name` in it.
  std::string operator/(std::string_view name) const { return (path_ / name).native(); }

 private:
  std::filesystem::path path_;
};

}  // namespace tusk
