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
#include "tusk/expr/durations.h"
#include "tusk/expr/function.h"
#include "tusk/expr/interval.h"
#include "tusk/expr/moments.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

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

/// Units since 1970, or since midnight, as seconds.
Result<NodePtr> Epoch(const Binder& binder, Span span, const NodePtr& moment) {
  const auto unit = moment->type->id() == arrow::Type::TIMESTAMP
                        ? static_cast<const arrow::TimestampType&>(*moment->type).unit()
                        : static_cast<const arrow::TimeType&>(*moment->type).unit();
  double per_second = 1;
  for (int i = 0; i < unit; ++i) per_second *= 1000;
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
  if (const auto unit = NameOfUnit(part)) part = *unit;
  const auto type = call.arguments[1]->type->id();
  if (type == arrow::Type::DURATION || type == arrow::Type::INTERVAL_MONTH_DAY_NANO) {
    return BindDurationPart(binder, call, part);
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr moment, AsMoment(binder, call.arguments[1]));
  if (part == "epoch") return Epoch(binder, call.span, moment);
  static constexpr std::array<std::string_view, 3> kFractions = {"millisecond", "microsecond",
                                                                 "nanosecond"};
  for (size_t i = 0; i < kFractions.size(); ++i) {
    if (part == kFractions[i]) {
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
    FunctionEntry{"now", 0, 0, BindNow},
    FunctionEntry{"current_timestamp", 0, 0, BindNow},
    FunctionEntry{"current_date", 0, 0, BindCurrentDate},
    FunctionEntry{"today", 0, 0, BindCurrentDate},
    FunctionEntry{"current_time", 0, 0, BindCurrentTime},
};

}  // namespace

std::span<const FunctionEntry> TimeFunctions() { return kFunctions; }

}  // namespace tusk::expr
