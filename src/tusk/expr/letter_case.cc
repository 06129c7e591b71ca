#include "tusk/expr/letter_case.h"

#include <algorithm>
#include <array>

#include "tusk/expr/utf8_text.h"

namespace tusk::expr {
namespace {

struct Capitals {
  uint32_t letter;
  std::string_view capitals;
};

/// Ascending by letter.
constexpr std::array<Capitals, 102> kCapitals = {{
    {0x00DF, "SS"},
    {0x0149, "\u02bcN"},
    {0x01F0, "J\u030c"},
    {0x0390, "\u0399\u0308\u0301"},
    {0x03B0, "\u03a5\u0308\u0301"},
    {0x0587, "\u0535\u0552"},
    {0x1E96, "H\u0331"},
    {0x1E97, "T\u0308"},
    {0x1E98, "W\u030a"},
    {0x1E99, "Y\u030a"},
    {0x1E9A, "A\u02be"},
    {0x1F50, "\u03a5\u0313"},
    {0x1F52, "\u03a5\u0313\u0300"},
    {0x1F54, "\u03a5\u0313\u0301"},
    {0x1F56, "\u03a5\u0313\u0342"},
    {0x1F80, "\u1f08\u0399"},
    {0x1F81, "\u1f09\u0399"},
    {0x1F82, "\u1f0a\u0399"},
    {0x1F83, "\u1f0b\u0399"},
    {0x1F84, "\u1f0c\u0399"},
    {0x1F85, "\u1f0d\u0399"},
    {0x1F86, "\u1f0e\u0399"},
    {0x1F87, "\u1f0f\u0399"},
    {0x1F88, "\u1f08\u0399"},
    {0x1F89, "\u1f09\u0399"},
    {0x1F8A, "\u1f0a\u0399"},
    {0x1F8B, "\u1f0b\u0399"},
    {0x1F8C, "\u1f0c\u0399"},
    {0x1F8D, "\u1f0d\u0399"},
    {0x1F8E, "\u1f0e\u0399"},
    {0x1F8F, "\u1f0f\u0399"},
    {0x1F90, "\u1f28\u0399"},
    {0x1F91, "\u1f29\u0399"},
    {0x1F92, "\u1f2a\u0399"},
    {0x1F93, "\u1f2b\u0399"},
    {0x1F94, "\u1f2c\u0399"},
    {0x1F95, "\u1f2d\u0399"},
    {0x1F96, "\u1f2e\u0399"},
    {0x1F97, "\u1f2f\u0399"},
    {0x1F98, "\u1f28\u0399"},
    {0x1F99, "\u1f29\u0399"},
    {0x1F9A, "\u1f2a\u0399"},
    {0x1F9B, "\u1f2b\u0399"},
    {0x1F9C, "\u1f2c\u0399"},
    {0x1F9D, "\u1f2d\u0399"},
    {0x1F9E, "\u1f2e\u0399"},
    {0x1F9F, "\u1f2f\u0399"},
    {0x1FA0, "\u1f68\u0399"},
    {0x1FA1, "\u1f69\u0399"},
    {0x1FA2, "\u1f6a\u0399"},
    {0x1FA3, "\u1f6b\u0399"},
    {0x1FA4, "\u1f6c\u0399"},
    {0x1FA5, "\u1f6d\u0399"},
    {0x1FA6, "\u1f6e\u0399"},
    {0x1FA7, "\u1f6f\u0399"},
    {0x1FA8, "\u1f68\u0399"},
    {0x1FA9, "\u1f69\u0399"},
    {0x1FAA, "\u1f6a\u0399"},
    {0x1FAB, "\u1f6b\u0399"},
    {0x1FAC, "\u1f6c\u0399"},
    {0x1FAD, "\u1f6d\u0399"},
    {0x1FAE, "\u1f6e\u0399"},
    {0x1FAF, "\u1f6f\u0399"},
    {0x1FB2, "\u1fba\u0399"},
    {0x1FB3, "\u0391\u0399"},
    {0x1FB4, "\u0386\u0399"},
    {0x1FB6, "\u0391\u0342"},
    {0x1FB7, "\u0391\u0342\u0399"},
    {0x1FBC, "\u0391\u0399"},
    {0x1FC2, "\u1fca\u0399"},
    {0x1FC3, "\u0397\u0399"},
    {0x1FC4, "\u0389\u0399"},
    {0x1FC6, "\u0397\u0342"},
    {0x1FC7, "\u0397\u0342\u0399"},
    {0x1FCC, "\u0397\u0399"},
    {0x1FD2, "\u0399\u0308\u0300"},
    {0x1FD3, "\u0399\u0308\u0301"},
    {0x1FD6, "\u0399\u0342"},
    {0x1FD7, "\u0399\u0308\u0342"},
    {0x1FE2, "\u03a5\u0308\u0300"},
    {0x1FE3, "\u03a5\u0308\u0301"},
    {0x1FE4, "\u03a1\u0313"},
    {0x1FE6, "\u03a5\u0342"},
    {0x1FE7, "\u03a5\u0308\u0342"},
    {0x1FF2, "\u1ffa\u0399"},
    {0x1FF3, "\u03a9\u0399"},
    {0x1FF4, "\u038f\u0399"},
    {0x1FF6, "\u03a9\u0342"},
    {0x1FF7, "\u03a9\u0342\u0399"},
    {0x1FFC, "\u03a9\u0399"},
    {0xFB00, "FF"},
    {0xFB01, "FI"},
    {0xFB02, "FL"},
    {0xFB03, "FFI"},
    {0xFB04, "FFL"},
    {0xFB05, "ST"},
    {0xFB06, "ST"},
    {0xFB13, "\u0544\u0546"},
    {0xFB14, "\u0544\u0535"},
    {0xFB15, "\u0544\u053b"},
    {0xFB16, "\u054e\u0546"},
    {0xFB17, "\u0544\u053d"},
}};

constexpr uint32_t kDottedI = 0x130;
constexpr uint32_t kSigma = 0x3A3;

/// Calls `visit(letter, begin, end)` for the letters that are not ASCII until it gives true.
template <typename Visit>
bool AnyWide(std::string_view text, const Visit& visit) {
  for (size_t i = 0; i < text.size();) {
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    const std::string_view character = CharacterAt(text, i);
    if (visit(CodePoint(character), i, i + character.size())) return true;
    i += character.size();
  }
  return false;
}

/// Letters of the scripts that are written in two cases, as far as Σ may stand beside them.
bool IsCased(uint32_t letter) {
  if (letter < 0x80) return (letter | 0x20) >= 'a' && (letter | 0x20) <= 'z';
  if (letter == 0xD7 || letter == 0xF7) return false;
  return (letter >= 0xC0 && letter <= 0x24F) ||   // Latin
         (letter >= 0x370 && letter <= 0x58F) ||  // Greek, Cyrillic, Armenian
         (letter >= 0x1E00 && letter <= 0x1FFF);  // more of Latin and Greek
}

/// What stands within a word and is no letter of it: accents, apostrophes, soft hyphens.
bool IsPassedOver(uint32_t letter) {
  static constexpr std::array<uint32_t, 12> kMarks = {'\'', '.',  ':',  '^',  '`',    0xA8,
                                                      0xAD, 0xAF, 0xB4, 0xB7, 0x2019, 0x387};
  return (letter >= 0x300 && letter <= 0x36F) || std::ranges::find(kMarks, letter) != kMarks.end();
}

/// Whether a letter stands behind or, with `goes_back`, in front of what is passed over.
bool HasLetterNextTo(std::string_view text, bool goes_back) {
  while (!text.empty()) {
    size_t begin = 0;
    if (goes_back) {
      begin = text.size() - 1;
      while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    }
    const std::string_view character = CharacterAt(text, begin);
    const uint32_t letter = CodePoint(character);
    if (!IsPassedOver(letter)) return IsCased(letter);
    if (goes_back) {
      text.remove_suffix(text.size() - begin);
    } else {
      text.remove_prefix(character.size());
    }
  }
  return false;
}

}  // namespace

std::string_view SeveralCapitals(uint32_t letter) {
  const auto found = std::ranges::lower_bound(kCapitals, letter, {}, &Capitals::letter);
  const bool is_there = found != kCapitals.end() && found->letter == letter;
  return is_there ? found->capitals : std::string_view();
}

bool HasSeveralCapitals(std::string_view text) {
  return AnyWide(text,
                 [](uint32_t letter, size_t, size_t) { return !SeveralCapitals(letter).empty(); });
}

void AppendBeforeUpper(std::string_view text, std::string* out) {
  size_t done = 0;
  AnyWide(text, [&](uint32_t letter, size_t begin, size_t end) {
    const std::string_view capitals = SeveralCapitals(letter);
    if (!capitals.empty()) {
      out->append(text.substr(done, begin - done)).append(capitals);
      done = end;
    }
    return false;
  });
  out->append(text.substr(done));
}

bool HasSpecialCapitals(std::string_view text) {
  return AnyWide(
      text, [](uint32_t letter, size_t, size_t) { return letter == kDottedI || letter == kSigma; });
}

void AppendBeforeLower(std::string_view text, std::string* out) {
  size_t done = 0;
  AnyWide(text, [&](uint32_t letter, size_t begin, size_t end) {
    const bool ends_word = letter == kSigma && HasLetterNextTo(text.substr(0, begin), true) &&
                           !HasLetterNextTo(text.substr(end), false);
    if (letter == kDottedI || ends_word) {
      out->append(text.substr(done, begin - done));
      out->append(letter == kDottedI ? "i\u0307" : "\u03c2");
      done = end;
    }
    return false;
  });
  out->append(text.substr(done));
}

}  // namespace tusk::expr
