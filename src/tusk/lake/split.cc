#include <algorithm>
#include <charconv>
#include <cstdint>

#include "tusk/lake/ingest.h"

namespace tusk::lake {
namespace {

constexpr size_t kContentIdSize = 64;

bool IsLowerHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

Result<std::string> SplitOf(std::string_view content_id) {
  if (content_id.size() != kContentIdSize || !std::ranges::all_of(content_id, IsLowerHex)) {
    return InvalidArgument("a content id is 64 lower-case hex characters, not '", content_id, "'");
  }
  uint32_t leading = 0;
  std::from_chars(content_id.data(), content_id.data() + 8, leading, 16);
  const uint32_t percent = leading % 100;
  if (percent < 80) return "train";
  if (percent < 90) return "val";
  return "test";
}

}  // namespace tusk::lake
