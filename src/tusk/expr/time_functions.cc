#include <array>
#include <chrono>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/date_bin.h"
#include "tusk/expr/function.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// A date or timestamp as a timestamp, a time as it is.
Result<NodePtr> AsMoment(const Binder& binder, const NodePtr& node) {
  const arrow::DataType& type = *node->type;
  if (type.id() == arrow::Type::TIMESTAMP || arrow::is_time(type.id())) return node;
  if (type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::NA) {
    return binder.Cast(node->span, node, arrow::timestamp(arrow::TimeUnit::SECOND), false);
  }
  if (type.id() == arrow::Type::DATE64) {
    return binder.Cast(node->span, node, arrow::timestamp(arrow::TimeUnit::MILLI), false);
  }
  return binder.Error(node->span,
                      "a date or timestamp is expected here, but this is a " + NameOfType(type));
}

Result<NodePtr> ToInt32(const Binder& binder, Span span, const NodePtr& node) {
  return binder.Cast(span, node, arrow::int32(), /*is_try=*/false);
}

/// The seconds of the minute in thousandths, millionths or billionths.
Result<NodePtr> FractionOfMinute(const Binder& binder, Span span, const NodePtr& moment,
                                 int thousands) {
  ARROW_ASSIGN_OR_RAISE(NodePtr sum, binder.MakeArrowCall(span, "second", {moment}, nullptr));
  static constexpr std::array kParts = {"millisecond", "microsecond", "nanosecond"};
  for (int i = 0; i < thousands; ++i) {
    const NodePtr thousand = binder.MakeLiteral(span, std::make_shared<arrow::Int64Scalar>(1000));
    ARROW_ASSIGN_OR_RAISE(sum, binder.MakeArrowCall(span, "multiply", {sum, thousand}, nullptr));
    ARROW_ASSIGN_OR_RAISE(
        const NodePtr part,
        binder.MakeArrowCall(span, kParts[static_cast<size_t>(i)], {moment}, nullptr));
    ARROW_ASSIGN_OR_RAISE(sum, binder.MakeArrowCall(span, "add", {sum, part}, nullptr));
  }
  return thousands == 3 ? Result<NodePtr>(sum) : ToInt32(binder, span, sum);
}

/// Units since 1970 as seconds.
Result<NodePtr> Epoch(const Binder& binder, Span span, const NodePtr& moment) {
  if (moment->type->id() != arrow::Type::TIMESTAMP) {
    return binder.Error(span, "a time of the day has no epoch");
  }
  double per_second = 1;
  for (int i = 0; i < static_cast<const arrow::TimestampType&>(*moment->type).unit(); ++i) {
    per_second *= 1000;
  }
  ARROW_ASSIGN_OR_RAISE(NodePtr count, binder.Cast(span, moment, arrow::int64(), false));
  Kernel kernel = [per_second](const std::vector<Datum>& arguments,
                               const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(
        Datum value,
        cp::Cast(arguments[0], cp::CastOptions::Unsafe(arrow::float64()), evaluation.compute));
    return cp::CallFunction("divide",
                            {value, Datum(std::make_shared<arrow::DoubleScalar>(per_second))},
                            evaluation.compute);
  };
  return binder.MakeCall(span, arrow::float64(), {std::move(count)}, std::move(kernel));
}

Result<NodePtr> BindDatePart(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(std::string part, ConstantText(binder, call.arguments[0]));
  part = ToLowerAscii(part);
  ARROW_ASSIGN_OR_RAISE(const NodePtr moment, AsMoment(binder, call.arguments[1]));
  if (part == "epoch") return Epoch(binder, call.span, moment);
  static constexpr std::array<std::string_view, 3> kFractions = {"millisecond", "microsecond",
                                                                 "nanosecond"};
  for (size_t i = 0; i < kFractions.size(); ++i) {
    if (part == kFractions[i] || part == std::string(kFractions[i]) + "s") {
      return FractionOfMinute(binder, call.span, moment, static_cast<int>(i) + 1);
    }
  }
  static constexpr std::array<std::pair<std::string_view, const char*>, 10> kParts = {{
      {"year", "year"},
      {"quarter", "quarter"},
      {"month", "month"},
      {"week", "iso_week"},
      {"day", "day"},
      {"doy", "day_of_year"},
      {"hour", "hour"},
      {"minute", "minute"},
      {"second", "second"},
      {"isoyear", "iso_year"},
  }};
  for (const auto& [name, function] : kParts) {
    if (part != name) continue;
    ARROW_ASSIGN_OR_RAISE(const NodePtr value,
                          binder.MakeArrowCall(call.span, function, {moment}, nullptr));
    return ToInt32(binder, call.span, value);
  }
  if (part == "dow" || part == "isodow") {
    const bool is_iso = part == "isodow";
    auto options = std::make_shared<cp::DayOfWeekOptions>(/*count_from_zero=*/!is_iso,
                                                          /*week_start=*/is_iso ? 1 : 7);
    ARROW_ASSIGN_OR_RAISE(const NodePtr value, binder.MakeArrowCall(call.span, "day_of_week",
                                                                    {moment}, std::move(options)));
    return ToInt32(binder, call.span, value);
  }
  std::vector<std::string> known = {"dow", "isodow", "epoch"};
  for (const auto& [name, function] : kParts) known.emplace_back(name);
  for (const std::string_view name : kFractions) known.emplace_back(name);
  return binder.Error(call.arguments[0]->span,
                      "dates have no part '" + part + "'" + DidYouMean(part, known));
}

Result<NodePtr> BindDateTrunc(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(std::string part, ConstantText(binder, call.arguments[0]));
  part = ToLowerAscii(part);
  ARROW_ASSIGN_OR_RAISE(NodePtr moment, AsMoment(binder, call.arguments[1]));
  if (arrow::is_date(call.arguments[1]->type->id())) {
    ARROW_ASSIGN_OR_RAISE(
        moment, binder.Cast(call.span, moment, arrow::timestamp(arrow::TimeUnit::MICRO), false));
  }
  static constexpr std::array<std::pair<std::string_view, cp::CalendarUnit>, 10> kUnits = {{
      {"year", cp::CalendarUnit::YEAR},
      {"quarter", cp::CalendarUnit::QUARTER},
      {"month", cp::CalendarUnit::MONTH},
      {"week", cp::CalendarUnit::WEEK},
      {"day", cp::CalendarUnit::DAY},
      {"hour", cp::CalendarUnit::HOUR},
      {"minute", cp::CalendarUnit::MINUTE},
      {"second", cp::CalendarUnit::SECOND},
      {"millisecond", cp::CalendarUnit::MILLISECOND},
      {"microsecond", cp::CalendarUnit::MICROSECOND},
  }};
  std::vector<std::string> known;
  for (const auto& [name, unit] : kUnits) {
    if (part == name) {
      return binder.MakeArrowCall(call.span, "floor_temporal", {moment},
                                  std::make_shared<cp::RoundTemporalOptions>(1, unit));
    }
    known.emplace_back(name);
  }
  return binder.Error(call.arguments[0]->span,
                      "dates are not cut to '" + part + "'" + DidYouMean(part, known));
}

/// A text as a moment, or a number as units since 1970.
Result<NodePtr> ToTimestamp(const Binder& binder, const Call& call, arrow::TimeUnit::type count,
                            arrow::TimeUnit::type result) {
  const NodePtr& value = call.arguments[0];
  if (IsText(*value->type)) {
    return binder.Cast(call.span, value, arrow::timestamp(result), /*is_try=*/false);
  }
  if (value->type->id() == arrow::Type::TIMESTAMP || arrow::is_date(value->type->id())) {
    return binder.Cast(call.span, value, arrow::timestamp(result), /*is_try=*/false);
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr units, AsInteger(binder, value));
  ARROW_ASSIGN_OR_RAISE(const NodePtr moment,
                        binder.Cast(call.span, units, arrow::timestamp(count), false));
  return binder.Cast(call.span, moment, arrow::timestamp(result), false);
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

Result<NodePtr> BindToDate(const Binder& binder, const Call& call) {
  return binder.Cast(call.span, call.arguments[0], arrow::date32(), /*is_try=*/false);
}

Result<NodePtr> BindToUnixtime(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr moment, AsMoment(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr seconds,
                        binder.MakeArrowCall(call.span, "floor_temporal", {moment},
                                             std::make_shared<cp::RoundTemporalOptions>(
                                                 1, cp::CalendarUnit::SECOND)));
  ARROW_ASSIGN_OR_RAISE(
      const NodePtr whole,
      binder.Cast(call.span, seconds, arrow::timestamp(arrow::TimeUnit::SECOND), false));
  return binder.Cast(call.span, whole, arrow::int64(), false);
}

Result<NodePtr> BindMakeDate(const Binder& binder, const Call& call) {
  std::vector<NodePtr> integers;
  for (const NodePtr& argument : call.arguments) {
    ARROW_ASSIGN_OR_RAISE(NodePtr integer, AsInteger(binder, argument));
    integers.push_back(std::move(integer));
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr days,
                        MakeIntegerCall(
                            binder, call.span, std::move(integers),
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

Result<NodePtr> BindToChar(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const std::string format, ConstantText(binder, call.arguments[1]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr moment, AsMoment(binder, call.arguments[0]));
  return binder.MakeArrowCall(call.span, "strftime", {moment},
                              std::make_shared<cp::StrftimeOptions>(format, "C"));
}

/// One moment for the whole of an expression: when it was bound.
int64_t NowNanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<NodePtr> BindNow(const Binder& binder, const Call& call) {
  return binder.MakeLiteral(
      call.span, std::make_shared<arrow::TimestampScalar>(NowNanoseconds(),
                                                          arrow::timestamp(arrow::TimeUnit::NANO)));
}

constexpr int64_t kNanosecondsOfDay = int64_t{86'400} * 1'000'000'000;

Result<NodePtr> BindCurrentDate(const Binder& binder, const Call& call) {
  const auto day = static_cast<int32_t>(NowNanoseconds() / kNanosecondsOfDay);
  return binder.MakeLiteral(call.span, std::make_shared<arrow::Date32Scalar>(day));
}

Result<NodePtr> BindCurrentTime(const Binder& binder, const Call& call) {
  return binder.MakeLiteral(
      call.span, std::make_shared<arrow::Time64Scalar>(NowNanoseconds() % kNanosecondsOfDay,
                                                       arrow::time64(arrow::TimeUnit::NANO)));
}

constexpr std::array kFunctions = {
    FunctionEntry{"date_part", 2, 2, BindDatePart},
    FunctionEntry{"datepart", 2, 2, BindDatePart},
    FunctionEntry{"date_bin", 2, 3, BindDateBin},
    FunctionEntry{"date_trunc", 2, 2, BindDateTrunc},
    FunctionEntry{"datetrunc", 2, 2, BindDateTrunc},
    FunctionEntry{"to_timestamp", 1, 1, BindToTimestamp},
    FunctionEntry{"to_timestamp_seconds", 1, 1, BindToSeconds},
    FunctionEntry{"to_timestamp_millis", 1, 1, BindToMillis},
    FunctionEntry{"to_timestamp_micros", 1, 1, BindToMicros},
    FunctionEntry{"to_timestamp_nanos", 1, 1, BindToNanos},
    FunctionEntry{"from_unixtime", 1, 1, BindToSeconds},
    FunctionEntry{"to_unixtime", 1, 1, BindToUnixtime},
    FunctionEntry{"to_date", 1, 1, BindToDate},
    FunctionEntry{"make_date", 3, 3, BindMakeDate},
    FunctionEntry{"to_char", 2, 2, BindToChar},
    FunctionEntry{"date_format", 2, 2, BindToChar},
    FunctionEntry{"now", 0, 0, BindNow},
    FunctionEntry{"current_timestamp", 0, 0, BindNow},
    FunctionEntry{"current_date", 0, 0, BindCurrentDate},
    FunctionEntry{"today", 0, 0, BindCurrentDate},
    FunctionEntry{"current_time", 0, 0, BindCurrentTime},
};

}  // namespace

std::span<const FunctionEntry> TimeFunctions() { return kFunctions; }

}  // namespace tusk::expr
