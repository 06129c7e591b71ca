#include "tusk/lake/content_ids.h"

#include <algorithm>
#include <utility>

namespace tusk::lake {
namespace {

/// The value of a lower-case hex character, -1 for any other.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Result<ContentDigest> ParseContentId(std::string_view content_id) {
  const auto fail = [&] {
    return InvalidArgument("a content id is 64 lower-case hex characters, not '", content_id, "'");
  };
  ContentDigest digest;
  if (content_id.size() != 2 * digest.size()) return fail();
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = HexValue(content_id[2 * i]);
    const int low = HexValue(content_id[2 * i + 1]);
    if (high < 0 || low < 0) return fail();
    digest[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return digest;
}

ContentIds::ContentIds(std::vector<ContentDigest> known) : known_(std::move(known)) {
  std::ranges::sort(known_);
}

bool ContentIds::Contains(const ContentDigest& digest) const {
  return added_.contains(digest) || std::ranges::binary_search(known_, digest);
}

bool ContentIds::Add(const ContentDigest& digest) {
  return !Contains(digest) && added_.insert(digest).second;
}

}  // namespace tusk::lake
