#include "tusk/expr/interval.h"

#include <algorithm>
#include <array>
#include <chrono>
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

/// `days` since 1970 as many months later, on the last day of the month if there is no such day.
Result<int64_t> AddMonths(int64_t days, int32_t months) {
  constexpr int64_t kMostDays = 10'000'000;  // the years -25,000 to 29,000
  if (days > kMostDays || days < -kMostDays) return InvalidArgument("the date is out of range");
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
  const int64_t month = int64_t{static_cast<int>(date.year())} * 12 +
                        static_cast<unsigned>(date.month()) - 1 + months;
  const int64_t year = month >= 0 ? month / 12 : -((11 - month) / 12);
  if (year > 32'000 || year < -32'000) return InvalidArgument("the date is out of range");
  const auto first = std::chrono::year(static_cast<int>(year)) /
                     std::chrono::month(static_cast<unsigned>(month - year * 12 + 1));
  const auto last_day = (first / std::chrono::last).day();
  const auto moved = first / std::min(date.day(), last_day);
  return std::chrono::sys_days(moved).time_since_epoch().count();
}

}  // namespace

Result<Interval> ParseInterval(std::string_view text) {
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
  return Interval{static_cast<int32_t>(months), static_cast<int32_t>(days), nanoseconds};
}

Result<int64_t> AddInterval(int64_t value, const Interval& interval, int64_t per_day,
                            int64_t nanoseconds) {
  int64_t day = value / per_day;
  int64_t rest = value % per_day;
  if (rest < 0) {
    rest += per_day;
    --day;
  }
  if (interval.months != 0) {
    ARROW_ASSIGN_OR_RAISE(day, AddMonths(day, interval.months));
  }
  int64_t result = 0;
  if (__builtin_add_overflow(day, int64_t{interval.days}, &day) ||
      __builtin_mul_overflow(day, per_day, &result) ||
      __builtin_add_overflow(result, rest, &result) ||
      (nanoseconds > 0 &&
       __builtin_add_overflow(result, interval.nanoseconds / nanoseconds, &result))) {
    return InvalidArgument("the moment is out of range");
  }
  return result;
}

}  // namespace tusk::expr
