#include "tusk/base/sha256.h"

#include <string_view>

#include "tusk/base/digest.h"

namespace tusk {

Result<std::string> Sha256Hex(std::span<const uint8_t> bytes) {
  ARROW_ASSIGN_OR_RAISE(
      const std::string digest,
      Digest("sha256",
             std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())));
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const char c : digest) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0x0F]);
  }
  return text;
}

}  // namespace tusk
