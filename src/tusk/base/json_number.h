#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tusk {

/// A number as JSONB has it.
struct JsonbNumber {
  std::array<char, 9> bytes{};
  uint8_t size = 0;
  /// Bytes of the text that it was parsed from.
  size_t parsed = 0;

  std::string_view view() const { return {bytes.data(), size}; }
};

/// Parses the number that `json` begins with, as pylance stores it: integers that fit 64 bits, and
/// doubles, which may be infinite. Beyond JSON this takes "+1", "007", ".5", "5." (which is an
/// integer), "0x1F.8" with at most 128 bits before and behind the point, and "nan" and "infinity"
/// in any case. Nothing if there is none.
std::optional<JsonbNumber> ParseJsonNumber(std::string_view json);

}  // namespace tusk
