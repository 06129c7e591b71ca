#include "tusk/base/json_number.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "tusk/base/json_scalar.h"

namespace tusk {
namespace {

// NOLINTNEXTLINE(modernize-use-using): __extension__ allows no other form.
__extension__ typedef unsigned __int128 UInt128;

JsonbNumber NumberOf(JsonbNumberKind kind) {
  JsonbNumber number;
  number.bytes[0] = static_cast<char>(kind);
  number.size = 1;
  return number;
}

/// The `width` lowest bytes of `value` behind `kind`, big-endian.
JsonbNumber NumberOf(JsonbNumberKind kind, uint64_t value, int width) {
  JsonbNumber number = NumberOf(kind);
  while (width > 0) number.bytes[number.size++] = static_cast<char>(value >> 8 * --width);
  return number;
}

JsonbNumber OfUnsigned(uint64_t value) {
  if (value == 0) return NumberOf(JsonbNumberKind::kZero);
  const int width = value <= 0xFF ? 1 : value <= 0xFFFF ? 2 : value <= 0xFFFF'FFFF ? 4 : 8;
  return NumberOf(JsonbNumberKind::kUnsigned, value, width);
}

/// Of the negative number of this magnitude, at most 2 to the power of 63.
JsonbNumber OfNegative(uint64_t magnitude) {
  if (magnitude == 0) return NumberOf(JsonbNumberKind::kZero);
  const int width = magnitude <= 0x80          ? 1
                    : magnitude <= 0x8000      ? 2
                    : magnitude <= 0x8000'0000 ? 4
                                               : 8;
  return NumberOf(JsonbNumberKind::kSigned, ~magnitude + 1, width);
}

JsonbNumber OfDouble(double value) {
  if (std::isnan(value)) return NumberOf(JsonbNumberKind::kNotANumber);
  if (std::isinf(value)) {
    return NumberOf(value < 0 ? JsonbNumberKind::kNegativeInfinity : JsonbNumberKind::kInfinity);
  }
  return NumberOf(JsonbNumberKind::kDouble, std::bit_cast<uint64_t>(value), 8);
}

/// Digits from the front of `text`.
std::string_view TakeDigits(std::string_view* text, std::string_view digits) {
  const size_t length = std::min(text->find_first_not_of(digits), text->size());
  const std::string_view taken = text->substr(0, length);
  text->remove_prefix(length);
  return taken;
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";

/// Whether `text` begins with `word`, which is in lower case, in any case.
bool BeginsWithWord(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(),
                    [](char lower, char c) { return lower == (c | 0x20); });
}

std::optional<UInt128> ParseHex(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > 32) return std::nullopt;
  UInt128 value = 0;
  for (const char digit : digits) {
    value =
        value << 4 | static_cast<UInt128>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
  }
  return value;
}

/// What follows "0x".
std::optional<JsonbNumber> ParseHexNumber(bool is_negative, std::string_view* rest) {
  const std::string_view digits = TakeDigits(rest, kHexDigits);
  const auto whole = ParseHex(digits);
  if (digits.empty() || !whole) return std::nullopt;
  if (!rest->starts_with('.')) {
    const auto low = static_cast<uint64_t>(*whole);
    const uint64_t largest = is_negative ? uint64_t{1} << 63 : ~uint64_t{0};
    if (*whole <= largest) return is_negative ? OfNegative(low) : OfUnsigned(low);
    return OfDouble(is_negative ? -static_cast<double>(*whole) : static_cast<double>(*whole));
  }
  rest->remove_prefix(1);
  const std::string_view behind = TakeDigits(rest, kHexDigits);
  const auto part = ParseHex(behind);
  if (behind.empty() || !part) return std::nullopt;
  // Beyond 2 to the power of 1,023 this is infinite, and the part nothing.
  const int exponent = static_cast<int>(std::min<size_t>(4 * behind.size(), 2000));
  const double value =
      static_cast<double>(*whole) + static_cast<double>(*part) / std::ldexp(1.0, exponent);
  return OfDouble(is_negative ? -value : value);
}

/// Whether a decimal number that is no double is too large for one, not too small.
bool IsHuge(std::string_view before, std::string_view behind, std::string_view exponent) {
  constexpr int64_t kFar = int64_t{1} << 40;
  const bool is_negative = exponent.starts_with('-');
  if (is_negative || exponent.starts_with('+')) exponent.remove_prefix(1);
  int64_t power = 0;
  if (!exponent.empty()) {
    const auto [end, error] =
        std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
    if (error != std::errc() || power > kFar) power = kFar;
  }
  if (is_negative) power = -power;
  // Where the first digit stands that is not zero.
  const size_t first = before.find_first_not_of('0');
  const size_t first_behind = behind.find_first_not_of('0');
  if (first == before.npos && first_behind == behind.npos) return false;
  const int64_t place = first != before.npos ? static_cast<int64_t>(before.size() - first)
                                             : -static_cast<int64_t>(first_behind);
  return place + power > 0;
}

}  // namespace

std::optional<JsonbNumber> ParseJsonNumber(std::string_view json) {
  std::string_view rest = json;
  const auto parsed = [&](std::optional<JsonbNumber> number) {
    if (number) number->parsed = json.size() - rest.size();
    return number;
  };
  const bool is_negative = rest.starts_with('-');
  if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  // "+" is none of from_chars'.
  const std::string_view signed_rest = is_negative ? json : rest;
  const std::string_view before = TakeDigits(&rest, kDigits);
  if (before == "0" && (rest.starts_with('x') || rest.starts_with('X'))) {
    rest.remove_prefix(1);
    return parsed(ParseHexNumber(is_negative, &rest));
  }
  if (before.empty()) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (BeginsWithWord(rest, "infinity")) {
      rest.remove_prefix(8);
      return parsed(OfDouble(is_negative ? -kInfinity : kInfinity));
    }
    if (!is_negative && BeginsWithWord(rest, "nan")) {
      rest.remove_prefix(3);
      return parsed(OfDouble(std::numeric_limits<double>::quiet_NaN()));
    }
  }
  std::string_view behind;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    behind = TakeDigits(&rest, kDigits);
  }
  if (before.empty() && behind.empty()) return std::nullopt;
  std::string_view exponent;
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    exponent = rest;
    if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
    if (TakeDigits(&rest, kDigits).empty()) return std::nullopt;
    exponent.remove_suffix(rest.size());
  }
  if (behind.empty() && exponent.empty()) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(before.data(), before.data() + before.size(), value);
    if (error == std::errc() && (!is_negative || value <= uint64_t{1} << 63)) {
      return parsed(is_negative ? OfNegative(value) : OfUnsigned(value));
    }
  }
  const std::string_view number = signed_rest.substr(0, signed_rest.size() - rest.size());
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error == std::errc::result_out_of_range) {
    value = IsHuge(before, behind, exponent) ? std::numeric_limits<double>::infinity() : 0;
    if (is_negative) value = -value;
  }
  return parsed(OfDouble(value));
}

}  // namespace tusk
