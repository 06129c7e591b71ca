#include "tusk/expr/source_text.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tusk::expr {
namespace {

constexpr size_t kLongestExcerpt = 60;
constexpr size_t kLongestComparedName = 100;

bool BeginsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string PlaceOf(std::string_view text, Span at) {
  const auto before = text.substr(0, std::min(at.begin, text.size()));
  const auto character = std::ranges::count_if(before, BeginsCharacter) + 1;
  std::string place = "at character " + std::to_string(character);
  if (at.begin >= text.size()) return place + ", the end of '" + Excerpt(text, {0, at.begin}) + "'";
  return place + ", '" + Excerpt(text, at) + "'";
}

}  // namespace

std::string Excerpt(std::string_view text, Span at) {
  std::string_view part = text.substr(std::min(at.begin, text.size()));
  part = part.substr(0, at.end - at.begin);
  if (part.size() <= kLongestExcerpt) return std::string(part);
  size_t size = kLongestExcerpt;
  while (size > 0 && !BeginsCharacter(part[size])) --size;
  return std::string(part.substr(0, size)) + "...";
}

Status ErrorAt(std::string_view text, Span at, std::string_view message) {
  if (text.data() == nullptr) return InvalidArgument(message);
  return InvalidArgument(PlaceOf(text, at), ": ", message);
}

Status WithPlace(const Status& status, std::string_view text, Span at) {
  return text.data() == nullptr ? status : WithContext(status, PlaceOf(text, at));
}

size_t EditDistance(std::string_view a, std::string_view b) {
  a = a.substr(0, kLongestComparedName);
  b = b.substr(0, kLongestComparedName);
  std::vector<size_t> before;  // of the prefix that is two shorter
  std::vector<size_t> last(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    std::vector<size_t> row(b.size() + 1, i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool is_same = ToLower(a[i - 1]) == ToLower(b[j - 1]);
      row[j] = std::min({last[j - 1] + (is_same ? 0 : 1), last[j] + 1, row[j - 1] + 1});
      const bool is_swap = i > 1 && j > 1 && ToLower(a[i - 1]) == ToLower(b[j - 2]) &&
                           ToLower(a[i - 2]) == ToLower(b[j - 1]);
      if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, std::move(row));
  }
  return last[b.size()];
}

std::string DidYouMean(std::string_view name, const std::vector<std::string>& known) {
  std::vector<std::pair<size_t, size_t>> near;  // distance, then place among the known
  for (size_t i = 0; i < known.size(); ++i) {
    const size_t distance = EditDistance(name, known[i]);
    if (distance <= (name.size() + 1) / 3) near.emplace_back(distance, i);
  }
  std::ranges::sort(near);
  std::string text;
  for (size_t i = 0; i < std::min<size_t>(3, near.size()); ++i) {
    text.append(i == 0 ? ", did you mean '" : " or '").append(known[near[i].second]).append("'");
  }
  return text.empty() ? text : text + "?";
}

bool EqualInAnyCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, ToLower, ToLower);
}

std::string ToLowerAscii(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), ToLower);
  return lower;
}

}  // namespace tusk::expr
