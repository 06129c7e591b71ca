#include "tusk/expr/utf8_text.h"

#include <algorithm>

namespace tusk::expr {
namespace {

bool Begins(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

int64_t CountCharacters(std::string_view text) { return std::ranges::count_if(text, Begins); }

size_t OffsetOfCharacter(std::string_view text, int64_t index) {
  size_t i = 0;
  for (; i < text.size(); ++i) {
    if (Begins(text[i]) && index-- <= 0) break;
  }
  return i;
}

int64_t CharacterAtOffset(std::string_view text, size_t offset) {
  return CountCharacters(text.substr(0, offset));
}

std::string_view CharacterAt(std::string_view text, size_t offset) {
  size_t end = std::min(offset + 1, text.size());
  while (end < text.size() && !Begins(text[end])) ++end;
  return text.substr(offset, end - offset);
}

uint32_t CodePoint(std::string_view character) {
  if (character.empty()) return 0;
  const auto first = static_cast<unsigned char>(character[0]);
  uint32_t value = first;
  if (first >= 0xF0) {
    value = first & 0x07U;
  } else if (first >= 0xE0) {
    value = first & 0x0FU;
  } else if (first >= 0xC0) {
    value = first & 0x1FU;
  }
  for (const char c : character.substr(1)) {
    value = value << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return value;
}

bool AppendCodePoint(uint32_t code_point, std::string* out) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) return false;
  const auto append = [out](uint32_t byte) { *out += static_cast<char>(byte); };
  const auto tail = [&](int shift) { append(0x80U | (code_point >> shift & 0x3FU)); };
  if (code_point < 0x80) {
    append(code_point);
  } else if (code_point < 0x800) {
    append(0xC0U | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    append(0xE0U | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    append(0xF0U | code_point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
  return true;
}

}  // namespace tusk::expr
