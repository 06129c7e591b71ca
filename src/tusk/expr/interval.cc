#include "tusk/expr/interval.h"

#include <array>
#include <optional>
#include <string>

#include "tusk/expr/number_text.h"
#include "tusk/expr/source_text.h"

namespace tusk::expr {
namespace {

/// A unit as so many of the smallest that it is counted in.
struct Unit {
  std::string_view name;
  enum class Part { kMonths, kDays, kNanoseconds } part;
  int64_t count;
};

constexpr std::array<Unit, 10> kUnits = {{
    {"year", Unit::Part::kMonths, 12},
    {"month", Unit::Part::kMonths, 1},
    {"week", Unit::Part::kDays, 7},
    {"day", Unit::Part::kDays, 1},
    {"hour", Unit::Part::kNanoseconds, 3'600'000'000'000},
    {"minute", Unit::Part::kNanoseconds, 60'000'000'000},
    {"second", Unit::Part::kNanoseconds, 1'000'000'000},
    {"millisecond", Unit::Part::kNanoseconds, 1'000'000},
    {"microsecond", Unit::Part::kNanoseconds, 1'000},
    {"nanosecond", Unit::Part::kNanoseconds, 1},
}};

const Unit* FindUnit(std::string_view word) {
  const std::string lower = ToLowerAscii(word);
  for (const Unit& unit : kUnits) {
    if (lower == unit.name || lower == std::string(unit.name) + "s") return &unit;
  }
  return nullptr;
}

std::string_view TakeWord(std::string_view* text) {
  const size_t begin = std::min(text->find_first_not_of(' '), text->size());
  text->remove_prefix(begin);
  const std::string_view word = text->substr(0, text->find(' '));
  text->remove_prefix(word.size());
  return word;
}

/// `number` times `count`, if that is whole and has 64 bits.
std::optional<int64_t> Multiply(const NumberText& number, int64_t count) {
  // Nine digits behind the point are a nanosecond of a second; no unit needs more.
  bool is_exact = true;
  const auto digits = number.ScaledFloor(9, &is_exact);
  if (!digits || !is_exact || digits->size() > 25) return std::nullopt;
  const std::string whole = digits->size() > 9 ? digits->substr(0, digits->size() - 9) : "0";
  std::string fraction = digits->size() > 9 ? digits->substr(digits->size() - 9) : *digits;
  const bool is_negative = digits->starts_with('-');
  if (fraction.starts_with('-')) fraction.erase(0, 1);
  const int64_t high = whole == "-" ? 0 : std::stoll(whole);
  const int64_t low = fraction.empty() ? 0 : std::stoll(fraction);
  int64_t result = 0;
  int64_t scaled = 0;
  if (__builtin_mul_overflow(high, count, &result)) return std::nullopt;
  // A fraction of a unit: below 10^9 times at most 3.6 * 10^12, which has to be taken apart.
  const int64_t thousandths = count % 1'000'000'000 == 0 ? count / 1'000'000'000 : 0;
  if (thousandths != 0) {
    scaled = low * thousandths;
  } else {
    if (low * count % 1'000'000'000 != 0) return std::nullopt;
    scaled = low * count / 1'000'000'000;
  }
  if (__builtin_add_overflow(result, is_negative ? -scaled : scaled, &result)) return std::nullopt;
  return result;
}

}  // namespace

Result<arrow::MonthDayNanoIntervalType::MonthDayNanos> ParseInterval(std::string_view text) {
  const std::string_view whole = text;
  int64_t months = 0;
  int64_t days = 0;
  int64_t nanoseconds = 0;
  bool is_empty = true;
  while (true) {
    const std::string_view number_word = TakeWord(&text);
    if (number_word.empty()) break;
    is_empty = false;
    const auto number = NumberText::Parse(number_word);
    const Unit* unit = number ? FindUnit(TakeWord(&text)) : nullptr;
    const auto amount = unit != nullptr ? Multiply(*number, unit->count) : std::nullopt;
    if (!amount) {
      return InvalidArgument("'", Excerpt(whole, {0, whole.size()}),
                             "' is no interval such as '1 day' or '2 hours 30 minutes'");
    }
    int64_t* part = unit->part == Unit::Part::kMonths ? &months
                    : unit->part == Unit::Part::kDays ? &days
                                                      : &nanoseconds;
    if (__builtin_add_overflow(*part, *amount, part)) {
      return InvalidArgument("the interval '", Excerpt(whole, {0, whole.size()}), "' is too long");
    }
  }
  if (is_empty) return InvalidArgument("an interval needs a number and a unit, such as '1 day'");
  if (months != static_cast<int32_t>(months) || days != static_cast<int32_t>(days)) {
    return InvalidArgument("the interval '", Excerpt(whole, {0, whole.size()}), "' is too long");
  }
  return arrow::MonthDayNanoIntervalType::MonthDayNanos{static_cast<int32_t>(months),
                                                        static_cast<int32_t>(days), nanoseconds};
}

}  // namespace tusk::expr
