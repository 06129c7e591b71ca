#include "tusk/base/sha256.h"

#include <array>

#include <openssl/evp.h>

namespace tusk {

Result<std::string> Sha256Hex(std::span<const uint8_t> bytes) {
  std::array<uint8_t, 32> digest;
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 ||
      size != digest.size()) {
    return IoError("the OpenSSL library could not compute a SHA-256");
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const uint8_t byte : digest) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0x0F]);
  }
  return text;
}

}  // namespace tusk
