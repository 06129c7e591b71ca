#pragma once

#include <string>
#include <string_view>

namespace tusk {

/// The 32 bytes of the BLAKE3 digest of `bytes`.
/// Source: https://github.com/BLAKE3-team/BLAKE3-specs, "BLAKE3: one function, fast everywhere".
std::string Blake3(std::string_view bytes);

}  // namespace tusk
