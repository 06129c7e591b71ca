#include "tusk/base/uuid.h"

#include <random>

#include <unistd.h>

namespace tusk {

std::array<uint8_t, 16> RandomUuid() {
  // The kernel's generator: unlike a seeded one it stays different across fork(). The library's
  // device asks the processor's for each number, which takes 40 us for all of them.
  std::array<uint8_t, 16> uuid;
  if (getentropy(uuid.data(), uuid.size()) != 0) {
    std::random_device device;
    for (uint8_t& byte : uuid) byte = static_cast<uint8_t>(device());
  }
  uuid[6] = static_cast<uint8_t>((uuid[6] & 0x0F) | 0x40);
  uuid[8] = static_cast<uint8_t>((uuid[8] & 0x3F) | 0x80);
  return uuid;
}

std::string FormatUuid(const std::array<uint8_t, 16>& uuid) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kDigits[uuid[i] >> 4]);
    text.push_back(kDigits[uuid[i] & 0x0F]);
  }
  return text;
}

std::string RandomUuidString() { return FormatUuid(RandomUuid()); }

}  // namespace tusk
