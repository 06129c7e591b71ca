#include <algorithm>
#include <chrono>

#include "tusk/expr/literal.h"

namespace tusk::expr {
namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;

/// Takes parts from the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool Take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  /// A number of `least` to `most` digits.
  std::optional<int> TakeNumber(size_t least, size_t most) {
    size_t size = 0;
    while (size < std::min(most, text_.size()) && text_[size] >= '0' && text_[size] <= '9') ++size;
    if (size < least) return std::nullopt;
    int value = 0;
    for (const char digit : text_.substr(0, size)) value = value * 10 + (digit - '0');
    text_.remove_prefix(size);
    return value;
  }
  /// Digits behind a point as nanoseconds; more than nine must be zeros.
  std::optional<int32_t> TakeFraction(int* digits) {
    int32_t nanoseconds = 0;
    int32_t unit = kNanoseconds / 10;
    int count = 0;
    while (!text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      if (unit == 0 && text_[0] != '0') return std::nullopt;
      nanoseconds += (text_[0] - '0') * unit;
      unit /= 10;
      ++count;
      if (text_[0] != '0') *digits = count;
      text_.remove_prefix(1);
    }
    if (count == 0) return std::nullopt;
    return nanoseconds;
  }
  char front() const { return text_.empty() ? '\0' : text_.front(); }

 private:
  std::string_view text_;
};

struct TimeOfDay {
  int64_t seconds = 0;
  int32_t nanoseconds = 0;
  int fraction_digits = 0;
};

std::optional<TimeOfDay> TakeTime(Cursor* cursor) {
  TimeOfDay time;
  const auto hour = cursor->TakeNumber(1, 2);
  if (!hour || *hour > 23 || !cursor->Take(':')) return std::nullopt;
  const auto minute = cursor->TakeNumber(2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  time.seconds = *hour * 3600 + *minute * 60;
  if (!cursor->Take(':')) return time;
  const auto second = cursor->TakeNumber(2, 2);
  if (!second || *second > 59) return std::nullopt;
  time.seconds += *second;
  if (!cursor->Take('.')) return time;
  const auto nanoseconds = cursor->TakeFraction(&time.fraction_digits);
  if (!nanoseconds) return std::nullopt;
  time.nanoseconds = *nanoseconds;
  return time;
}

/// Seconds east of UTC: Z, +01, +01:00, -0530.
std::optional<int> TakeOffset(Cursor* cursor) {
  if (cursor->Take('Z') || cursor->Take('z')) return 0;
  const bool is_west = cursor->front() == '-';
  if (!cursor->Take('+') && !cursor->Take('-')) return std::nullopt;
  const auto hours = cursor->TakeNumber(2, 2);
  if (!hours || *hours > 23) return std::nullopt;
  int minutes = 0;
  if (cursor->Take(':') || !cursor->at_end()) {
    const auto taken = cursor->TakeNumber(2, 2);
    if (!taken || *taken > 59) return std::nullopt;
    minutes = *taken;
  }
  const int seconds = *hours * 3600 + minutes * 60;
  return is_west ? -seconds : seconds;
}

}  // namespace

std::optional<ParsedMoment> ParseMoment(std::string_view text) {
  Cursor cursor(text);
  const auto year = cursor.TakeNumber(4, 4);
  if (!year || !cursor.Take('-')) return std::nullopt;
  const auto month = cursor.TakeNumber(1, 2);
  if (!month || !cursor.Take('-')) return std::nullopt;
  const auto day = cursor.TakeNumber(1, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  ParsedMoment moment;
  moment.seconds = std::chrono::sys_days(date).time_since_epoch().count() * int64_t{86400};
  if (cursor.at_end()) return moment;
  if (!cursor.Take(' ') && !cursor.Take('T') && !cursor.Take('t')) return std::nullopt;
  const auto time = TakeTime(&cursor);
  if (!time) return std::nullopt;
  moment.has_time = true;
  moment.seconds += time->seconds;
  moment.nanoseconds = time->nanoseconds;
  moment.fraction_digits = time->fraction_digits;
  if (cursor.at_end()) return moment;
  cursor.Take(' ');
  const auto offset = TakeOffset(&cursor);
  if (!offset || !cursor.at_end()) return std::nullopt;
  moment.has_offset = true;
  moment.seconds -= *offset;
  return moment;
}

std::optional<int64_t> ParseTimeOfDay(std::string_view text) {
  Cursor cursor(text);
  const auto time = TakeTime(&cursor);
  if (!time || !cursor.at_end()) return std::nullopt;
  return time->seconds * kNanoseconds + time->nanoseconds;
}

}  // namespace tusk::expr
