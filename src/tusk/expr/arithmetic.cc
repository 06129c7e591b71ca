// Binder::Arithmetic and the kernels behind it.
#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/binder.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/interval.h"
#include "tusk/expr/number_text.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;
using TypePtr = std::shared_ptr<arrow::DataType>;

std::string ArrowName(std::string_view symbol, bool is_checked) {
  std::string name = symbol == "+"    ? "add"
                     : symbol == "-"  ? "subtract"
                     : symbol == "*"  ? "multiply"
                     : symbol == "/"  ? "divide"
                     : symbol == "%"  ? "remainder"
                     : symbol == "<<" ? "shift_left"
                                      : "shift_right";
  return is_checked ? name + "_checked" : name;
}

Status NoArithmetic(const Binder& binder, Span span, const std::string& symbol, const NodePtr& left,
                    const NodePtr& right) {
  return binder.Error(span, "there is no " + NameOfType(*left->type) + " " + symbol + " " +
                                NameOfType(*right->type));
}

/// The decimal of exactly the digits of a number as it is written; null for other literals.
std::shared_ptr<arrow::Scalar> NaturalDecimal(const NodePtr& node) {
  if (!node->literal || node->literal->kind != SyntaxKind::kNumber) return nullptr;
  const auto number = NumberText::Parse(node->literal->text);
  if (!number || number->exponent < -38) return nullptr;
  const int scale = number->exponent < 0 ? static_cast<int>(-number->exponent) : 0;
  bool is_exact = true;
  const auto digits = number->ScaledFloor(scale, &is_exact);
  if (!digits) return nullptr;
  const int count = static_cast<int>(digits->size()) - (number->is_negative ? 1 : 0);
  if (count > 38 || scale > 38) return nullptr;
  return ScalarOfDigits(*digits, *arrow::decimal128(std::max({count, scale, 1}), scale));
}

/// Calls Arrow's function for decimals, in 256 bits if the result has more digits than 128 hold.
Result<NodePtr> DecimalCall(const Binder& binder, Span span, const std::string& symbol,
                            std::vector<NodePtr> sides) {
  auto call = binder.MakeArrowCall(span, ArrowName(symbol, true), sides, nullptr);
  if (call.ok()) return call;
  if (symbol == "%") return binder.MakeArrowCall(span, ArrowName(symbol, false), sides, nullptr);
  for (NodePtr& side : sides) {
    const auto& type = static_cast<const arrow::DecimalType&>(*side->type);
    ARROW_ASSIGN_OR_RAISE(side,
                          binder.Widen(side, arrow::decimal256(type.precision(), type.scale())));
  }
  return binder.MakeArrowCall(span, ArrowName(symbol, true), std::move(sides), nullptr);
}

/// As in pylance a quotient has four digits more behind the point than its dividend, which has as
/// many as the divisor if it is a constant; the others are cut.
Result<NodePtr> DecimalQuotient(const Binder& binder, Span span, std::vector<NodePtr> sides) {
  const auto type_of = [](const NodePtr& node) -> const arrow::DecimalType& {
    return static_cast<const arrow::DecimalType&>(*node->type);
  };
  const arrow::DecimalType& dividend = type_of(sides[0]);
  const arrow::DecimalType& divisor = type_of(sides[1]);
  const bool is_constant = sides[0]->kind == NodeKind::kLiteral;
  const int scale =
      4 + (is_constant ? std::max(dividend.scale(), divisor.scale()) : dividend.scale());
  // Arrow gives one digit more than stand before the point of the divisor.
  const int wanted = divisor.scale() + scale - dividend.scale() - 1;
  const int precision = std::max(divisor.precision(), std::min(wanted, 76));
  ARROW_ASSIGN_OR_RAISE(NodePtr wide,
                        binder.Widen(sides[1], DecimalOf(precision, divisor.scale())));
  auto longer = DecimalCall(binder, span, "/", {sides[0], std::move(wide)});
  // There may be no room for as many.
  if (!longer.ok()) return DecimalCall(binder, span, "/", std::move(sides));
  NodePtr quotient = *std::move(longer);
  const arrow::DecimalType& exact = type_of(quotient);
  if (exact.scale() <= scale) return quotient;
  auto options = std::make_shared<cp::CastOptions>(
      cp::CastOptions::Safe(DecimalOf(exact.precision() - exact.scale() + scale, scale)));
  options->allow_decimal_truncate = true;
  return binder.MakeArrowCall(span, "cast", {quotient}, std::move(options));
}

Result<NodePtr> NumberArithmetic(const Binder& binder, Span span, const std::string& symbol,
                                 NodePtr left, NodePtr right) {
  for (auto [one, other] : {std::pair{&left, &right}, std::pair{&right, &left}}) {
    if (!arrow::is_decimal((*other)->type->id()) || (*other)->literal) continue;
    if (auto decimal = NaturalDecimal(*one)) {
      *one = binder.MakeLiteral((*one)->span, std::move(decimal));
    }
  }
  const bool is_decimal =
      arrow::is_decimal(left->type->id()) || arrow::is_decimal(right->type->id());
  const bool is_float =
      arrow::is_floating(left->type->id()) || arrow::is_floating(right->type->id());
  std::vector<NodePtr> sides = {left, right};
  if (is_decimal && !is_float) {
    for (NodePtr& side : sides) {
      const TypePtr type = DecimalTypeOf(*side->type);
      ARROW_ASSIGN_OR_RAISE(side, binder.Widen(side, type == nullptr ? side->type : type));
    }
    return symbol == "/" ? DecimalQuotient(binder, span, std::move(sides))
                         : DecimalCall(binder, span, symbol, std::move(sides));
  }
  ARROW_ASSIGN_OR_RAISE(sides, binder.Unify(span, sides));
  const TypePtr type = sides[0]->type;
  if (type->id() == arrow::Type::HALF_FLOAT) {
    for (NodePtr& side : sides) {
      ARROW_ASSIGN_OR_RAISE(side, binder.Widen(side, arrow::float32()));
    }
    ARROW_ASSIGN_OR_RAISE(const NodePtr single,
                          binder.MakeArrowCall(span, ArrowName(symbol, false), sides, nullptr));
    return binder.Cast(span, single, type, /*is_try=*/false);
  }
  // Floats overflow to infinity and divide by zero, as they do everywhere.
  const bool is_checked = !arrow::is_floating(type->id());
  return binder.MakeArrowCall(span, ArrowName(symbol, is_checked), sides, nullptr);
}

int64_t PerSecond(arrow::TimeUnit::type unit) {
  int64_t per = 1;
  for (int i = 0; i < unit; ++i) per *= 1000;
  return per;
}

/// A date or naive timestamp, as its number, plus an interval.
Kernel IntervalKernel(const TypePtr& type, const Interval& interval) {
  const bool is_date = type->id() == arrow::Type::DATE32;
  const int64_t per_second =
      is_date ? 1 : PerSecond(static_cast<const arrow::TimestampType&>(*type).unit());
  const int64_t per_day = is_date ? 1 : per_second * 86'400;
  const int64_t nanoseconds = is_date ? 0 : 1'000'000'000 / per_second;
  return [type, interval, per_day, nanoseconds](const std::vector<Datum>& arguments,
                                                const Evaluation& evaluation) -> Result<Datum> {
    const auto count = type->id() == arrow::Type::DATE32 ? arrow::int32() : arrow::int64();
    ARROW_ASSIGN_OR_RAISE(
        Datum numbers, cp::Cast(arguments[0], count, cp::CastOptions::Safe(), evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(
        numbers, cp::Cast(numbers, arrow::int64(), cp::CastOptions::Safe(), evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(numbers, evaluation.context->pool));
    const Values<int64_t> values(std::move(operand));
    arrow::Int64Builder builder(evaluation.context->pool);
    for (int64_t i = 0; i < values.array().length(); ++i) {
      if (values.IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const int64_t moved,
                            AddInterval(values[i], interval, per_day, nanoseconds));
      ARROW_RETURN_NOT_OK(builder.Append(moved));
    }
    ARROW_ASSIGN_OR_RAISE(const auto sums, builder.Finish());
    ARROW_ASSIGN_OR_RAISE(
        Datum result, cp::Cast(Datum(sums), count, cp::CastOptions::Safe(), evaluation.compute));
    ARROW_ASSIGN_OR_RAISE(result,
                          cp::Cast(result, type, cp::CastOptions::Safe(), evaluation.compute));
    return ToResult(result.make_array(), values.is_scalar());
  };
}

/// A date so many days later or earlier.
Result<NodePtr> AddDays(const Binder& binder, Span span, const NodePtr& date, const NodePtr& days,
                        bool is_minus) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr day, binder.Cast(span, date, arrow::date32(), false));
  ARROW_ASSIGN_OR_RAISE(const NodePtr start, binder.Cast(span, day, arrow::int64(), false));
  ARROW_ASSIGN_OR_RAISE(const NodePtr count, AsInteger(binder, days));
  ARROW_ASSIGN_OR_RAISE(const NodePtr end,
                        binder.MakeArrowCall(span, is_minus ? "subtract_checked" : "add_checked",
                                             {start, count}, nullptr));
  ARROW_ASSIGN_OR_RAISE(const NodePtr moved, binder.Cast(span, end, arrow::date32(), false));
  return binder.Cast(span, moved, date->type, false);
}

bool IsMoment(const arrow::DataType& type) {
  return arrow::is_date(type.id()) || type.id() == arrow::Type::TIMESTAMP;
}

/// What an interval is added to: days as such, unless the interval has hours.
Result<NodePtr> MomentOf(const Binder& binder, const NodePtr& node, const Interval& interval) {
  const TypePtr& type = node->type;
  if (arrow::is_date(type->id())) {
    if (interval.nanoseconds == 0 && type->id() == arrow::Type::DATE32) return node;
    return binder.Cast(node->span, node, arrow::timestamp(arrow::TimeUnit::MICRO), false);
  }
  return node;
}

Result<NodePtr> AddIntervalTo(const Binder& binder, Span span, const NodePtr& moment,
                              const NodePtr& interval, bool is_minus) {
  if (interval->kind != NodeKind::kLiteral) {
    return binder.Error(interval->span, "only intervals that are constants can be added");
  }
  Interval parts = static_cast<const arrow::MonthDayNanoIntervalScalar&>(*interval->value).value;
  if (is_minus) parts = {-parts.months, -parts.days, -parts.nanoseconds};
  ARROW_ASSIGN_OR_RAISE(NodePtr left, MomentOf(binder, moment, parts));
  const TypePtr type = left->type;
  if (type->id() == arrow::Type::TIMESTAMP) {
    const auto& timestamp = static_cast<const arrow::TimestampType&>(*type);
    const int64_t nanoseconds = 1'000'000'000 / PerSecond(timestamp.unit());
    if (parts.nanoseconds % nanoseconds != 0) {
      return binder.Error(interval->span, "the interval is finer than " + NameOfType(*type));
    }
    if (!timestamp.timezone().empty() && (parts.months != 0 || parts.days != 0)) {
      // Days and months are those of the zone's calendar.
      const TypePtr naive = arrow::timestamp(timestamp.unit());
      ARROW_ASSIGN_OR_RAISE(left, binder.MakeArrowCall(span, "local_timestamp", {left}, nullptr));
      ARROW_ASSIGN_OR_RAISE(left,
                            binder.MakeCall(span, naive, {left}, IntervalKernel(naive, parts)));
      return binder.MakeArrowCall(
          span, "assume_timezone", {left},
          std::make_shared<cp::AssumeTimezoneOptions>(timestamp.timezone()));
    }
  }
  return binder.MakeCall(span, type, {left}, IntervalKernel(type, parts));
}

Result<NodePtr> MomentArithmetic(const Binder& binder, Span span, const std::string& symbol,
                                 NodePtr left, NodePtr right) {
  const bool is_plus = symbol == "+";
  if (!is_plus && symbol != "-") return NoArithmetic(binder, span, symbol, left, right);
  if (is_plus && left->type->id() == arrow::Type::INTERVAL_MONTH_DAY_NANO) std::swap(left, right);
  if (IsMoment(*left->type) && right->type->id() == arrow::Type::INTERVAL_MONTH_DAY_NANO) {
    return AddIntervalTo(binder, span, left, right, !is_plus);
  }
  const bool left_date = arrow::is_date(left->type->id());
  const bool right_date = arrow::is_date(right->type->id());
  if (!is_plus && left_date && right_date) {
    ARROW_ASSIGN_OR_RAISE(const NodePtr first, binder.Cast(span, left, arrow::date32(), false));
    ARROW_ASSIGN_OR_RAISE(const NodePtr second, binder.Cast(span, right, arrow::date32(), false));
    ARROW_ASSIGN_OR_RAISE(const NodePtr a, binder.Cast(span, first, arrow::int64(), false));
    ARROW_ASSIGN_OR_RAISE(const NodePtr b, binder.Cast(span, second, arrow::int64(), false));
    return binder.MakeArrowCall(span, "subtract_checked", {a, b}, nullptr);
  }
  if (!is_plus && IsMoment(*left->type) && IsMoment(*right->type)) {
    ARROW_ASSIGN_OR_RAISE(auto sides, binder.Unify(span, {left, right}));
    return binder.MakeArrowCall(span, "subtract_checked", std::move(sides), nullptr);
  }
  const bool has_duration =
      left->type->id() == arrow::Type::DURATION || right->type->id() == arrow::Type::DURATION;
  if (!has_duration || left_date || right_date) {
    return NoArithmetic(binder, span, symbol, left, right);
  }
  return binder.MakeArrowCall(span, ArrowName(symbol, true), {left, right}, nullptr);
}

Result<NodePtr> Concatenate(const Binder& binder, Span span, NodePtr left, NodePtr right) {
  if (!IsText(*left->type) && !IsText(*right->type)) {
    return NoArithmetic(binder, span, "||", left, right);
  }
  for (NodePtr* side : {&left, &right}) {
    if (IsText(*(*side)->type)) continue;
    ARROW_ASSIGN_OR_RAISE(*side, binder.Cast((*side)->span, *side, arrow::utf8(), false));
  }
  return MakeTextCall(binder, span, {std::move(left), std::move(right)},
                      [](const Rows& rows, int64_t row, std::string* out) {
                        out->append(rows.Text(0, row)).append(rows.Text(1, row));
                        return Status::OK();
                      });
}

}  // namespace

Result<NodePtr> Binder::Arithmetic(Span span, const std::string& symbol, NodePtr left,
                                   NodePtr right) const {
  if (symbol == "||") return Concatenate(*this, span, std::move(left), std::move(right));
  for (auto [one, other] : {std::pair{&left, &right}, std::pair{&right, &left}}) {
    if ((*one)->type->id() == arrow::Type::NA) {
      ARROW_ASSIGN_OR_RAISE(*one, Widen(*one, (*other)->type));
    }
    // A text stands for a value of the other side's type, as in a comparison.
    const bool is_text = (*one)->literal && (*one)->literal->kind == SyntaxKind::kText;
    if (is_text && (IsNumber(*(*other)->type) || IsMoment(*(*other)->type))) {
      ARROW_ASSIGN_OR_RAISE(*one, Widen(*one, (*other)->type));
    }
  }
  if (left->type->id() == arrow::Type::NA) return left;
  const bool is_shift = symbol == "<<" || symbol == ">>";
  if (is_shift && (!arrow::is_integer(left->type->id()) || !arrow::is_integer(right->type->id()))) {
    return NoArithmetic(*this, span, symbol, left, right);
  }
  if (IsNumber(*left->type) && IsNumber(*right->type)) {
    return NumberArithmetic(*this, span, symbol, std::move(left), std::move(right));
  }
  const bool is_sum = symbol == "+" || symbol == "-";
  if (is_sum && arrow::is_date(left->type->id()) && arrow::is_integer(right->type->id())) {
    return AddDays(*this, span, left, right, symbol == "-");
  }
  if (symbol == "+" && arrow::is_integer(left->type->id()) && arrow::is_date(right->type->id())) {
    return AddDays(*this, span, right, left, /*is_minus=*/false);
  }
  if (IsTemporal(*left->type) && IsTemporal(*right->type)) {
    return MomentArithmetic(*this, span, symbol, std::move(left), std::move(right));
  }
  if (left->type->id() == arrow::Type::INTERVAL_MONTH_DAY_NANO ||
      right->type->id() == arrow::Type::INTERVAL_MONTH_DAY_NANO) {
    return MomentArithmetic(*this, span, symbol, std::move(left), std::move(right));
  }
  return NoArithmetic(*this, span, symbol, left, right);
}

}  // namespace tusk::expr
