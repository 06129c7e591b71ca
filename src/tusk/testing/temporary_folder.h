#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "tusk/base/uuid.h"

namespace tusk {

/// A new folder, removed with its content at the end.
class TemporaryFolder {
 public:
  enum class Place {
    kDisk,    ///< under the system's temporary folder
    kMemory,  ///< where nothing waits for a disk, if there is such a place: for tests that sync a
              ///< lot
  };

  explicit TemporaryFolder(Place place = Place::kDisk)
      : path_(Parent(place) / ("tusk-test-" + RandomUuidString())) {
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
  static std::filesystem::path Parent(Place place) {
    std::filesystem::path memory = "/dev/shm";
    std::error_code error;
    if (place == Place::kMemory && std::filesystem::is_directory(memory, error)) return memory;
    return std::filesystem::temp_directory_path();
  }

  std::filesystem::path path_;
};

}  // namespace tusk
