#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tusk::expr {

// What changes of case change a text beyond one letter for another, which Arrow's functions do.
// Source: SpecialCasing.txt of the Unicode character database, as far as it hangs on no language.

/// The capitals of a letter that has several, "SS" of ß; empty for all others.
std::string_view SeveralCapitals(uint32_t letter);

/// Whether AppendBeforeUpper changes the text.
bool HasSeveralCapitals(std::string_view text);
/// Appends a text in which letters that have several capitals are these. Its other letters are
/// still to be changed one by one.
void AppendBeforeUpper(std::string_view text, std::string* out);

/// Whether AppendBeforeLower may change the text.
bool HasSpecialCapitals(std::string_view text);
/// The same for small letters: İ becomes an i with its dot, and Σ ς where a word ends.
void AppendBeforeLower(std::string_view text, std::string* out);

}  // namespace tusk::expr
