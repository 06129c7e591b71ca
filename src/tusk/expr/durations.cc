#include "tusk/expr/durations.h"

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/builder.h>
#include <arrow/type.h>

#include "tusk/expr/format_value.h"
#include "tusk/expr/interval.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"

namespace tusk::expr {
namespace {

using arrow::Datum;

__extension__ using Wide = __int128;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay = 86'400 * kSecond;

struct Part {
  std::string_view name;
  int64_t nanoseconds;  ///< 0: durations have none
};

constexpr std::array<Part, 10> kParts = {{
    {"year", 0},
    {"month", 0},
    {"week", 7 * kDay},
    {"day", kDay},
    {"hour", 3600 * kSecond},
    {"minute", 60 * kSecond},
    {"second", kSecond},
    {"millisecond", 1'000'000},
    {"microsecond", 1'000},
    {"nanosecond", 1},
}};

/// Nanoseconds of a second that a unit has, from 10^9 to 1.
int64_t NanosecondsOf(arrow::TimeUnit::type unit) {
  int64_t nanoseconds = kSecond;
  for (int i = 0; i < unit; ++i) nanoseconds /= 1000;
  return nanoseconds;
}

arrow::TimeUnit::type UnitOf(const arrow::DataType& duration) {
  return static_cast<const arrow::DurationType&>(duration).unit();
}

Wide PartOfInterval(const Interval& interval, std::string_view part) {
  if (part == "year") return interval.months / 12;
  if (part == "month") return interval.months % 12;
  if (part == "week") return interval.days / 7;
  if (part == "day") return interval.days;
  if (part == "hour") return interval.nanoseconds / (3600 * kSecond);
  if (part == "minute") return interval.nanoseconds / (60 * kSecond) % 60;
  if (part == "second") return interval.nanoseconds / kSecond % 60;
  // As of moments, these are fractions of a minute.
  const int64_t rest = interval.nanoseconds % (60 * kSecond);
  if (part == "millisecond") return rest / 1'000'000;
  return part == "microsecond" ? rest / 1'000 : rest;
}

double EpochOf(const Interval& interval) {
  const int64_t days = int64_t{30} * interval.months + interval.days;
  return static_cast<double>(days) * 86'400 + static_cast<double>(interval.nanoseconds) / kSecond;
}

/// Calls with one argument, of type T, that give a value of each by `function`.
template <typename Builder, typename T, typename Function>
Result<NodePtr> MakeMapped(const Binder& binder, const Call& call, const NodePtr& argument,
                           Function function) {
  Kernel kernel = [function](const std::vector<Datum>& arguments,
                             const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(arguments[0], pool));
    const Values<T> values(std::move(operand));
    Builder builder(pool);
    for (int64_t row = 0; row < values.array().length(); ++row) {
      if (values.IsNull(row)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const auto value, function(values[row]));
      ARROW_RETURN_NOT_OK(builder.Append(value));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, values.is_scalar());
  };
  return binder.MakeCall(call.span, Builder(arrow::default_memory_pool()).type(), {argument},
                         std::move(kernel));
}

template <typename Integer>
Result<Integer> Narrow(Wide value, std::string_view part) {
  if (value >= std::numeric_limits<Integer>::min() &&
      value <= std::numeric_limits<Integer>::max()) {
    return static_cast<Integer>(value);
  }
  return InvalidArgument("there are more ", part, "s than an integer of ", 8 * sizeof(Integer),
                         " bits counts");
}

/// `of` gives the part of a value of type T.
template <typename T, typename Of>
Result<NodePtr> MakePart(const Binder& binder, const Call& call, std::string_view part, Of of) {
  const NodePtr& argument = call.arguments[1];
  if (part == "nanosecond") {
    return MakeMapped<arrow::Int64Builder, T>(binder, call, argument, [of](const T& value) {
      return Narrow<int64_t>(of(value), "nanosecond");
    });
  }
  return MakeMapped<arrow::Int32Builder, T>(binder, call, argument, [of, part](const T& value) {
    return Narrow<int32_t>(of(value), part);
  });
}

Result<NodePtr> BindPartOfInterval(const Binder& binder, const Call& call, std::string_view part) {
  return MakePart<Interval>(binder, call, part,
                            [part](const Interval& value) { return PartOfInterval(value, part); });
}

Result<NodePtr> BindEpoch(const Binder& binder, const Call& call) {
  const NodePtr& argument = call.arguments[1];
  if (argument->type->id() == arrow::Type::INTERVAL_MONTH_DAY_NANO) {
    return MakeMapped<arrow::DoubleBuilder, Interval>(
        binder, call, argument,
        [](const Interval& value) { return Result<double>(EpochOf(value)); });
  }
  const int64_t units = kSecond / NanosecondsOf(UnitOf(*argument->type));
  const auto per_second = static_cast<double>(units);
  return MakeMapped<arrow::DoubleBuilder, int64_t>(
      binder, call, argument, [per_second](int64_t value) {
        return Result<double>(static_cast<double>(value) / per_second);
      });
}

}  // namespace

Result<NodePtr> BindDurationPart(const Binder& binder, const Call& call, const std::string& name) {
  if (name == "epoch") return BindEpoch(binder, call);
  const NodePtr& argument = call.arguments[1];
  const bool is_interval = argument->type->id() == arrow::Type::INTERVAL_MONTH_DAY_NANO;
  std::vector<std::string> known = {"epoch"};
  for (const Part& part : kParts) {
    if (!is_interval && part.nanoseconds == 0) continue;
    known.emplace_back(part.name);
    if (part.name != name) continue;
    if (is_interval) return BindPartOfInterval(binder, call, part.name);
    return MakePart<int64_t>(
        binder, call, part.name,
        [length = part.nanoseconds, unit = NanosecondsOf(UnitOf(*argument->type))](int64_t value) {
          return Wide{value} * unit / length;
        });
  }
  return binder.Error(call.arguments[0]->span,
                      std::string(is_interval ? "intervals" : "durations") + " have no part '" +
                          name + "'" + DidYouMean(name, known));
}

Result<NodePtr> BindDurationText(const Binder& binder, const Call& call) {
  const NodePtr& duration = call.arguments[0];
  ARROW_ASSIGN_OR_RAISE(NodePtr format, AsText(binder, call.arguments[1]));
  ARROW_ASSIGN_OR_RAISE(NodePtr count,
                        binder.Cast(call.span, duration, arrow::int64(), /*is_try=*/false));
  return MakeTextCall(
      binder, call.span, {std::move(format), std::move(count)},
      [unit = UnitOf(*duration->type)](const Rows& rows, int64_t row, std::string* out) {
        const int64_t value = rows.Integer(1, row);
        *out = rows.Text(0, row) == "iso8601" ? FormatIsoDuration(value, unit)
                                              : FormatDuration(value, unit);
        return Status::OK();
      });
}

}  // namespace tusk::expr
