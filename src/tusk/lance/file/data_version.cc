#include "tusk/lance/file/data_version.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace tusk::lance {
namespace {

constexpr std::array<std::string_view, 6> kNotWritten = {"0.1", "legacy", "2.0",
                                                         "0.3", "2.3",    "next"};

}  // namespace

Result<uint16_t> ParseDataVersion(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "2.1") return uint16_t{1};
  if (lower == "2.2" || lower == "stable") return uint16_t{2};
  if (std::ranges::find(kNotWritten, lower) != kNotWritten.end()) {
    return Unsupported("data version '", name, "' is not supported for writing: use 2.1 or 2.2");
  }
  return InvalidArgument("unknown data version '", name, "': use 2.1 or 2.2");
}

}  // namespace tusk::lance
