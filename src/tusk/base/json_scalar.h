#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tusk/base/result.h"

namespace tusk {

/// The first byte of a JSONB number.
enum class JsonbNumberKind : uint8_t {
  kZero = 0x00,
  kNotANumber = 0x10,
  kInfinity = 0x20,
  kNegativeInfinity = 0x30,
  kSigned = 0x40,
  kUnsigned = 0x50,
  kDouble = 0x60,
  kDecimal = 0x70,
};

/// Appends `text` as a JSON string: quotes, backslashes and control characters are escaped.
void AppendJsonString(std::string_view text, std::string* out);

/// Appends the shortest decimal number that reads back as `value`: plain from 1e-5 to below 1e16,
/// as in "0.00001" and "12.0", else with an exponent, as in "1e-6" and "1.5e+16". "null" for what
/// JSON has no number for.
void AppendJsonDouble(double value, std::string* out);

/// Appends the number that `bytes` of a JSONB value hold. Corrupt if they hold none.
Status AppendJsonbNumber(std::span<const uint8_t> bytes, std::string* out);

/// Appends the extension value (bytes, date, timestamp, interval) that `bytes` of a JSONB value
/// hold as a JSON string. Corrupt if they hold none, or a time that no text is defined for.
Status AppendJsonbExtension(std::span<const uint8_t> bytes, std::string* out);

}  // namespace tusk
