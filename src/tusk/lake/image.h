#pragma once

#include <cstdint>
#include <span>

namespace tusk::lake {

/// The bytes of the pixels that DecodeImage would make, by what the header of the picture says; 0
/// for what it would refuse by the header.
int64_t ClaimedPixelBytes(std::span<const uint8_t> bytes);

}  // namespace tusk::lake
