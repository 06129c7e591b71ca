#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace tusk {

/// The XXH3 checksum (64 bits, seed 0) of bytes that come piece by piece. It tells damage from the
/// disk or the network, not a forger's.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(Checksum&&) noexcept;
  Checksum& operator=(Checksum&&) noexcept;

  void Update(std::span<const uint8_t> bytes);
  /// Of all bytes so far.
  uint64_t value() const;

  static uint64_t Of(std::span<const uint8_t> bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tusk
