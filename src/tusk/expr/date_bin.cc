#include "tusk/expr/date_bin.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/interval.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

using arrow::Datum;
/// Nanoseconds since 1970 of a moment of any unit.
__extension__ using Nanoseconds = __int128;

constexpr Nanoseconds kDay = Nanoseconds{86'400} * 1'000'000'000;
/// Of years -9999 to 9999.
constexpr int64_t kMostDays = 4'400'000;

/// `difference` cut to a multiple of `stride`: downwards, but towards 0 if bins go back in time.
template <typename Integer>
Integer CutTo(Integer difference, Integer stride) {
  const Integer cut = difference - difference % stride;
  return difference < 0 && stride > 1 && cut != difference ? cut - stride : cut;
}

/// `moment` so many months later; a day that the month does not have becomes its last.
Nanoseconds AddMonths(Nanoseconds moment, int64_t months) {
  Nanoseconds days = moment / kDay;
  if (moment % kDay < 0) --days;
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
  const std::chrono::year_month month =
      date.year() / date.month() + std::chrono::months(static_cast<int>(months));
  const auto last =
      std::chrono::year_month_day_last(month.year(), month.month() / std::chrono::last);
  const std::chrono::year_month_day moved{month / std::min(date.day(), last.day())};
  return std::chrono::sys_days(moved).time_since_epoch().count() * kDay + (moment - days * kDay);
}

/// Months since the year 0.
int64_t MonthOf(Nanoseconds moment) {
  Nanoseconds days = moment / kDay;
  if (moment % kDay < 0) --days;
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
  return int64_t{12} * static_cast<int>(date.year()) + static_cast<unsigned>(date.month());
}

struct Bins {
  int64_t months = 0;  ///< 0: bins are of `length`
  Nanoseconds length = 0;
  Nanoseconds origin = 0;

  Nanoseconds BeginOf(Nanoseconds moment) const {
    if (months == 0) return origin + CutTo(moment - origin, length);
    int64_t later = CutTo(MonthOf(moment) - MonthOf(origin), months);
    Nanoseconds begin = AddMonths(origin, later);
    // The month may begin before its bin does.
    if (begin > moment) {
      later -= months;
      begin = AddMonths(origin, later);
    }
    return begin;
  }
};

Result<Interval> StrideOf(const Binder& binder, const NodePtr& node) {
  if (node->kind == NodeKind::kLiteral) {
    if (node->type->id() == arrow::Type::INTERVAL_MONTH_DAY_NANO) {
      return static_cast<const arrow::MonthDayNanoIntervalScalar&>(*node->value).value;
    }
    if (IsText(*node->type)) {
      auto interval =
          ParseInterval(static_cast<const arrow::BaseBinaryScalar&>(*node->value).view());
      if (!interval.ok()) return binder.Error(node->span, interval.status().message());
      return interval;
    }
  }
  return binder.Error(node->span, "an interval that is a constant is expected here");
}

Result<Bins> BinsOf(const Binder& binder, const NodePtr& node) {
  ARROW_ASSIGN_OR_RAISE(const Interval stride, StrideOf(binder, node));
  Bins bins{.months = stride.months};
  bins.length = stride.days * kDay + stride.nanoseconds;
  if (bins.months != 0 && bins.length != 0) {
    return binder.Error(node->span, "bins are of months or of days and less, not of both");
  }
  if (bins.months == 0 && bins.length == 0) return binder.Error(node->span, "bins have a length");
  return bins;
}

/// A timestamp or a time of the day as it is, a date or a text in nanoseconds.
Result<NodePtr> AsBinned(const Binder& binder, const NodePtr& node) {
  if (node->type->id() == arrow::Type::TIMESTAMP || arrow::is_time(node->type->id())) return node;
  if (arrow::is_date(node->type->id()) || IsText(*node->type)) {
    return binder.Cast(node->span, node, arrow::timestamp(arrow::TimeUnit::NANO), /*is_try=*/false);
  }
  return binder.Error(node->span, "a date, time or timestamp is expected here, but this is a " +
                                      NameOfType(*node->type));
}

int64_t NanosecondsPerUnit(const arrow::DataType& type) {
  const auto unit = type.id() == arrow::Type::TIMESTAMP
                        ? static_cast<const arrow::TimestampType&>(type).unit()
                        : static_cast<const arrow::TimeType&>(type).unit();
  int64_t nanoseconds = 1'000'000'000;
  for (int i = 0; i < unit; ++i) nanoseconds /= 1000;
  return nanoseconds;
}

/// Of a constant.
Result<Nanoseconds> OriginOf(const Binder& binder, const NodePtr& node, bool is_time) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr origin, AsBinned(binder, node));
  if (origin->kind != NodeKind::kLiteral) {
    return binder.Error(node->span, "an origin that is a constant is expected here");
  }
  if (arrow::is_time(origin->type->id()) != is_time) {
    return binder.Error(node->span, std::string("the origin is a ") +
                                        (is_time ? "time of the day" : "timestamp") +
                                        ", as what is put into bins");
  }
  ARROW_ASSIGN_OR_RAISE(const NodePtr count,
                        binder.Cast(node->span, origin, arrow::int64(), /*is_try=*/false));
  return Nanoseconds{static_cast<const arrow::Int64Scalar&>(*count->value).value} *
         NanosecondsPerUnit(*origin->type);
}

/// Times of the day, in a bin that may have begun on the day before.
Result<NodePtr> BinTimes(const Binder& binder, const Call& call, const Bins& bins,
                         const NodePtr& time) {
  const bool is_shorter = bins.months == 0 && bins.length < kDay && bins.length > -kDay;
  if (!is_shorter) {
    return binder.Error(call.arguments[0]->span, "bins of times of the day are shorter than a day");
  }
  ARROW_ASSIGN_OR_RAISE(NodePtr count,
                        binder.Cast(call.span, time, arrow::int64(), /*is_try=*/false));
  ARROW_ASSIGN_OR_RAISE(const NodePtr begin,
                        MakeIntegerCall(
                            binder, call.span, {std::move(count)},
                            [bins, unit = NanosecondsPerUnit(*time->type)](
                                const Rows& rows, int64_t row) -> Result<int64_t> {
                              Nanoseconds at =
                                  bins.BeginOf(Nanoseconds{rows.Integer(0, row)} * unit) % kDay;
                              if (at < 0) at += kDay;
                              return static_cast<int64_t>(at / unit);
                            },
                            arrow::int64()));
  return binder.Cast(call.span, begin, time->type, /*is_try=*/false);
}

}  // namespace

Result<NodePtr> BindDateBin(const Binder& binder, const Call& call) {
  const bool has_null = std::ranges::any_of(call.arguments, [](const NodePtr& argument) {
    return argument->kind == NodeKind::kLiteral && !argument->value->is_valid;
  });
  if (has_null) {
    const auto& type = call.arguments[1]->type;
    return binder.MakeLiteral(
        call.span,
        arrow::MakeNullScalar(type->id() == arrow::Type::TIMESTAMP || arrow::is_time(type->id())
                                  ? type
                                  : arrow::timestamp(arrow::TimeUnit::NANO)));
  }
  ARROW_ASSIGN_OR_RAISE(Bins bins, BinsOf(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr moment, AsBinned(binder, call.arguments[1]));
  const bool is_time = arrow::is_time(moment->type->id());
  if (call.arguments.size() > 2) {
    ARROW_ASSIGN_OR_RAISE(bins.origin, OriginOf(binder, call.arguments[2], is_time));
  }
  if (is_time) return BinTimes(binder, call, bins, moment);
  Kernel kernel = [bins, type = moment->type](const std::vector<Datum>& arguments,
                                              const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(arguments[0], evaluation.context->pool));
    const Values<int64_t> moments(std::move(operand));
    const int64_t unit = NanosecondsPerUnit(*type);
    arrow::TimestampBuilder builder(type, evaluation.context->pool);
    for (int64_t row = 0; row < RowsOf(arguments, evaluation.length()); ++row) {
      if (moments.IsNull(row)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      const Nanoseconds at = Nanoseconds{moments[row]} * unit;
      if (at > kMostDays * kDay || at < -kMostDays * kDay) {
        return InvalidArgument("a timestamp is too far from 1970 to be put into a bin");
      }
      const Nanoseconds begin = bins.BeginOf(at) / unit;
      if (begin > std::numeric_limits<int64_t>::max() ||
          begin < std::numeric_limits<int64_t>::min()) {
        return InvalidArgument("a bin begins where no timestamp can be");
      }
      ARROW_RETURN_NOT_OK(builder.Append(static_cast<int64_t>(begin)));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, moments.is_scalar());
  };
  return binder.MakeCall(call.span, moment->type, {moment}, std::move(kernel));
}

}  // namespace tusk::expr
