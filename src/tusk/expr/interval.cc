#include "tusk/expr/interval.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>

#include "tusk/expr/source_text.h"

namespace tusk::expr {
namespace {

enum class Part { kMonths, kDays, kNanoseconds };

/// A unit as so many of the smallest that it is counted in.
struct Unit {
  std::string_view names;  ///< with spaces in between; the first is what it is called here
  Part part;
  int64_t count;
};

constexpr std::array<Unit, 12> kUnits = {{
    {"century centuries cent cents c", Part::kMonths, 1200},
    {"decade decades dec decs", Part::kMonths, 120},
    {"year years yr yrs y", Part::kMonths, 12},
    {"month months mon mons", Part::kMonths, 1},
    {"week weeks w", Part::kDays, 7},
    {"day days d", Part::kDays, 1},
    {"hour hours hr hrs h", Part::kNanoseconds, 3'600'000'000'000},
    {"minute minutes min mins m", Part::kNanoseconds, 60'000'000'000},
    {"second seconds sec secs s", Part::kNanoseconds, 1'000'000'000},
    {"millisecond milliseconds msecond mseconds msec msecs ms", Part::kNanoseconds, 1'000'000},
    {"microsecond microseconds usecond useconds usec usecs us", Part::kNanoseconds, 1'000},
    {"nanosecond nanoseconds", Part::kNanoseconds, 1},
}};

constexpr int64_t kNanosecondsOfDay = int64_t{86'400} * 1'000'000'000;
constexpr int64_t kDaysOfMonth = 30;

/// The part of `text` up to the next of `ends`, and the text behind it.
std::string_view TakeUpTo(std::string_view ends, std::string_view* text) {
  const std::string_view taken = text->substr(0, text->find_first_of(ends));
  text->remove_prefix(taken.size());
  return taken;
}

void SkipSpaces(std::string_view* text) {
  text->remove_prefix(std::min(text->find_first_not_of(' '), text->size()));
}

const Unit* FindUnit(std::string_view word) {
  const std::string lower = ToLowerAscii(word);
  for (const Unit& unit : kUnits) {
    std::string_view names = unit.names;
    while (!names.empty()) {
      if (TakeUpTo(" ", &names) == lower) return &unit;
      SkipSpaces(&names);
    }
  }
  return nullptr;
}

/// A number as it is written, in two parts of the same sign.
struct Amount {
  static constexpr int kDigits = 18;
  static constexpr int64_t kOne = 1'000'000'000'000'000'000;
  int64_t whole = 0;
  int64_t fraction = 0;  ///< in units of 10^-18

  static std::optional<Amount> Parse(std::string_view text) {
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) text.remove_prefix(1);
    const std::string_view digits = TakeUpTo(".", &text);
    if (!text.empty()) text.remove_prefix(1);
    while (text.ends_with('0')) text.remove_suffix(1);
    if ((digits.empty() && text.empty()) || text.size() > kDigits) return std::nullopt;
    const std::string fraction = std::string(text) + std::string(kDigits - text.size(), '0');
    const auto whole = IntegerOf(digits.empty() ? "0" : digits);
    const auto rest = IntegerOf(fraction);
    if (!whole || !rest) return std::nullopt;
    return is_negative ? Amount{-*whole, -*rest} : Amount{*whole, *rest};
  }

 private:
  static std::optional<int64_t> IntegerOf(std::string_view digits) {
    int64_t value = 0;
    const auto [stop, error] = std::from_chars(digits.begin(), digits.end(), value);
    const bool is_read = error == std::errc() && stop == digits.end() && value >= 0;
    return is_read ? std::optional(value) : std::nullopt;
  }
};

/// Months, days and nanoseconds before they are known to have room.
struct Sum {
  int64_t months = 0;
  int64_t days = 0;
  int64_t nanoseconds = 0;

  /// Adds so many of a unit, a fraction of a month as days of thirty, a fraction of a day as a part
  /// of 24 hours. False if the sum would be too large or not exact.
  bool Add(const Amount& amount, const Unit& unit) {
    int64_t* part = unit.part == Part::kMonths ? &months
                    : unit.part == Part::kDays ? &days
                                               : &nanoseconds;
    int64_t whole = 0;
    if (__builtin_mul_overflow(amount.whole, unit.count, &whole)) return false;
    Wide rest = Wide{amount.fraction} * unit.count;
    return AddTo(part, whole) && AddTo(part, Whole(&rest)) && AddRest(unit, rest);
  }

 private:
  __extension__ using Wide = __int128;

  static bool AddTo(int64_t* part, int64_t value) {
    return !__builtin_add_overflow(*part, value, part);
  }
  /// Takes what is whole of a number of units of 10^-18.
  static int64_t Whole(Wide* rest) {
    const Wide whole = *rest / Amount::kOne;
    *rest -= whole * Amount::kOne;
    return static_cast<int64_t>(whole);
  }
  bool AddRest(const Unit& unit, Wide rest) {
    if (rest == 0) return true;
    if (unit.part == Part::kNanoseconds) return false;
    const bool is_month = unit.part == Part::kMonths;
    // Who writes a fraction of a year means months.
    if (is_month && unit.count != 1) return false;
    rest *= is_month ? kDaysOfMonth : kNanosecondsOfDay;
    return AddTo(is_month ? &days : &nanoseconds, Whole(&rest)) && rest == 0;
  }
};

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

std::optional<std::string_view> NameOfUnit(std::string_view word) {
  const Unit* unit = FindUnit(word);
  if (unit == nullptr) return std::nullopt;
  return unit->names.substr(0, unit->names.find(' '));
}

Result<Interval> ParseInterval(std::string_view text) {
  const std::string quoted = "'" + Excerpt(text, {0, text.size()}) + "'";
  Sum sum;
  bool is_first = true;
  for (SkipSpaces(&text); !text.empty(); SkipSpaces(&text)) {
    const std::string_view number = text.substr(0, text.find_first_not_of("+-.0123456789"));
    text.remove_prefix(number.size());
    SkipSpaces(&text);
    const std::string_view word = TakeUpTo(" ", &text);
    const auto amount = Amount::Parse(number);
    // A number alone is of seconds.
    const Unit* unit = FindUnit(word.empty() && is_first ? "second" : word);
    if (!amount || unit == nullptr) {
      return InvalidArgument(quoted, " is no interval such as '1 day' or '2 hours 30 minutes'");
    }
    if (!sum.Add(*amount, *unit)) {
      return InvalidArgument("the interval ", quoted,
                             " is too long, or not one of whole months, days and nanoseconds");
    }
    is_first = false;
  }
  if (is_first) return InvalidArgument("an interval needs a number and a unit, such as '1 day'");
  if (sum.months != static_cast<int32_t>(sum.months) ||
      sum.days != static_cast<int32_t>(sum.days)) {
    return InvalidArgument("the interval ", quoted, " is too long");
  }
  return Interval{static_cast<int32_t>(sum.months), static_cast<int32_t>(sum.days),
                  sum.nanoseconds};
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
