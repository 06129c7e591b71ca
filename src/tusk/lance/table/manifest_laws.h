#pragma once

#include <string_view>

namespace tusk::lance {

/// Reads `message` as a manifest, and once more with protobuf alone, the plain slow version: both
/// refuse it, or have the same fragments. What was read is written, fragment by fragment, as
/// protobuf writes it, and is read again as the same. Aborts if one of these laws is broken.
/// Whether it is a manifest.
bool CheckManifest(std::string_view message);

}  // namespace tusk::lance
