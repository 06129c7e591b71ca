#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace tusk {

/// A random (version 4) UUID as 16 bytes in network order.
std::array<uint8_t, 16> RandomUuid();

/// The 36 characters of the usual form, lower case: 8-4-4-4-12.
std::string FormatUuid(const std::array<uint8_t, 16>& uuid);

/// FormatUuid(RandomUuid()).
std::string RandomUuidString();

}  // namespace tusk
