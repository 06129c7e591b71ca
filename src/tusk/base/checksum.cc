#include "tusk/base/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tusk {

struct Checksum::State {
  XXH3_state_t xxh3;
};

// The state is aligned to 64 bytes, which operator new knows of by its type.
Checksum::Checksum() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh3); }
Checksum::~Checksum() = default;
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;

void Checksum::Update(std::span<const uint8_t> bytes) {
  XXH3_64bits_update(&state_->xxh3, bytes.data(), bytes.size());
}

uint64_t Checksum::value() const { return XXH3_64bits_digest(&state_->xxh3); }

uint64_t Checksum::Of(std::span<const uint8_t> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace tusk
