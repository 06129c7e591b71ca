#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tusk/base/result.h"

namespace tusk {

/// The SHA-256 of `bytes` as 64 lower-case hex characters.
Result<std::string> Sha256Hex(std::span<const uint8_t> bytes);

}  // namespace tusk
