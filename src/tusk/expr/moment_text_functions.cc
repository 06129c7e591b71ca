// Dates, times and moments, from texts and numbers and as texts.
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/durations.h"
#include "tusk/expr/function.h"
#include "tusk/expr/moment_format.h"
#include "tusk/expr/moments.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/source_text.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {

Result<NodePtr> AsMoment(const Binder& binder, const NodePtr& node) {
  const arrow::DataType& type = *node->type;
  if (type.id() == arrow::Type::TIMESTAMP || arrow::is_time(type.id())) return node;
  if (type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::NA) {
    return binder.Cast(node->span, node, arrow::timestamp(arrow::TimeUnit::SECOND), false);
  }
  if (type.id() == arrow::Type::DATE64) {
    return binder.Cast(node->span, node, arrow::timestamp(arrow::TimeUnit::MILLI), false);
  }
  if (IsText(type)) {
    return binder.Cast(node->span, node, arrow::timestamp(arrow::TimeUnit::NANO), false);
  }
  return binder.Error(node->span,
                      "a date or timestamp is expected here, but this is a " + NameOfType(type));
}

namespace {

namespace cp = arrow::compute;

constexpr int64_t kNanoseconds = 1'000'000'000;

/// The formats of a call, which are parsed when they are other ones than those of the row before.
class FormatCache {
 public:
  Result<const MomentFormat*> Get(size_t argument, std::string_view text) {
    if (formats_.size() <= argument) formats_.resize(argument + 1);
    auto& entry = formats_[argument];
    if (!entry || entry->first != text) {
      ARROW_ASSIGN_OR_RAISE(MomentFormat format, MomentFormat::Parse(text));
      entry.emplace(std::string(text), std::move(format));
    }
    return &entry->second;
  }

 private:
  std::vector<std::optional<std::pair<std::string, MomentFormat>>> formats_;
};

int64_t PerSecond(const arrow::DataType& type) {
  const auto unit = type.id() == arrow::Type::TIMESTAMP
                        ? static_cast<const arrow::TimestampType&>(type).unit()
                        : static_cast<const arrow::TimeType&>(type).unit();
  int64_t per = 1;
  for (int i = 0; i < unit; ++i) per *= 1000;
  return per;
}

bool IsZoned(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         !static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

/// What a zoned timestamp's clock shows; what has no zone as it is.
Result<NodePtr> Local(const Binder& binder, Span span, const NodePtr& moment) {
  if (!IsZoned(*moment->type)) return moment;
  return binder.MakeArrowCall(span, "local_timestamp", {moment}, nullptr);
}

Result<NodePtr> BindToChar(const Binder& binder, const Call& call) {
  if (call.arguments[0]->type->id() == arrow::Type::DURATION) return BindDurationText(binder, call);
  ARROW_ASSIGN_OR_RAISE(const NodePtr moment, AsMoment(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr format, AsText(binder, call.arguments[1]));
  const int64_t per_second = PerSecond(*moment->type);
  const bool is_zoned = IsZoned(*moment->type);
  ARROW_ASSIGN_OR_RAISE(NodePtr local, Local(binder, call.span, moment));
  if (local->type->id() == arrow::Type::TIME32) {
    ARROW_ASSIGN_OR_RAISE(local, binder.Cast(call.span, local, arrow::int32(), false));
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr shown, binder.Cast(call.span, local, arrow::int64(), false));
  std::vector<NodePtr> arguments = {format, shown};
  if (is_zoned) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(),
                          binder.Cast(call.span, moment, arrow::int64(), false));
  }
  return MakeTextCall(
      binder, call.span, std::move(arguments),
      [per_second, is_zoned](const Rows& rows, int64_t row, std::string* out) -> Status {
        thread_local FormatCache formats;
        ARROW_ASSIGN_OR_RAISE(const MomentFormat* format, formats.Get(0, rows.Text(0, row)));
        const int64_t value = rows.Integer(1, row);
        LocalMoment moment;
        moment.seconds = value / per_second - (value % per_second < 0 ? 1 : 0);
        moment.nanoseconds = static_cast<int32_t>((value - moment.seconds * per_second) *
                                                  (kNanoseconds / per_second));
        if (is_zoned) {
          moment.offset = static_cast<int>((value - rows.Integer(2, row)) / per_second);
        }
        return format->AppendTo(moment, out);
      });
}

/// Reads texts of one of the formats, the first that fits.
Result<LocalMoment> ReadMoment(const Rows& rows, int64_t row) {
  thread_local FormatCache formats;
  const std::string_view text = rows.Text(0, row);
  for (size_t i = 1; i < rows.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const MomentFormat* format, formats.Get(i, rows.Text(i, row)));
    if (const auto moment = format->Read(text)) return *moment;
  }
  return InvalidArgument("'", Excerpt(text, {0, text.size()}), "' is not of the format");
}

/// Texts in given formats as int64 by `convert`.
template <typename Convert>
Result<NodePtr> ReadTexts(const Binder& binder, const Call& call, Convert convert) {
  ARROW_ASSIGN_OR_RAISE(auto arguments, TextsAndIntegers(binder, call));
  return MakeIntegerCall(
      binder, call.span, std::move(arguments),
      [convert](const Rows& rows, int64_t row) -> Result<int64_t> {
        ARROW_ASSIGN_OR_RAISE(const LocalMoment moment, ReadMoment(rows, row));
        return convert(moment);
      },
      arrow::int64());
}

Status LacksDate() { return InvalidArgument("the text says no date"); }

Result<int64_t> ToNanoseconds(const LocalMoment& moment) {
  if (!moment.has_date) return LacksDate();
  int64_t result = 0;
  if (__builtin_mul_overflow(moment.seconds - moment.offset.value_or(0), kNanoseconds, &result) ||
      __builtin_add_overflow(result, int64_t{moment.nanoseconds}, &result)) {
    return InvalidArgument("the moment is out of the range of nanoseconds");
  }
  return result;
}

/// Fractions of seconds as nanoseconds since 1970.
Result<NodePtr> FromSeconds(const Binder& binder, Span span, const NodePtr& value) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr seconds,
                        binder.Cast(span, value, arrow::float64(), /*is_try=*/false));
  const NodePtr factor = binder.MakeLiteral(
      span, std::make_shared<arrow::DoubleScalar>(static_cast<double>(kNanoseconds)));
  ARROW_ASSIGN_OR_RAISE(const NodePtr product,
                        binder.MakeArrowCall(span, "multiply", {seconds, factor}, nullptr));
  return binder.Cast(span, product, arrow::int64(), /*is_try=*/false);
}

/// A text as a moment, in ISO's way or a given one, or a number as units since 1970.
Result<NodePtr> ToTimestamp(const Binder& binder, const Call& call, arrow::TimeUnit::type count,
                            arrow::TimeUnit::type result) {
  const NodePtr& value = call.arguments[0];
  const auto type = arrow::timestamp(result);
  if (IsText(*value->type) && call.arguments.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(const NodePtr units, ReadTexts(binder, call, ToNanoseconds));
    ARROW_ASSIGN_OR_RAISE(
        const NodePtr moment,
        binder.Cast(call.span, units, arrow::timestamp(arrow::TimeUnit::NANO), false));
    return binder.Cast(call.span, moment, type, /*is_try=*/false);
  }
  const bool is_moment =
      value->type->id() == arrow::Type::TIMESTAMP || arrow::is_date(value->type->id());
  if (IsText(*value->type) || is_moment) {
    return binder.Cast(call.span, value, type, /*is_try=*/false);
  }
  const bool has_fractions =
      arrow::is_floating(value->type->id()) || arrow::is_decimal(value->type->id());
  if (has_fractions) {
    NodePtr units = value;
    if (count == arrow::TimeUnit::SECOND && result == arrow::TimeUnit::NANO) {
      ARROW_ASSIGN_OR_RAISE(units, FromSeconds(binder, call.span, value));
    } else {
      ARROW_ASSIGN_OR_RAISE(units, binder.Cast(call.span, value, arrow::int64(), false));
    }
    return binder.Cast(call.span, units, type, /*is_try=*/false);
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr units, AsInteger(binder, value));
  ARROW_ASSIGN_OR_RAISE(const NodePtr moment,
                        binder.Cast(call.span, units, arrow::timestamp(count), false));
  return binder.Cast(call.span, moment, type, /*is_try=*/false);
}
Result<NodePtr> BindToTimestamp(const Binder& binder, const Call& call) {
  return ToTimestamp(binder, call, arrow::TimeUnit::SECOND, arrow::TimeUnit::NANO);
}
Result<NodePtr> BindToSeconds(const Binder& binder, const Call& call) {
  return ToTimestamp(binder, call, arrow::TimeUnit::SECOND, arrow::TimeUnit::SECOND);
}
Result<NodePtr> BindToMillis(const Binder& binder, const Call& call) {
  return ToTimestamp(binder, call, arrow::TimeUnit::MILLI, arrow::TimeUnit::MILLI);
}
Result<NodePtr> BindToMicros(const Binder& binder, const Call& call) {
  return ToTimestamp(binder, call, arrow::TimeUnit::MICRO, arrow::TimeUnit::MICRO);
}
Result<NodePtr> BindToNanos(const Binder& binder, const Call& call) {
  return ToTimestamp(binder, call, arrow::TimeUnit::NANO, arrow::TimeUnit::NANO);
}

/// from_unixtime(seconds[, zone]).
Result<NodePtr> BindFromUnixtime(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr seconds, AsInteger(binder, call.arguments[0]));
  std::string zone;
  if (call.arguments.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(zone, ConstantText(binder, call.arguments[1]));
  }
  return binder.Cast(call.span, seconds, arrow::timestamp(arrow::TimeUnit::SECOND, zone), false);
}

Result<NodePtr> BindToDate(const Binder& binder, const Call& call) {
  const NodePtr& value = call.arguments[0];
  if (IsText(*value->type) && call.arguments.size() == 1) {
    // The day of a moment with an offset is that in UTC.
    ARROW_ASSIGN_OR_RAISE(
        const NodePtr moment,
        binder.Cast(call.span, value, arrow::timestamp(arrow::TimeUnit::MICRO), false));
    return binder.Cast(call.span, moment, arrow::date32(), /*is_try=*/false);
  }
  if (!IsText(*value->type)) {
    NodePtr days = value;
    if (arrow::is_floating(value->type->id()) || arrow::is_decimal(value->type->id())) {
      ARROW_ASSIGN_OR_RAISE(days, binder.Cast(call.span, value, arrow::int32(), false));
    }
    return binder.Cast(call.span, days, arrow::date32(), /*is_try=*/false);
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr days,
                        ReadTexts(binder, call, [](const LocalMoment& moment) -> Result<int64_t> {
                          if (!moment.has_date) return LacksDate();
                          return moment.seconds / 86'400 - (moment.seconds % 86'400 < 0 ? 1 : 0);
                        }));
  ARROW_ASSIGN_OR_RAISE(const NodePtr narrow, binder.Cast(call.span, days, arrow::int32(), false));
  return binder.Cast(call.span, narrow, arrow::date32(), /*is_try=*/false);
}

/// Whole seconds since 1970, downwards.
Result<NodePtr> BindToUnixtime(const Binder& binder, const Call& call) {
  const NodePtr& value = call.arguments[0];
  if (IsNumber(*value->type)) return binder.Cast(call.span, value, arrow::int64(), false);
  if (IsText(*value->type) && call.arguments.size() > 1) {
    return ReadTexts(binder, call, [](const LocalMoment& moment) -> Result<int64_t> {
      if (!moment.has_date) return LacksDate();
      return moment.seconds - moment.offset.value_or(0);
    });
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr moment, AsMoment(binder, value));
  ARROW_ASSIGN_OR_RAISE(const NodePtr seconds,
                        binder.MakeArrowCall(call.span, "floor_temporal", {moment},
                                             std::make_shared<cp::RoundTemporalOptions>(
                                                 1, cp::CalendarUnit::SECOND)));
  ARROW_ASSIGN_OR_RAISE(
      const NodePtr whole,
      binder.Cast(call.span, seconds, arrow::timestamp(arrow::TimeUnit::SECOND), false));
  return binder.Cast(call.span, whole, arrow::int64(), false);
}

/// Whole numbers, also such as texts.
Result<std::vector<NodePtr>> NumberArguments(const Binder& binder, const Call& call) {
  std::vector<NodePtr> numbers;
  for (const NodePtr& argument : call.arguments) {
    ARROW_ASSIGN_OR_RAISE(numbers.emplace_back(),
                          IsText(*argument->type)
                              ? binder.Cast(argument->span, argument, arrow::int64(), false)
                              : AsInteger(binder, argument));
  }
  return numbers;
}

Result<NodePtr> BindMakeDate(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto numbers, NumberArguments(binder, call));
  ARROW_ASSIGN_OR_RAISE(const NodePtr days,
                        MakeIntegerCall(
                            binder, call.span, std::move(numbers),
                            [](const Rows& rows, int64_t row) -> Result<int64_t> {
                              const int64_t year = rows.Integer(0, row);
                              const int64_t month = rows.Integer(1, row);
                              const int64_t day = rows.Integer(2, row);
                              if (year >= -9999 && year <= 9999 && month >= 1 && month <= 12 &&
                                  day >= 1 && day <= 31) {
                                const std::chrono::year_month_day date{
                                    std::chrono::year(static_cast<int>(year)),
                                    std::chrono::month(static_cast<unsigned>(month)),
                                    std::chrono::day(static_cast<unsigned>(day))};
                                if (date.ok())
                                  return std::chrono::sys_days(date).time_since_epoch().count();
                              }
                              return InvalidArgument(year, "-", month, "-", day, " is no date");
                            },
                            arrow::int32()));
  return binder.Cast(call.span, days, arrow::date32(), false);
}

Result<NodePtr> BindMakeTime(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto numbers, NumberArguments(binder, call));
  ARROW_ASSIGN_OR_RAISE(const NodePtr seconds,
                        MakeIntegerCall(
                            binder, call.span, std::move(numbers),
                            [](const Rows& rows, int64_t row) -> Result<int64_t> {
                              const int64_t hour = rows.Integer(0, row);
                              const int64_t minute = rows.Integer(1, row);
                              const int64_t second = rows.Integer(2, row);
                              const bool is_time = hour >= 0 && hour <= 23 && minute >= 0 &&
                                                   minute <= 59 && second >= 0 && second <= 59;
                              if (!is_time) {
                                return InvalidArgument(hour, ":", minute, ":", second,
                                                       " is no time of the day");
                              }
                              return hour * 3600 + minute * 60 + second;
                            },
                            arrow::int32()));
  return binder.Cast(call.span, seconds, arrow::time32(arrow::TimeUnit::SECOND), false);
}

/// The time of the day of a text or of a timestamp in its zone.
Result<NodePtr> BindToTime(const Binder& binder, const Call& call) {
  const NodePtr& value = call.arguments[0];
  const auto type = arrow::time64(arrow::TimeUnit::NANO);
  if (value->type->id() == arrow::Type::TIMESTAMP) {
    ARROW_ASSIGN_OR_RAISE(const NodePtr local, Local(binder, call.span, value));
    return binder.Cast(call.span, local, type, /*is_try=*/false);
  }
  Call with_formats = call;
  if (call.arguments.size() == 1) {
    for (const char* format : {"%H:%M:%S%.f", "%H:%M"}) {
      with_formats.arguments.push_back(
          binder.MakeLiteral(call.span, std::make_shared<arrow::StringScalar>(format)));
    }
  }
  ARROW_ASSIGN_OR_RAISE(
      const NodePtr nanoseconds,
      ReadTexts(binder, with_formats, [](const LocalMoment& moment) -> Result<int64_t> {
        if (!moment.has_time) return InvalidArgument("the text says no time of the day");
        const int64_t clock = moment.seconds % 86'400;
        return (clock < 0 ? clock + 86'400 : clock) * kNanoseconds + moment.nanoseconds;
      }));
  return binder.Cast(call.span, nanoseconds, type, /*is_try=*/false);
}

/// What the clock of a timestamp's zone shows.
Result<NodePtr> BindToLocalTime(const Binder& binder, const Call& call) {
  const NodePtr& value = call.arguments[0];
  if (value->type->id() == arrow::Type::NA) {
    return binder.MakeLiteral(call.span,
                              arrow::MakeNullScalar(arrow::timestamp(arrow::TimeUnit::NANO)));
  }
  if (value->type->id() == arrow::Type::TIMESTAMP) return Local(binder, call.span, value);
  return binder.Error(value->span,
                      "a timestamp is expected here, but this is a " + NameOfType(*value->type));
}

constexpr std::array kFunctions = {
    FunctionEntry{"to_timestamp", 1, -1, BindToTimestamp},
    FunctionEntry{"to_timestamp_seconds", 1, -1, BindToSeconds},
    FunctionEntry{"to_timestamp_millis", 1, -1, BindToMillis},
    FunctionEntry{"to_timestamp_micros", 1, -1, BindToMicros},
    FunctionEntry{"to_timestamp_nanos", 1, -1, BindToNanos},
    FunctionEntry{"from_unixtime", 1, 2, BindFromUnixtime},
    FunctionEntry{"to_unixtime", 1, -1, BindToUnixtime},
    FunctionEntry{"to_date", 1, -1, BindToDate},
    FunctionEntry{"make_date", 3, 3, BindMakeDate},
    FunctionEntry{"make_time", 3, 3, BindMakeTime},
    FunctionEntry{"to_time", 1, -1, BindToTime},
    FunctionEntry{"to_local_time", 1, 1, BindToLocalTime},
    FunctionEntry{"to_char", 2, 2, BindToChar},
    FunctionEntry{"date_format", 2, 2, BindToChar},
};

}  // namespace

std::span<const FunctionEntry> MomentTextFunctions() { return kFunctions; }

}  // namespace tusk::expr
