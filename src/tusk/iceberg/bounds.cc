#include "tusk/iceberg/bounds.h"

#include <array>

#include <arrow/util/decimal.h>

#include "tusk/base/utf8.h"

namespace tusk::iceberg {
namespace {

bool IsContinuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

/// The code point that `bytes` (one, well-formed) encode.
uint32_t DecodeCodePoint(std::string_view bytes) {
  const auto first = static_cast<uint8_t>(bytes[0]);
  if (bytes.size() == 1) return first;
  // A lead byte of n bytes carries 7 - n bits.
  uint32_t code_point = first & ((1U << (7 - bytes.size())) - 1);
  for (const char byte : bytes.substr(1)) {
    code_point = (code_point << 6) | (static_cast<uint8_t>(byte) & 0x3F);
  }
  return code_point;
}

void AppendCodePoint(uint32_t code_point, std::string* out) {
  const auto put = [out](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  const auto put_rest = [&](int shift) { put(0x80 | ((code_point >> shift) & 0x3F)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put_rest(0);
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put_rest(6);
    put_rest(0);
  } else {
    put(0xF0 | (code_point >> 18));
    put_rest(12);
    put_rest(6);
    put_rest(0);
  }
}

}  // namespace

std::string_view TruncateText(std::string_view text, size_t length) {
  if (text.size() <= length) return text;
  size_t end = 0;
  for (size_t count = 0; count < length && end < text.size(); ++count) {
    ++end;
    while (end < text.size() && IsContinuation(text[end])) ++end;
  }
  return text.substr(0, end);
}

std::optional<std::string> NextText(std::string_view prefix) {
  if (!IsUtf8(prefix)) return std::nullopt;
  while (!prefix.empty()) {
    size_t begin = prefix.size() - 1;
    while (begin > 0 && IsContinuation(prefix[begin])) --begin;
    const uint32_t last = DecodeCodePoint(prefix.substr(begin));
    prefix = prefix.substr(0, begin);
    if (last >= 0x10FFFF) continue;
    std::string next(prefix);
    AppendCodePoint(last == 0xD7FF ? 0xE000 : last + 1, &next);
    return next;
  }
  return std::nullopt;
}

std::optional<std::string> NextBytes(std::string_view prefix) {
  while (prefix.ends_with('\xFF')) prefix.remove_suffix(1);
  if (prefix.empty()) return std::nullopt;
  std::string next(prefix);
  next.back() = static_cast<char>(static_cast<uint8_t>(next.back()) + 1);
  return next;
}

std::string DecimalBound(const arrow::Decimal128& value) {
  std::array<uint8_t, 16> little{};
  value.ToBytes(little.data());
  const uint8_t sign = value < arrow::Decimal128(0) ? 0xFF : 0x00;
  // Leading bytes go while they only repeat the sign.
  size_t size = little.size();
  while (size > 1 && little[size - 1] == sign && ((little[size - 2] ^ sign) & 0x80) == 0) --size;
  std::string bytes;
  for (size_t i = size; i > 0; --i) bytes.push_back(static_cast<char>(little[i - 1]));
  return bytes;
}

}  // namespace tusk::iceberg
