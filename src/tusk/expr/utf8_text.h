#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tusk::expr {

/// Characters (code points) of UTF-8.
int64_t CountCharacters(std::string_view text);
/// Byte where character `index` (from 0) begins; the end if there are fewer.
size_t OffsetOfCharacter(std::string_view text, int64_t index);
/// Character number of the byte `offset`, from 0.
int64_t CharacterAtOffset(std::string_view text, size_t offset);
/// The bytes of the character that begins at byte `offset`.
std::string_view CharacterAt(std::string_view text, size_t offset);
/// The code point of a character; 0 of an empty text.
uint32_t CodePoint(std::string_view character);
/// Appends a code point; false if it is none.
bool AppendCodePoint(uint32_t code_point, std::string* out);

}  // namespace tusk::expr
