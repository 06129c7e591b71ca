#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

namespace cp = arrow::compute;
using arrow::Datum;

Result<NodePtr> AsNumber(const Binder& binder, const NodePtr& node) {
  if (IsNumber(*node->type)) return node;
  if (node->type->id() == arrow::Type::NA) return binder.Widen(node, arrow::float64());
  return binder.Error(node->span,
                      "a number is expected here, but this is a " + NameOfType(*node->type));
}

/// The nearest double, as functions that give doubles take their arguments.
Result<NodePtr> AsDouble(const Binder& binder, const NodePtr& node) {
  ARROW_ASSIGN_OR_RAISE(NodePtr number, AsNumber(binder, node));
  if (number->type->id() == arrow::Type::DOUBLE) return number;
  if (number->literal) return binder.Widen(number, arrow::float64());
  return binder.MakeArrowCall(
      node->span, "cast", {number},
      std::make_shared<cp::CastOptions>(cp::CastOptions::Unsafe(arrow::float64())));
}

/// A function of one double, or two.
using OfReal = double (*)(double);
using OfReals = double (*)(double, double);

Result<NodePtr> MakeReal(const Binder& binder, const Call& call, OfReal function) {
  ARROW_ASSIGN_OR_RAISE(NodePtr argument, AsDouble(binder, call.arguments[0]));
  Kernel kernel = [function](const std::vector<Datum>& arguments,
                             const Evaluation& evaluation) -> Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(Operand operand, Operand::Make(arguments[0], evaluation.context->pool));
    const Values<double> values(std::move(operand));
    arrow::DoubleBuilder builder(evaluation.context->pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(values.array().length()));
    for (int64_t i = 0; i < values.array().length(); ++i) {
      values.IsNull(i) ? builder.UnsafeAppendNull() : builder.UnsafeAppend(function(values[i]));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, values.is_scalar());
  };
  return binder.MakeCall(call.span, arrow::float64(), {std::move(argument)}, std::move(kernel));
}

Result<NodePtr> MakeReal(const Binder& binder, const Call& call, OfReals function) {
  ARROW_ASSIGN_OR_RAISE(NodePtr first, AsDouble(binder, call.arguments[0]));
  ARROW_ASSIGN_OR_RAISE(NodePtr second, AsDouble(binder, call.arguments[1]));
  Kernel kernel = [function](const std::vector<Datum>& arguments,
                             const Evaluation& evaluation) -> Result<Datum> {
    arrow::MemoryPool* pool = evaluation.context->pool;
    ARROW_ASSIGN_OR_RAISE(Operand a, Operand::Make(arguments[0], pool));
    ARROW_ASSIGN_OR_RAISE(Operand b, Operand::Make(arguments[1], pool));
    const Values<double> left(std::move(a));
    const Values<double> right(std::move(b));
    const int64_t rows = RowsOf(arguments, evaluation.length());
    arrow::DoubleBuilder builder(pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(rows));
    for (int64_t i = 0; i < rows; ++i) {
      left.IsNull(i) || right.IsNull(i) ? builder.UnsafeAppendNull()
                                        : builder.UnsafeAppend(function(left[i], right[i]));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return ToResult(array, left.is_scalar() && right.is_scalar());
  };
  return binder.MakeCall(call.span, arrow::float64(), {std::move(first), std::move(second)},
                         std::move(kernel));
}

template <auto Function>
Result<NodePtr> BindReal(const Binder& binder, const Call& call) {
  return MakeReal(binder, call, static_cast<OfReal>(Function));
}
template <auto Function>
Result<NodePtr> BindReals(const Binder& binder, const Call& call) {
  return MakeReal(binder, call, static_cast<OfReals>(Function));
}

double Sqrt(double x) { return std::sqrt(x); }
/// The C library is a digit off where it has no more room than a double.
double Cbrt(double x) { return static_cast<double>(std::cbrt(static_cast<long double>(x))); }
double Exp(double x) { return std::exp(x); }
double Ln(double x) { return std::log(x); }
double Log2(double x) { return std::log2(x); }
double Log10(double x) { return std::log10(x); }
double Sin(double x) { return std::sin(x); }
double Cos(double x) { return std::cos(x); }
double Tan(double x) { return std::tan(x); }
double Cot(double x) { return 1 / std::tan(x); }
double Asin(double x) { return std::asin(x); }
double Acos(double x) { return std::acos(x); }
double Atan(double x) { return std::atan(x); }
double Sinh(double x) { return std::sinh(x); }
double Cosh(double x) { return std::cosh(x); }
double Tanh(double x) { return std::tanh(x); }
double Asinh(double x) { return std::asinh(x); }
double Acosh(double x) { return std::acosh(x); }
double Atanh(double x) { return std::atanh(x); }
double Radians(double x) { return x * (M_PI / 180); }
double Degrees(double x) { return x * (180 / M_PI); }
double Signum(double x) {
  if (std::isnan(x)) return x;
  return x > 0 ? 1 : (x < 0 ? -1 : 0);
}
double Pow(double x, double y) { return std::pow(x, y); }
double Atan2(double y, double x) { return std::atan2(y, x); }
double Nanvl(double x, double y) { return std::isnan(x) ? y : x; }
double CutTo(double x, double digits) {
  if (x == 0 && digits == 0) return 0;
  const double factor = std::pow(10, digits);
  return std::trunc(x * factor) / factor;
}
double RoundTo(double x, double digits) {
  const double factor = std::pow(10, digits);
  return std::round(x * factor) / factor;
}
double LogOfBase(double base, double x) { return std::log(x) / std::log(base); }

Result<NodePtr> BindLog(const Binder& binder, const Call& call) {
  if (call.arguments.size() == 1) return MakeReal(binder, call, static_cast<OfReal>(Log10));
  return MakeReal(binder, call, static_cast<OfReals>(LogOfBase));
}

Result<NodePtr> BindPi(const Binder& binder, const Call& call) {
  return binder.MakeLiteral(call.span, std::make_shared<arrow::DoubleScalar>(M_PI));
}

Result<NodePtr> BindAbs(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(NodePtr number, AsNumber(binder, call.arguments[0]));
  const bool is_checked = arrow::is_signed_integer(number->type->id());
  if (number->type->id() == arrow::Type::HALF_FLOAT) {
    ARROW_ASSIGN_OR_RAISE(number, binder.Widen(number, arrow::float32()));
    ARROW_ASSIGN_OR_RAISE(number, binder.MakeArrowCall(call.span, "abs", {number}, nullptr));
    return binder.Cast(call.span, number, arrow::float16(), /*is_try=*/false);
  }
  return binder.MakeArrowCall(call.span, is_checked ? "abs_checked" : "abs", {number}, nullptr);
}

/// `function` of floats and decimals; whole numbers stay as they are.
Result<NodePtr> RoundBy(const Binder& binder, const Call& call, const std::string& function) {
  ARROW_ASSIGN_OR_RAISE(NodePtr number, AsNumber(binder, call.arguments[0]));
  if (arrow::is_integer(number->type->id())) return number;
  if (number->type->id() == arrow::Type::HALF_FLOAT) {
    ARROW_ASSIGN_OR_RAISE(number, binder.Widen(number, arrow::float32()));
  }
  return binder.MakeArrowCall(call.span, function, {number}, nullptr);
}
Result<NodePtr> BindFloor(const Binder& binder, const Call& call) {
  return RoundBy(binder, call, "floor");
}
Result<NodePtr> BindCeil(const Binder& binder, const Call& call) {
  return RoundBy(binder, call, "ceil");
}
/// Floats of 32 bits stay so, all else becomes double; the second argument says so many digits.
Result<NodePtr> CutOrRound(const Binder& binder, const Call& call, OfReals function) {
  ARROW_ASSIGN_OR_RAISE(NodePtr number, AsNumber(binder, call.arguments[0]));
  Call both = call;
  if (both.arguments.size() == 1) {
    both.arguments.push_back(
        binder.MakeLiteral(call.span, std::make_shared<arrow::DoubleScalar>(0.0)));
  } else {
    ARROW_ASSIGN_OR_RAISE(both.arguments[1], AsInteger(binder, call.arguments[1]));
  }
  ARROW_ASSIGN_OR_RAISE(NodePtr result, MakeReal(binder, both, function));
  if (number->type->id() != arrow::Type::FLOAT) return result;
  return binder.Cast(call.span, result, arrow::float32(), /*is_try=*/false);
}
Result<NodePtr> BindTrunc(const Binder& binder, const Call& call) {
  return CutOrRound(binder, call, CutTo);
}

/// Half away from zero. Decimals stay decimals, all else becomes double.
Result<NodePtr> BindRound(const Binder& binder, const Call& call) {
  int64_t digits = 0;
  if (call.arguments.size() == 2) {
    ARROW_ASSIGN_OR_RAISE(const NodePtr count, AsInteger(binder, call.arguments[1]));
    if (count->kind != NodeKind::kLiteral || !count->value->is_valid) {
      if (!arrow::is_decimal(call.arguments[0]->type->id())) {
        return CutOrRound(binder, call, RoundTo);
      }
      return binder.Error(count->span, "the digits to round a decimal to must be a constant");
    }
    digits = static_cast<const arrow::Int64Scalar&>(*count->value).value;
  }
  ARROW_ASSIGN_OR_RAISE(NodePtr number, AsNumber(binder, call.arguments[0]));
  if (arrow::is_decimal(number->type->id())) {
    const auto& type = static_cast<const arrow::DecimalType&>(*number->type);
    if (digits >= type.scale()) return number;
    const int scale = static_cast<int>(std::max<int64_t>(digits, 0));
    if (digits >= 0) {
      return binder.Cast(call.span, number, DecimalOf(type.precision(), scale), false);
    }
    // Where no digit behind the point goes, rounding up needs one more before it.
    const int precision = std::min(76, type.precision() + (type.scale() == 0 ? 1 : 0));
    ARROW_ASSIGN_OR_RAISE(
        number, binder.Cast(call.span, number,
                            DecimalOf(std::min(76, type.precision() + 1), type.scale()), false));
    ARROW_ASSIGN_OR_RAISE(number,
                          binder.MakeArrowCall(call.span, "round", {number},
                                               std::make_shared<cp::RoundOptions>(
                                                   digits, cp::RoundMode::HALF_TOWARDS_INFINITY)));
    return binder.Cast(call.span, number, DecimalOf(precision, 0), false);
  } else if (number->type->id() != arrow::Type::FLOAT) {
    ARROW_ASSIGN_OR_RAISE(number, AsDouble(binder, number));
  }
  return binder.MakeArrowCall(
      call.span, "round", {number},
      std::make_shared<cp::RoundOptions>(digits, cp::RoundMode::HALF_TOWARDS_INFINITY));
}

Result<NodePtr> TestReal(const Binder& binder, const Call& call, const std::string& function) {
  ARROW_ASSIGN_OR_RAISE(NodePtr number, AsNumber(binder, call.arguments[0]));
  if (number->type->id() == arrow::Type::HALF_FLOAT) {
    ARROW_ASSIGN_OR_RAISE(number, binder.Widen(number, arrow::float32()));
  }
  return binder.MakeArrowCall(call.span, function, {number}, nullptr);
}
Result<NodePtr> BindIsNan(const Binder& binder, const Call& call) {
  return TestReal(binder, call, "is_nan");
}

Result<NodePtr> BindIsZero(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr number, AsDouble(binder, call.arguments[0]));
  const NodePtr zero = binder.MakeLiteral(call.span, std::make_shared<arrow::DoubleScalar>(0.0));
  return binder.Compare(call.span, Comparison::kEqual, number, zero);
}

Result<std::vector<NodePtr>> Integers(const Binder& binder, const Call& call) {
  std::vector<NodePtr> integers;
  for (const NodePtr& argument : call.arguments) {
    ARROW_ASSIGN_OR_RAISE(NodePtr integer, AsInteger(binder, argument));
    integers.push_back(std::move(integer));
  }
  return integers;
}

uint64_t Magnitude(int64_t value) {
  return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

Result<int64_t> Signed(uint64_t value) {
  if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return InvalidArgument("overflow: the result is above 2^63 - 1");
  }
  return static_cast<int64_t>(value);
}

Result<NodePtr> BindGcd(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto integers, Integers(binder, call));
  return MakeIntegerCall(
      binder, call.span, std::move(integers),
      [](const Rows& rows, int64_t row) {
        return Signed(std::gcd(Magnitude(rows.Integer(0, row)), Magnitude(rows.Integer(1, row))));
      },
      arrow::int64());
}

Result<NodePtr> BindLcm(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto integers, Integers(binder, call));
  return MakeIntegerCall(
      binder, call.span, std::move(integers),
      [](const Rows& rows, int64_t row) -> Result<int64_t> {
        const uint64_t a = Magnitude(rows.Integer(0, row));
        const uint64_t b = Magnitude(rows.Integer(1, row));
        if (a == 0 || b == 0) return 0;
        uint64_t product = 0;
        if (__builtin_mul_overflow(a / std::gcd(a, b), b, &product)) {
          return InvalidArgument("overflow: the result is above 2^63 - 1");
        }
        return Signed(product);
      },
      arrow::int64());
}

Result<NodePtr> BindFactorial(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto integers, Integers(binder, call));
  return MakeIntegerCall(
      binder, call.span, std::move(integers),
      [](const Rows& rows, int64_t row) -> Result<int64_t> {
        const int64_t n = rows.Integer(0, row);
        if (n < 0) return InvalidArgument("there is no factorial of ", n);
        if (n > 20) return InvalidArgument("overflow: the factorial of ", n, " is above 2^63 - 1");
        int64_t product = 1;
        for (int64_t i = 2; i <= n; ++i) product *= i;
        return product;
      },
      arrow::int64());
}

constexpr std::array kFunctions = {
    FunctionEntry{"abs", 1, 1, BindAbs},
    FunctionEntry{"signum", 1, 1, BindReal<Signum>},
    FunctionEntry{"round", 1, 2, BindRound},
    FunctionEntry{"trunc", 1, 2, BindTrunc},
    FunctionEntry{"floor", 1, 1, BindFloor},
    FunctionEntry{"ceil", 1, 1, BindCeil},
    FunctionEntry{"sqrt", 1, 1, BindReal<Sqrt>},
    FunctionEntry{"cbrt", 1, 1, BindReal<Cbrt>},
    FunctionEntry{"exp", 1, 1, BindReal<Exp>},
    FunctionEntry{"ln", 1, 1, BindReal<Ln>},
    FunctionEntry{"log", 1, 2, BindLog},
    FunctionEntry{"log2", 1, 1, BindReal<Log2>},
    FunctionEntry{"log10", 1, 1, BindReal<Log10>},
    FunctionEntry{"pow", 2, 2, BindReals<Pow>},
    FunctionEntry{"power", 2, 2, BindReals<Pow>},
    FunctionEntry{"sin", 1, 1, BindReal<Sin>},
    FunctionEntry{"cos", 1, 1, BindReal<Cos>},
    FunctionEntry{"tan", 1, 1, BindReal<Tan>},
    FunctionEntry{"cot", 1, 1, BindReal<Cot>},
    FunctionEntry{"asin", 1, 1, BindReal<Asin>},
    FunctionEntry{"acos", 1, 1, BindReal<Acos>},
    FunctionEntry{"atan", 1, 1, BindReal<Atan>},
    FunctionEntry{"atan2", 2, 2, BindReals<Atan2>},
    FunctionEntry{"sinh", 1, 1, BindReal<Sinh>},
    FunctionEntry{"cosh", 1, 1, BindReal<Cosh>},
    FunctionEntry{"tanh", 1, 1, BindReal<Tanh>},
    FunctionEntry{"asinh", 1, 1, BindReal<Asinh>},
    FunctionEntry{"acosh", 1, 1, BindReal<Acosh>},
    FunctionEntry{"atanh", 1, 1, BindReal<Atanh>},
    FunctionEntry{"radians", 1, 1, BindReal<Radians>},
    FunctionEntry{"degrees", 1, 1, BindReal<Degrees>},
    FunctionEntry{"pi", 0, 0, BindPi},
    FunctionEntry{"isnan", 1, 1, BindIsNan},
    FunctionEntry{"iszero", 1, 1, BindIsZero},
    FunctionEntry{"nanvl", 2, 2, BindReals<Nanvl>},
    FunctionEntry{"gcd", 2, 2, BindGcd},
    FunctionEntry{"lcm", 2, 2, BindLcm},
    FunctionEntry{"factorial", 1, 1, BindFactorial},
};

}  // namespace

std::span<const FunctionEntry> MathFunctions() { return kFunctions; }

}  // namespace tusk::expr
