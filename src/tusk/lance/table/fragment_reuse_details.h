#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tusk/base/result.h"

namespace tusk::lance {

/// Where an index of moved rows has what it says: in its details, or in a file.
struct ReuseDetails {
  std::string content = {};  ///< as SerializeFragmentReuse gives it; if there is no path
  std::string path = {};     ///< below the folder of the index
  uint64_t offset = 0;
  uint64_t size = 0;
};

/// The message of the index's details.
std::string SerializeReuseDetails(const ReuseDetails& details);
/// Corrupt if the bytes are none.
Result<ReuseDetails> ParseReuseDetails(std::string_view bytes);

}  // namespace tusk::lance
