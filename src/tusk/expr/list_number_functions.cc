// Lists of numbers: series of them, and lists as vectors.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/interval.h"
#include "tusk/expr/lists.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

constexpr int64_t kNanosecondsOfDay = int64_t{86'400} * 1'000'000'000;

/// A series of one row: appends what goes from `start` on, to `stop` or up to it.
using AppendSeries = std::function<Status(int64_t start, int64_t stop, int64_t step, bool is_closed,
                                          arrow::Int64Builder* values)>;

Status CheckRoom(const arrow::Int64Builder& values) {
  if (values.length() < std::numeric_limits<int32_t>::max()) return Status::OK();
  return InvalidArgument("the lists have more than 2^31 values together");
}

bool IsPast(int64_t value, int64_t stop, bool goes_down, bool is_closed) {
  if (value == stop) return !is_closed;
  return goes_down ? value < stop : value > stop;
}

Status AppendNumbers(int64_t start, int64_t stop, int64_t step, bool is_closed,
                     arrow::Int64Builder* values) {
  if (step == 0) return InvalidArgument("a series cannot go on by steps of 0");
  for (int64_t value = start; !IsPast(value, stop, step < 0, is_closed);) {
    ARROW_RETURN_NOT_OK(CheckRoom(*values));
    ARROW_RETURN_NOT_OK(values->Append(value));
    if (__builtin_add_overflow(value, step, &value)) break;
  }
  return Status::OK();
}

/// Days, or nanoseconds since 1970, from each to the next by an interval.
AppendSeries AppendMoments(const Interval& step, bool is_days) {
  const int64_t per_day = is_days ? 1 : kNanosecondsOfDay;
  return [step, per_day, is_days](int64_t start, int64_t stop, int64_t /*step*/, bool is_closed,
                                  arrow::Int64Builder* values) -> Status {
    const auto next = [&](int64_t value) {
      return AddInterval(value, step, per_day, is_days ? 0 : 1);
    };
    ARROW_ASSIGN_OR_RAISE(const int64_t second, next(start));
    const bool goes_down = second < start;
    if (second == start) return InvalidArgument("a series cannot go on by steps of 0");
    for (int64_t value = start; !IsPast(value, stop, goes_down, is_closed);) {
      ARROW_RETURN_NOT_OK(CheckRoom(*values));
      ARROW_RETURN_NOT_OK(values->Append(value));
      const auto moved = next(value);
      if (!moved.ok()) break;
      value = *moved;
    }
    return Status::OK();
  };
}

/// Binds a series whose start, stop and step are int64. Its values become those of `type`.
Result<NodePtr> MakeSeries(const Binder& binder, const Call& call, std::vector<NodePtr> ends,
                           const TypePtr& type, AppendSeries append) {
  const bool is_closed = call.name == "generate_series";
  const TypePtr list_type = arrow::list(type);
  Kernel kernel = [type, list_type, is_closed, append = std::move(append)](
                      const std::vector<Datum>& arguments,
                      const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(const Rows rows, Rows::Make(arguments, evaluation));
    arrow::Int64Builder values(pool);
    arrow::Int32Builder offsets(pool);
    for (int64_t row = 0; row < rows.length(); ++row) {
      ARROW_RETURN_NOT_OK(evaluation.context->CheckStop());
      if (rows.HasNull(row)) {
        ARROW_RETURN_NOT_OK(offsets.AppendNull());
        continue;
      }
      ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(values.length())));
      ARROW_RETURN_NOT_OK(append(rows.Integer(0, row), rows.Integer(1, row),
                                 rows.size() > 2 ? rows.Integer(2, row) : 1, is_closed, &values));
    }
    ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(values.length())));
    ARROW_ASSIGN_OR_RAISE(const auto begins, offsets.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto numbers, values.Finish());
    Datum items(numbers);
    if (type->id() == arrow::Type::DATE32) {
      ARROW_ASSIGN_OR_RAISE(
          items, cp::Cast(items, arrow::int32(), cp::CastOptions::Safe(), evaluation.compute));
    }
    ARROW_ASSIGN_OR_RAISE(items,
                          cp::Cast(items, type, cp::CastOptions::Safe(), evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(const auto lists, arrow::ListArray::FromArrays(
                                                list_type, *begins, *items.make_array(), pool));
    return ToResult(lists, rows.is_scalar());
  };
  return binder.MakeCall(call.span, list_type, std::move(ends), std::move(kernel));
}

/// The type of a series between dates or moments; null if it is one of numbers.
Result<TypePtr> MomentType(const Binder& binder, const Call& call) {
  TypePtr moment;
  for (size_t i = 0; i < 2; ++i) {
    const NodePtr& end = call.arguments[i];
    if (IsText(*end->type) || end->type->id() == arrow::Type::NA) continue;
    if (arrow::is_date(end->type->id())) {
      if (moment == nullptr) moment = arrow::date32();
    } else if (end->type->id() == arrow::Type::TIMESTAMP) {
      const auto& type = static_cast<const arrow::TimestampType&>(*end->type);
      const bool is_zoned = moment != nullptr && moment->id() == arrow::Type::TIMESTAMP &&
                            !static_cast<const arrow::TimestampType&>(*moment).timezone().empty();
      if (!is_zoned) moment = arrow::timestamp(arrow::TimeUnit::NANO, type.timezone());
    } else {
      return binder.Error(end->span, "a date or timestamp is expected here, but this is a " +
                                         NameOfType(*end->type));
    }
  }
  return moment == nullptr ? arrow::date32() : moment;
}

Result<NodePtr> BindMoments(const Binder& binder, const Call& call) {
  const NodePtr& step = call.arguments[2];
  ARROW_ASSIGN_OR_RAISE(const TypePtr type, MomentType(binder, call));
  if (step->kind != NodeKind::kLiteral) {
    return binder.Error(step->span, "only intervals that are constants can be added");
  }
  const auto& interval = static_cast<const arrow::MonthDayNanoIntervalScalar&>(*step->value);
  if (!interval.is_valid) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::list(type)));
  }
  const bool is_days = type->id() == arrow::Type::DATE32;
  if (is_days && interval.value.months == 0 && interval.value.days == 0) {
    return binder.Error(step->span, "a series of dates goes on by days or more");
  }
  const bool is_zoned =
      !is_days && !static_cast<const arrow::TimestampType&>(*type).timezone().empty();
  if (is_zoned && (interval.value.months != 0 || interval.value.days != 0)) {
    return binder.Error(step->span, "a series of moments of a time zone goes on by hours or less");
  }
  std::vector<NodePtr> ends;
  for (size_t i = 0; i < 2; ++i) {
    const NodePtr& end = call.arguments[i];
    ARROW_ASSIGN_OR_RAISE(NodePtr moment, end->literal ? binder.Widen(end, type)
                                                       : binder.Cast(end->span, end, type, false));
    ARROW_ASSIGN_OR_RAISE(ends.emplace_back(),
                          binder.Cast(call.span, moment, arrow::int64(), /*is_try=*/false));
  }
  return MakeSeries(binder, call, std::move(ends), type, AppendMoments(interval.value, is_days));
}

/// range(stop), range(start, stop[, step]), and generate_series, which has its end, too.
Result<NodePtr> BindSeries(const Binder& binder, const Call& call) {
  const bool is_moments = call.arguments.size() == 3 &&
                          call.arguments[2]->type->id() == arrow::Type::INTERVAL_MONTH_DAY_NANO;
  if (is_moments) return BindMoments(binder, call);
  std::vector<NodePtr> ends;
  if (call.arguments.size() == 1) {
    ends.push_back(binder.MakeLiteral(call.span, std::make_shared<arrow::Int64Scalar>(0)));
  }
  for (const NodePtr& argument : call.arguments) {
    ARROW_ASSIGN_OR_RAISE(ends.emplace_back(), AsInteger(binder, argument));
  }
  return MakeSeries(binder, call, std::move(ends), arrow::int64(), AppendNumbers);
}

// Vectors.

/// A list of numbers, whose values are read as doubles.
Result<NodePtr> AsVector(const Binder& binder, const NodePtr& node) {
  if (IsUntypedNull(node)) {
    return binder.MakeLiteral(node->span, arrow::MakeNullScalar(arrow::list(arrow::float64())));
  }
  ARROW_RETURN_NOT_OK(CheckList(binder, node));
  const TypePtr type = PlainType(ValueType(node));
  if (IsNumber(*type) || type->id() == arrow::Type::NA) return node;
  return binder.Error(
      node->span, "a list of numbers is expected here, but this is a " + NameOfType(*node->type));
}

struct Vectors {
  Lists lists;
  std::shared_ptr<arrow::DoubleArray> values;

  static Result<Vectors> Make(const Datum& datum, const Evaluation& evaluation) {
    ARROW_ASSIGN_OR_RAISE(Lists lists, MakeLists(datum, evaluation));
    ARROW_ASSIGN_OR_RAISE(const Datum values,
                          cp::Cast(Datum(lists.values()), cp::CastOptions::Unsafe(arrow::float64()),
                                   evaluation.compute));
    return Vectors{std::move(lists), values.array_as<arrow::DoubleArray>()};
  }
  /// Nothing if the row has no list, or a null in it.
  std::optional<std::span<const double>> At(int64_t row) const {
    if (lists.IsNull(row)) return std::nullopt;
    const int64_t begin = lists.Begin(row);
    const int64_t size = lists.Size(row);
    for (int64_t i = begin; values->null_count() > 0 && i < begin + size; ++i) {
      if (values->IsNull(i)) return std::nullopt;
    }
    return std::span(values->raw_values() + begin, static_cast<size_t>(size));
  }
};

/// What two vectors of the same length give; nothing for null.
using OfVectors = std::optional<double> (*)(std::span<const double> a, std::span<const double> b);

Result<NodePtr> MakeOfVectors(const Binder& binder, const Call& call, OfVectors function) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr left, AsVector(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(const NodePtr right, AsVector(binder, call.arguments[1]));
  Kernel kernel = [function](const std::vector<Datum>& arguments,
                             const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Vectors a, Vectors::Make(arguments[0], evaluation));
    ARROW_ASSIGN_OR_RAISE(const Vectors b, Vectors::Make(arguments[1], evaluation));
    arrow::DoubleBuilder builder(evaluation.context->pool);
    for (int64_t row = 0; row < RowsOf(arguments, evaluation.length()); ++row) {
      const bool has_both = !a.lists.IsNull(row) && !b.lists.IsNull(row);
      if (has_both && a.lists.Size(row) != b.lists.Size(row)) {
        return InvalidArgument("the lists have ", a.lists.Size(row), " and ", b.lists.Size(row),
                               " values, but must have the same number");
      }
      const auto x = a.At(row);
      const auto y = b.At(row);
      const auto value = x && y ? function(*x, *y) : std::nullopt;
      ARROW_RETURN_NOT_OK(value ? builder.Append(*value) : builder.AppendNull());
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, std::ranges::all_of(arguments, &Datum::is_scalar));
  };
  return binder.MakeCall(call.span, arrow::float64(), {left, right}, std::move(kernel));
}

double Dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Result<NodePtr> BindDistance(const Binder& binder, const Call& call) {
  return MakeOfVectors(binder, call, [](std::span<const double> a, std::span<const double> b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::optional(std::sqrt(sum));
  });
}

/// Null for a vector of no length.
Result<NodePtr> BindCosineDistance(const Binder& binder, const Call& call) {
  return MakeOfVectors(
      binder, call,
      [](std::span<const double> a, std::span<const double> b) -> std::optional<double> {
        const double lengths = std::sqrt(Dot(a, a)) * std::sqrt(Dot(b, b));
        if (lengths == 0) return std::nullopt;
        return 1 - Dot(a, b) / lengths;
      });
}

Result<NodePtr> BindInnerProduct(const Binder& binder, const Call& call) {
  return MakeOfVectors(binder, call, [](std::span<const double> a, std::span<const double> b) {
    return std::optional(Dot(a, b));
  });
}

/// The vector divided by its length; null if it has none.
Result<NodePtr> BindNormalize(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr vector, AsVector(binder, call.arguments[0]));
  const TypePtr type = arrow::list(arrow::float64());
  Kernel kernel = [](const std::vector<Datum>& arguments,
                     const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Vectors vectors, Vectors::Make(arguments[0], evaluation));
    auto values = std::make_shared<arrow::DoubleBuilder>(evaluation.context->pool);
    arrow::ListBuilder builder(evaluation.context->pool, values);
    for (int64_t row = 0; row < vectors.lists.array().length(); ++row) {
      const auto one = vectors.At(row);
      const double length = one ? std::sqrt(Dot(*one, *one)) : 0;
      if (!one || (length == 0 && !one->empty())) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      ARROW_RETURN_NOT_OK(builder.Append());
      for (const double value : *one) ARROW_RETURN_NOT_OK(values->Append(value / length));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, vectors.lists.is_scalar());
  };
  return binder.MakeCall(call.span, type, {vector}, std::move(kernel));
}

constexpr std::array kFunctions = {
    FunctionEntry{"range", 1, 3, BindSeries},
    FunctionEntry{"generate_series", 1, 3, BindSeries},
    FunctionEntry{"array_distance", 2, 2, BindDistance},
    FunctionEntry{"list_distance", 2, 2, BindDistance},
    FunctionEntry{"cosine_distance", 2, 2, BindCosineDistance},
    FunctionEntry{"inner_product", 2, 2, BindInnerProduct},
    FunctionEntry{"dot_product", 2, 2, BindInnerProduct},
    FunctionEntry{"array_normalize", 1, 1, BindNormalize},
    FunctionEntry{"list_normalize", 1, 1, BindNormalize},
};

}  // namespace

std::span<const FunctionEntry> ListNumberFunctions() { return kFunctions; }

}  // namespace tusk::expr
