#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tusk::lance {

/// What reading every byte of a Lance file has shown.
struct FileVerification {
  /// The file has checksums of its parts, as those that tusk writes, and all were compared. Without
  /// them all values were decoded, which shows damage only where it breaks the form.
  bool has_checksums = false;
  int64_t num_bytes = 0;             ///< of the file
  std::vector<std::string> damages;  ///< each with its place; none: the file is whole
};

}  // namespace tusk::lance
