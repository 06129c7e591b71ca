#pragma once

#include <cstdint>
#include <span>

namespace tusk::iceberg {

/// Reads `file` as a manifest. It is refused, or: read some entries at a time or all at once, with
/// the counts and bounds of some columns or of all, it has the same entries; filters of every kind
/// over every type judge them; and what is written of them is read the same.
void CheckManifest(std::span<const uint8_t> file);

/// Reads `file` as a manifest list. It is refused, or what is written of it is read the same.
void CheckManifestList(std::span<const uint8_t> file);

}  // namespace tusk::iceberg
