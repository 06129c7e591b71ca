#include <cstdint>

#include "tusk/lake/content_ids.h"
#include "tusk/lake/ingest.h"

namespace tusk::lake {

Result<std::string> SplitOf(std::string_view content_id) {
  ARROW_ASSIGN_OR_RAISE(const ContentDigest digest, ParseContentId(content_id));
  const uint32_t leading = uint32_t{digest[0]} << 24 | uint32_t{digest[1]} << 16 |
                           uint32_t{digest[2]} << 8 | uint32_t{digest[3]};
  const uint32_t percent = leading % 100;
  if (percent < 80) return "train";
  if (percent < 90) return "val";
  return "test";
}

}  // namespace tusk::lake
