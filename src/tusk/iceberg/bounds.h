#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arrow {
class Decimal128;
}  // namespace arrow

namespace tusk::iceberg {

/// Text and bytes of bounds are cut to this length: code points for text, bytes for bytes.
inline constexpr size_t kBoundLength = 16;

/// The first `length` code points of `text`, which is UTF-8.
std::string_view TruncateText(std::string_view text, size_t length);

/// The smallest text of at most the same length that is greater than everything that begins with
/// `prefix`, by code points; nothing if there is none, or `prefix` is not UTF-8, as in a damaged
/// manifest. Surrogates are stepped over.
std::optional<std::string> NextText(std::string_view prefix);
/// The same for bytes.
std::optional<std::string> NextBytes(std::string_view prefix);

/// The unscaled value as the shortest big-endian two's complement.
std::string DecimalBound(const arrow::Decimal128& value);

}  // namespace tusk::iceberg
