#include "tusk/expr/moment_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "tusk/expr/source_text.h"

namespace tusk::expr {
namespace {

constexpr int64_t kDay = 86'400;
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

/// What letters stand for.
constexpr std::array<std::pair<char, std::string_view>, 12> kComposed = {{
    {'D', "%m/%d/%y"},
    {'x', "%m/%d/%y"},
    {'F', "%Y-%m-%d"},
    {'v', "%e-%b-%Y"},
    {'R', "%H:%M"},
    {'T', "%H:%M:%S"},
    {'X', "%H:%M:%S"},
    {'r', "%I:%M:%S %p"},
    {'c', "%a %b %e %H:%M:%S %Y"},
    {'+', "%Y-%m-%dT%H:%M:%S%.f%:z"},
    {'t', "\t"},
    {'n', "\n"},
}};

struct Calendar {
  int64_t day = 0;  ///< since 1970
  int year = 1970;
  int month = 1;
  int month_day = 1;
  int weekday = 0;   ///< from Sunday
  int year_day = 1;  ///< from 1
  int iso_year = 1970;
  int iso_week = 1;
};

int64_t DayOf(int year, int month, int day) {
  return std::chrono::sys_days(std::chrono::year(year) /
                               std::chrono::month(static_cast<unsigned>(month)) /
                               std::chrono::day(static_cast<unsigned>(day)))
      .time_since_epoch()
      .count();
}

Result<Calendar> CalendarOf(int64_t seconds) {
  Calendar calendar;
  calendar.day = seconds / kDay - (seconds % kDay < 0 ? 1 : 0);
  constexpr int64_t kMostDays = 4'400'000;  // the years -9999 to 9999
  if (calendar.day > kMostDays || calendar.day < -kMostDays) {
    return InvalidArgument("the date is out of range");
  }
  const std::chrono::sys_days date{std::chrono::days(static_cast<int>(calendar.day))};
  const std::chrono::year_month_day parts{date};
  calendar.year = static_cast<int>(parts.year());
  calendar.month = static_cast<int>(static_cast<unsigned>(parts.month()));
  calendar.month_day = static_cast<int>(static_cast<unsigned>(parts.day()));
  calendar.weekday = static_cast<int>(std::chrono::weekday(date).c_encoding());
  calendar.year_day = static_cast<int>(calendar.day - DayOf(calendar.year, 1, 1)) + 1;
  // The week of a date is that of its Thursday.
  const int64_t thursday = calendar.day + 3 - (calendar.weekday + 6) % 7;
  const std::chrono::year_month_day of_week{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(thursday)))};
  calendar.iso_year = static_cast<int>(of_week.year());
  calendar.iso_week = static_cast<int>((thursday - DayOf(calendar.iso_year, 1, 1)) / 7) + 1;
  return calendar;
}

int FloorDivide(int value, int by) { return value / by - (value % by < 0 ? 1 : 0); }

/// A number, how many digits it is filled up to, and with what.
struct Shown {
  int64_t number;
  int width;
  char fill = '0';
};

std::optional<Shown> NumberOf(char letter, const Calendar& date, int64_t clock, int64_t seconds) {
  const int hour = static_cast<int>(clock / 3600);
  switch (letter) {
    case 'Y':
      return Shown{date.year, 4};
    case 'C':
      return Shown{FloorDivide(date.year, 100), 2};
    case 'y':
      return Shown{date.year - FloorDivide(date.year, 100) * 100, 2};
    case 'm':
      return Shown{date.month, 2};
    case 'd':
      return Shown{date.month_day, 2};
    case 'e':
      return Shown{date.month_day, 2, ' '};
    case 'j':
      return Shown{date.year_day, 3};
    case 'w':
      return Shown{date.weekday, 1};
    case 'u':
      return Shown{date.weekday == 0 ? 7 : date.weekday, 1};
    case 'U':
      return Shown{(date.year_day + 6 - date.weekday) / 7, 2};
    case 'W':
      return Shown{(date.year_day + 6 - (date.weekday + 6) % 7) / 7, 2};
    case 'G':
      return Shown{date.iso_year, 4};
    case 'g':
      return Shown{date.iso_year - FloorDivide(date.iso_year, 100) * 100, 2};
    case 'V':
      return Shown{date.iso_week, 2};
    case 'H':
      return Shown{hour, 2};
    case 'k':
      return Shown{hour, 2, ' '};
    case 'I':
      return Shown{(hour + 11) % 12 + 1, 2};
    case 'l':
      return Shown{(hour + 11) % 12 + 1, 2, ' '};
    case 'M':
      return Shown{clock / 60 % 60, 2};
    case 'S':
      return Shown{clock % 60, 2};
    case 's':
      return Shown{seconds, 1};
    default:
      return std::nullopt;
  }
}

void AppendNumber(const Shown& shown, char fill, std::string* out) {
  std::string digits = std::to_string(shown.number < 0 ? -shown.number : shown.number);
  const char filling = fill == 0 ? shown.fill : (fill == '_' ? ' ' : fill);
  const auto width = static_cast<size_t>(shown.width);
  if (filling != '-' && digits.size() < width) digits.insert(0, width - digits.size(), filling);
  if (shown.number < 0) digits.insert(0, "-");
  out->append(digits);
}

void AppendFraction(int32_t nanoseconds, int digits, bool has_point, std::string* out) {
  if (digits == 0 && has_point) {
    if (nanoseconds == 0) return;
    digits = nanoseconds % 1'000'000 == 0 ? 3 : (nanoseconds % 1'000 == 0 ? 6 : 9);
  }
  if (digits == 0) digits = 9;
  std::string all = std::to_string(nanoseconds);
  all.insert(0, 9 - all.size(), '0');
  if (has_point) out->push_back('.');
  out->append(all.substr(0, static_cast<size_t>(digits)));
}

void AppendOffset(int offset, bool has_colon, std::string* out) {
  out->push_back(offset < 0 ? '-' : '+');
  const int minutes = std::abs(offset) / 60;
  AppendNumber({minutes / 60, 2}, 0, out);
  if (has_colon) out->push_back(':');
  AppendNumber({minutes % 60, 2}, 0, out);
}

/// What a text says of a moment.
struct Said {
  std::optional<int64_t> year;
  std::optional<int64_t> century;
  std::optional<int64_t> year_of_century;
  std::optional<int64_t> month;
  std::optional<int64_t> day;
  std::optional<int64_t> year_day;
  std::optional<int64_t> hour;
  std::optional<int64_t> hour_of_half;
  std::optional<bool> is_afternoon;
  std::optional<int64_t> minute;
  std::optional<int64_t> second;
  std::optional<int32_t> nanoseconds;
  std::optional<int64_t> epoch;
  std::optional<int> offset;

  std::optional<int64_t> Day() const;
  std::optional<int64_t> Clock() const;
};

std::optional<int64_t> Said::Day() const {
  std::optional<int64_t> whole = year;
  if (!whole && year_of_century) {
    const int64_t hundreds = century ? *century : (*year_of_century < 70 ? 20 : 19);
    whole = hundreds * 100 + *year_of_century;
  }
  if (!whole || *whole < -9999 || *whole > 9999) return std::nullopt;
  const int in = static_cast<int>(*whole);
  if (month && day) {
    const std::chrono::year_month_day date{std::chrono::year(in),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date).time_since_epoch().count();
  }
  if (!year_day || *year_day < 1) return std::nullopt;
  const int64_t found = DayOf(in, 1, 1) + *year_day - 1;
  return found < DayOf(in + 1, 1, 1) ? std::optional(found) : std::nullopt;
}

std::optional<int64_t> Said::Clock() const {
  std::optional<int64_t> of_day = hour;
  if (!of_day && hour_of_half && is_afternoon) {
    if (*hour_of_half < 1 || *hour_of_half > 12) return std::nullopt;
    of_day = *hour_of_half % 12 + (*is_afternoon ? 12 : 0);
  }
  if (!of_day || !minute || *of_day > 23 || *minute > 59) return std::nullopt;
  const int64_t seconds = second.value_or(0);
  if (seconds > 59) return std::nullopt;
  return *of_day * 3600 + *minute * 60 + seconds;
}

/// Reads what a format's letters stand for from the front of a text.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  void SkipBlanks() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0) {
      rest_.remove_prefix(1);
    }
  }
  bool Take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  std::optional<int64_t> TakeNumber(size_t most, bool may_have_sign) {
    SkipBlanks();
    const bool is_negative = may_have_sign && Take("-");
    if (may_have_sign && !is_negative) Take("+");
    size_t size = 0;
    int64_t number = 0;
    while (size < std::min(most, rest_.size()) &&
           std::isdigit(static_cast<unsigned char>(rest_[size])) != 0) {
      number = number * 10 + (rest_[size++] - '0');
    }
    if (size == 0) return std::nullopt;
    rest_.remove_prefix(size);
    return is_negative ? -number : number;
  }
  /// The number of the name that stands here, in full or by its first three letters.
  template <size_t count>
  std::optional<int> TakeName(const std::array<std::string_view, count>& names) {
    for (size_t i = 0; i < count; ++i) {
      for (const std::string_view name : {names[i], names[i].substr(0, 3)}) {
        if (!EqualInAnyCase(rest_.substr(0, name.size()), name)) continue;
        rest_.remove_prefix(name.size());
        return static_cast<int>(i);
      }
    }
    return std::nullopt;
  }
  /// Digits as a fraction of a second, exactly so many if that is not 0.
  std::optional<int32_t> TakeFraction(int digits) {
    int32_t nanoseconds = 0;
    int32_t unit = 100'000'000;
    int count = 0;
    while (!rest_.empty() && std::isdigit(static_cast<unsigned char>(rest_.front())) != 0 &&
           (digits == 0 || count < digits)) {
      nanoseconds += (rest_.front() - '0') * unit;
      unit /= 10;
      ++count;
      rest_.remove_prefix(1);
    }
    if (count == 0 || (digits != 0 && count != digits)) return std::nullopt;
    return nanoseconds;
  }
  std::optional<int> TakeOffset() {
    SkipBlanks();
    if (Take("Z") || Take("z")) return 0;
    const bool is_west = Take("-");
    if (!is_west && !Take("+")) return std::nullopt;
    const auto hours = TakeNumber(2, false);
    Take(":");
    const auto minutes = TakeNumber(2, false);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    const auto seconds = static_cast<int>(*hours * 3600 + *minutes * 60);
    return is_west ? -seconds : seconds;
  }
  bool TakeWord() {
    const size_t end = std::min(rest_.find_first_of(" \t\r\n"), rest_.size());
    rest_.remove_prefix(end);
    return end > 0;
  }

 private:
  std::string_view rest_;
};

/// Where a letter's number goes, and how many digits it has.
struct Place {
  std::optional<int64_t> Said::* field;
  size_t digits;
  bool may_have_sign = false;
};

std::optional<Place> PlaceOf(char letter) {
  switch (letter) {
    case 'Y':
      return Place{&Said::year, 4, true};
    case 'C':
      return Place{&Said::century, 2};
    case 'y':
      return Place{&Said::year_of_century, 2};
    case 'm':
      return Place{&Said::month, 2};
    case 'd':
    case 'e':
      return Place{&Said::day, 2};
    case 'j':
      return Place{&Said::year_day, 3};
    case 'H':
    case 'k':
      return Place{&Said::hour, 2};
    case 'I':
    case 'l':
      return Place{&Said::hour_of_half, 2};
    case 'M':
      return Place{&Said::minute, 2};
    case 'S':
      return Place{&Said::second, 2};
    case 's':
      return Place{&Said::epoch, 18, true};
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<MomentFormat> MomentFormat::Parse(std::string_view format) {
  MomentFormat parsed;
  ARROW_RETURN_NOT_OK(parsed.Add(format));
  return parsed;
}

Status MomentFormat::Add(std::string_view format) {
  const std::string_view whole = format;
  while (!format.empty()) {
    const size_t size = std::min(format.find('%'), format.size());
    if (size > 0) items_.push_back({.text = std::string(format.substr(0, size))});
    format.remove_prefix(size);
    if (format.empty()) break;
    format.remove_prefix(1);
    Item item;
    if (!format.empty() && std::string_view("-_0").find(format.front()) != std::string::npos) {
      item.fill = format.front();
      format.remove_prefix(1);
    }
    if (format.starts_with('.')) {
      item.has_point = true;
      format.remove_prefix(1);
    }
    if (!format.empty() && std::string_view("369").find(format.front()) != std::string::npos) {
      item.digits = format.front() - '0';
      format.remove_prefix(1);
    }
    const bool has_colon = format.starts_with(':');
    if (has_colon) format.remove_prefix(1);
    item.letter = format.empty() ? '?' : format.front();
    if (!format.empty()) format.remove_prefix(1);
    const bool is_fraction = item.has_point || item.digits != 0;
    const bool is_known =
        (is_fraction && item.letter == 'f') || (has_colon && item.letter == 'z') ||
        (!is_fraction && !has_colon &&
         std::string_view("YCymdejwuUWGgVHkIlMSsaAbBhpPfzZ%DxFvRTXrc+tn").find(item.letter) !=
             std::string::npos);
    if (!is_known) {
      return InvalidArgument("the format '", Excerpt(whole, {0, whole.size()}),
                             "' has a % that says nothing of a moment");
    }
    const auto* composed =
        std::ranges::find(kComposed, item.letter, &std::pair<char, std::string_view>::first);
    if (composed != kComposed.end()) {
      ARROW_RETURN_NOT_OK(Add(composed->second));
      continue;
    }
    if (item.letter == '%') {
      items_.push_back({.text = "%"});
      continue;
    }
    // %:z and %Z show an offset in the same way.
    if (has_colon) item.letter = 'Z';
    if (item.letter == 'h') item.letter = 'b';
    items_.push_back(std::move(item));
  }
  return Status::OK();
}

Status MomentFormat::AppendTo(const LocalMoment& moment, std::string* out) const {
  ARROW_ASSIGN_OR_RAISE(const Calendar date, CalendarOf(moment.seconds));
  const int64_t clock = moment.seconds - date.day * kDay;
  const int64_t utc = moment.seconds - moment.offset.value_or(0);
  for (const Item& item : items_) {
    if (const auto shown = NumberOf(item.letter, date, clock, utc)) {
      AppendNumber(*shown, item.fill, out);
      continue;
    }
    switch (item.letter) {
      case 0:
        out->append(item.text);
        break;
      case 'a':
        out->append(kWeekdays[static_cast<size_t>(date.weekday)].substr(0, 3));
        break;
      case 'A':
        out->append(kWeekdays[static_cast<size_t>(date.weekday)]);
        break;
      case 'b':
        out->append(kMonths[static_cast<size_t>(date.month) - 1].substr(0, 3));
        break;
      case 'B':
        out->append(kMonths[static_cast<size_t>(date.month) - 1]);
        break;
      case 'p':
        out->append(clock < kDay / 2 ? "AM" : "PM");
        break;
      case 'P':
        out->append(clock < kDay / 2 ? "am" : "pm");
        break;
      case 'f':
        AppendFraction(moment.nanoseconds, item.digits, item.has_point, out);
        break;
      default:
        if (!moment.offset) {
          return InvalidArgument("a moment of no time zone has no offset to show");
        }
        AppendOffset(*moment.offset, item.letter == 'Z', out);
    }
  }
  return Status::OK();
}

std::optional<LocalMoment> MomentFormat::Read(std::string_view text) const {
  TextReader reader(text);
  Said said;
  for (const Item& item : items_) {
    if (const auto place = PlaceOf(item.letter)) {
      const auto number = reader.TakeNumber(place->digits, place->may_have_sign);
      if (!number) return std::nullopt;
      said.*place->field = number;
      continue;
    }
    switch (item.letter) {
      case 0:
        for (const char c : item.text) {
          if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            reader.SkipBlanks();
          } else if (!reader.Take({&c, 1})) {
            return std::nullopt;
          }
        }
        break;
      case 'b':
      case 'B': {
        const auto month = reader.TakeName(kMonths);
        if (!month) return std::nullopt;
        said.month = *month + 1;
        break;
      }
      case 'a':
      case 'A':
        if (!reader.TakeName(kWeekdays)) return std::nullopt;
        break;
      case 'p':
      case 'P':
        said.is_afternoon = reader.Take("PM") || reader.Take("pm");
        if (!*said.is_afternoon && !reader.Take("AM") && !reader.Take("am")) return std::nullopt;
        break;
      case 'f':
        // A fraction with its point may be missing.
        if (item.has_point && !reader.Take(".")) break;
        if (!item.has_point && item.digits == 0) {
          const auto number = reader.TakeNumber(9, false);
          if (!number) return std::nullopt;
          said.nanoseconds = static_cast<int32_t>(*number);
          break;
        }
        said.nanoseconds = reader.TakeFraction(item.digits);
        if (!said.nanoseconds) return std::nullopt;
        break;
      case 'z':
        said.offset = reader.TakeOffset();
        if (!said.offset) return std::nullopt;
        break;
      case 'Z':
        // The name of a zone says nothing, an offset does.
        said.offset = reader.TakeOffset();
        if (!said.offset && !reader.TakeWord()) return std::nullopt;
        break;
      default:
        // Weeks and days of the week are told by the date.
        if (!reader.TakeNumber(item.letter == 'G' ? 4 : 2, false)) return std::nullopt;
    }
  }
  if (!reader.at_end()) return std::nullopt;
  LocalMoment moment{.nanoseconds = said.nanoseconds.value_or(0), .offset = said.offset};
  if (said.epoch) {
    moment.seconds = *said.epoch;
    moment.offset = 0;
    return moment;
  }
  const auto day = said.Day();
  const auto clock = said.Clock();
  const bool has_clock_parts = said.hour || said.hour_of_half || said.minute || said.second;
  if ((!day && !clock) || (has_clock_parts && !clock)) return std::nullopt;
  moment.has_date = day.has_value();
  moment.has_time = clock.has_value();
  moment.seconds = day.value_or(0) * kDay + clock.value_or(0);
  return moment;
}

}  // namespace tusk::expr
