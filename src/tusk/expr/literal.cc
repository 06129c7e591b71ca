#include "tusk/expr/literal.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include "tusk/expr/interval.h"
#include "tusk/expr/number_text.h"
#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

using ScalarPtr = std::shared_ptr<arrow::Scalar>;

constexpr int64_t kNanoseconds = 1'000'000'000;
constexpr int64_t kSecondsOfDay = 86'400;

Status WrongKind(const Literal& literal, const arrow::DataType& type) {
  std::string message = ToString(literal) + " is no value of type " + NameOfType(type);
  if (literal.is_quoted) {
    message += " (double quotes make a text; the name of a column stands in backticks)";
  } else if (literal.kind == SyntaxKind::kText && arrow::is_binary_like(type.id())) {
    message += " (bytes are written as X'00ff')";
  }
  return InvalidArgument(message);
}

Status OutOfRange(const Literal& literal, const arrow::DataType& type) {
  return InvalidArgument(ToString(literal), " is out of the range of ", NameOfType(type));
}

int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      break;
  }
  return kNanoseconds;
}

template <typename Real>
Result<FittedLiteral> FitReal(const Literal& literal, std::string_view text,
                              const arrow::DataType& type) {
  Real value = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    // Too small is nearest to zero, too great is nearest to nothing.
    const auto number = NumberText::Parse(text);
    const bool is_small = number && number->exponent < 0 &&
                          -number->exponent > static_cast<int64_t>(number->digits.size());
    if (!is_small) return OutOfRange(literal, type);
    value = 0;
  } else if (error != std::errc() || end != text.data() + text.size()) {
    return WrongKind(literal, type);
  }
  if constexpr (std::is_same_v<Real, float>) {
    if (type.id() == arrow::Type::HALF_FLOAT) {
      const auto half = arrow::util::Float16::FromFloat(value);
      if (std::isfinite(value) && half.is_infinity()) return OutOfRange(literal, type);
      return FittedLiteral{.scalar = std::make_shared<arrow::HalfFloatScalar>(half.bits())};
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto scalar, arrow::MakeScalar(type.GetSharedPtr(), value));
  return FittedLiteral{.scalar = std::move(scalar)};
}

Result<FittedLiteral> FitNumber(const Literal& literal, const arrow::DataType& type) {
  if (type.id() == arrow::Type::DOUBLE) return FitReal<double>(literal, literal.text, type);
  if (type.id() == arrow::Type::FLOAT || type.id() == arrow::Type::HALF_FLOAT) {
    return FitReal<float>(literal, literal.text, type);
  }
  const auto number = NumberText::Parse(literal.text);
  if (!number) return WrongKind(literal, type);
  const bool is_decimal = arrow::is_decimal(type.id());
  const int scale = is_decimal ? static_cast<const arrow::DecimalType&>(type).scale() : 0;
  FittedLiteral fitted;
  const auto digits = number->ScaledFloor(scale, &fitted.is_exact);
  if (digits) fitted.scalar = ScalarOfDigits(*digits, type);
  if (fitted.scalar == nullptr) return OutOfRange(literal, type);
  return fitted;
}

/// `moment` in units of which `per_second` make a second, or `seconds_per` seconds make one.
Result<FittedLiteral> FitMoment(const Literal& literal, const ParsedMoment& moment,
                                int64_t per_second, int64_t seconds_per,
                                const arrow::DataType& type) {
  FittedLiteral fitted;
  int64_t value = 0;
  if (seconds_per > 1) {
    value = moment.seconds / seconds_per;
    const int64_t rest = moment.seconds % seconds_per;
    if (rest < 0) --value;
    fitted.is_exact = rest == 0 && moment.nanoseconds == 0;
  } else {
    const int64_t nanoseconds_per = kNanoseconds / per_second;
    if (__builtin_mul_overflow(moment.seconds, per_second, &value) ||
        __builtin_add_overflow(value, moment.nanoseconds / nanoseconds_per, &value)) {
      return OutOfRange(literal, type);
    }
    fitted.is_exact = moment.nanoseconds % nanoseconds_per == 0;
  }
  ARROW_ASSIGN_OR_RAISE(fitted.scalar,
                        type.id() == arrow::Type::DATE32
                            ? arrow::MakeScalar(type.GetSharedPtr(), static_cast<int32_t>(value))
                            : arrow::MakeScalar(type.GetSharedPtr(), value));
  return fitted;
}

Result<ParsedMoment> MomentOf(const Literal& literal, const arrow::DataType& type) {
  const auto moment = ParseMoment(literal.text);
  if (!moment) {
    return InvalidArgument(ToString(literal), " is not a ",
                           literal.kind == SyntaxKind::kDate ? "date" : "moment",
                           " such as 2021-12-31",
                           literal.kind == SyntaxKind::kDate ? "" : " or 2021-12-31 23:59:59.5");
  }
  if (literal.kind == SyntaxKind::kDate && moment->has_time) {
    return InvalidArgument(ToString(literal), " has a time: that is a timestamp");
  }
  if (literal.kind == SyntaxKind::kTimestamp && moment->fraction_digits > literal.precision) {
    return InvalidArgument(ToString(literal), " has more than ", literal.precision,
                           " digits after the seconds: timestamp(9) has nine");
  }
  if (moment->has_offset && arrow::is_date(type.id())) {
    return InvalidArgument(ToString(literal), " has an offset from UTC, which a date has not");
  }
  return *moment;
}

Result<FittedLiteral> FitTemporal(const Literal& literal, const arrow::DataType& type) {
  if (arrow::is_time(type.id())) {
    if (literal.kind == SyntaxKind::kDate || literal.kind == SyntaxKind::kTimestamp) {
      return WrongKind(literal, type);
    }
    const auto nanoseconds = ParseTimeOfDay(literal.text);
    if (!nanoseconds) {
      return InvalidArgument(ToString(literal), " is not a time such as 23:59:59.5");
    }
    const auto unit = static_cast<const arrow::TimeType&>(type).unit();
    const int64_t per = kNanoseconds / UnitsPerSecond(unit);
    FittedLiteral fitted{.is_exact = *nanoseconds % per == 0};
    if (type.id() == arrow::Type::TIME32) {
      ARROW_ASSIGN_OR_RAISE(
          fitted.scalar,
          arrow::MakeScalar(type.GetSharedPtr(), static_cast<int32_t>(*nanoseconds / per)));
    } else {
      ARROW_ASSIGN_OR_RAISE(fitted.scalar,
                            arrow::MakeScalar(type.GetSharedPtr(), *nanoseconds / per));
    }
    return fitted;
  }
  if (literal.kind == SyntaxKind::kTime) return WrongKind(literal, type);
  ARROW_ASSIGN_OR_RAISE(const ParsedMoment moment, MomentOf(literal, type));
  if (type.id() == arrow::Type::DATE32) {
    return FitMoment(literal, moment, 1, kSecondsOfDay, type);
  }
  if (type.id() == arrow::Type::DATE64) return FitMoment(literal, moment, 1'000, 1, type);
  const auto unit = static_cast<const arrow::TimestampType&>(type).unit();
  return FitMoment(literal, moment, UnitsPerSecond(unit), 1, type);
}

Result<FittedLiteral> FitBytes(const Literal& literal, const arrow::DataType& type) {
  auto buffer = arrow::Buffer::FromString(literal.text);
  switch (type.id()) {
    case arrow::Type::BINARY:
      return FittedLiteral{.scalar = std::make_shared<arrow::BinaryScalar>(std::move(buffer))};
    case arrow::Type::LARGE_BINARY:
      return FittedLiteral{.scalar = std::make_shared<arrow::LargeBinaryScalar>(std::move(buffer))};
    case arrow::Type::FIXED_SIZE_BINARY: {
      const int width = static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width();
      if (buffer->size() != width) {
        return InvalidArgument(ToString(literal), " has ", buffer->size(), " bytes, but values of ",
                               type.ToString(), " have ", width);
      }
      return FittedLiteral{.scalar = std::make_shared<arrow::FixedSizeBinaryScalar>(
                               std::move(buffer), type.GetSharedPtr())};
    }
    default:
      return WrongKind(literal, type);
  }
}

Result<FittedLiteral> FitText(const Literal& literal, const arrow::DataType& type) {
  if (type.id() == arrow::Type::STRING) {
    return FittedLiteral{.scalar = std::make_shared<arrow::StringScalar>(literal.text)};
  }
  if (type.id() == arrow::Type::LARGE_STRING) {
    return FittedLiteral{.scalar = std::make_shared<arrow::LargeStringScalar>(literal.text)};
  }
  if (arrow::is_numeric(type.id()) || arrow::is_decimal(type.id())) {
    return FitNumber(literal, type);
  }
  if (arrow::is_temporal(type.id()) && type.id() != arrow::Type::DURATION) {
    return FitTemporal(literal, type);
  }
  return WrongKind(literal, type);
}

Result<FittedLiteral> FitInterval(const Literal& literal, const arrow::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(const auto parts, ParseInterval(literal.text));
  if (type.id() == arrow::Type::INTERVAL_MONTH_DAY_NANO) {
    return FittedLiteral{.scalar = std::make_shared<arrow::MonthDayNanoIntervalScalar>(parts)};
  }
  if (type.id() != arrow::Type::DURATION) return WrongKind(literal, type);
  if (parts.months != 0) {
    return InvalidArgument(ToString(literal), " has months, which have no fixed length");
  }
  const auto unit = static_cast<const arrow::DurationType&>(type).unit();
  const int64_t per_second = UnitsPerSecond(unit);
  const int64_t per = kNanoseconds / per_second;
  FittedLiteral fitted;
  int64_t value = parts.nanoseconds / per;
  const int64_t rest = parts.nanoseconds % per;
  if (rest < 0) --value;
  fitted.is_exact = rest == 0;
  int64_t days = 0;
  if (__builtin_mul_overflow(int64_t{parts.days} * kSecondsOfDay, per_second, &days) ||
      __builtin_add_overflow(value, days, &value)) {
    return OutOfRange(literal, type);
  }
  fitted.scalar = std::make_shared<arrow::DurationScalar>(value, type.GetSharedPtr());
  return fitted;
}

/// A whole number that no 64 bits hold.
Result<ScalarPtr> WideInteger(const Literal& literal, const NumberText& number) {
  bool is_exact = true;
  const auto digits = number.ScaledFloor(0, &is_exact);
  ScalarPtr scalar;
  if (digits) scalar = ScalarOfDigits(*digits, *arrow::decimal128(38, 0));
  if (scalar == nullptr) {
    return InvalidArgument(ToString(literal), " has more than 38 digits");
  }
  return scalar;
}

}  // namespace

bool IsLiteral(SyntaxKind kind) { return kind <= SyntaxKind::kInterval; }

Literal LiteralOf(const Syntax& syntax) {
  return {.kind = syntax.kind,
          .text = syntax.text,
          .type = syntax.type,
          .precision = syntax.precision,
          .is_quoted = syntax.is_quoted};
}

std::string ToString(const Literal& literal) {
  const std::string quoted = "'" + Excerpt(literal.text, {0, literal.text.size()}) + "'";
  switch (literal.kind) {
    case SyntaxKind::kNull:
      return "NULL";
    case SyntaxKind::kTrue:
      return "true";
    case SyntaxKind::kFalse:
      return "false";
    case SyntaxKind::kNumber:
      return Excerpt(literal.text, {0, literal.text.size()});
    case SyntaxKind::kBytes:
      return "X'...' of " + std::to_string(literal.text.size()) + " bytes";
    case SyntaxKind::kDate:
      return "date " + quoted;
    case SyntaxKind::kTime:
      return "time " + quoted;
    case SyntaxKind::kTimestamp:
      return "timestamp(" + std::to_string(literal.precision) + ") " + quoted;
    case SyntaxKind::kDecimal:
      return NameOfType(*literal.type) + " " + quoted;
    case SyntaxKind::kInterval:
      return "interval " + quoted;
    default:
      return literal.is_quoted ? "\"" + quoted.substr(1, quoted.size() - 2) + "\"" : quoted;
  }
}

Result<FittedLiteral> FitLiteral(const Literal& literal, const arrow::DataType& type) {
  switch (literal.kind) {
    case SyntaxKind::kNull:
      return FittedLiteral{.scalar = arrow::MakeNullScalar(type.GetSharedPtr())};
    case SyntaxKind::kTrue:
    case SyntaxKind::kFalse:
      if (type.id() != arrow::Type::BOOL) return WrongKind(literal, type);
      return FittedLiteral{
          .scalar = std::make_shared<arrow::BooleanScalar>(literal.kind == SyntaxKind::kTrue)};
    case SyntaxKind::kNumber:
      if (!arrow::is_numeric(type.id()) && !arrow::is_decimal(type.id())) {
        return WrongKind(literal, type);
      }
      return FitNumber(literal, type);
    case SyntaxKind::kDecimal:
      if (!arrow::is_numeric(type.id()) && !arrow::is_decimal(type.id())) {
        return WrongKind(literal, type);
      }
      // What it says of itself must hold before it becomes anything else.
      ARROW_RETURN_NOT_OK(DefaultValue(literal));
      return FitNumber(literal, type);
    case SyntaxKind::kText:
      return FitText(literal, type);
    case SyntaxKind::kBytes:
      return FitBytes(literal, type);
    case SyntaxKind::kDate:
    case SyntaxKind::kTime:
    case SyntaxKind::kTimestamp:
      if (!arrow::is_date(type.id()) && !arrow::is_time(type.id()) &&
          type.id() != arrow::Type::TIMESTAMP) {
        return WrongKind(literal, type);
      }
      return FitTemporal(literal, type);
    case SyntaxKind::kInterval:
      return FitInterval(literal, type);
    default:
      return WrongKind(literal, type);
  }
}

Result<ScalarPtr> DefaultValue(const Literal& literal) {
  std::shared_ptr<arrow::DataType> type = literal.type;
  switch (literal.kind) {
    case SyntaxKind::kNull:
      type = arrow::null();
      break;
    case SyntaxKind::kTrue:
    case SyntaxKind::kFalse:
      type = arrow::boolean();
      break;
    case SyntaxKind::kNumber: {
      const auto number = NumberText::Parse(literal.text);
      const bool is_plain = literal.text.find_first_of(".eE") == std::string::npos;
      if (!number || !is_plain) {
        type = arrow::float64();
        break;
      }
      for (const auto& integer : {arrow::int64(), arrow::uint64()}) {
        const auto fitted = FitLiteral(literal, *integer);
        if (fitted.ok()) return fitted->scalar;
      }
      return WideInteger(literal, *number);
    }
    case SyntaxKind::kText:
      type = arrow::utf8();
      break;
    case SyntaxKind::kBytes:
      type = arrow::binary();
      break;
    case SyntaxKind::kDate:
      type = arrow::date32();
      break;
    case SyntaxKind::kDecimal: {
      ARROW_ASSIGN_OR_RAISE(const FittedLiteral fitted, FitNumber(literal, *type));
      if (!fitted.is_exact) {
        return InvalidArgument(ToString(literal), " has more digits than its scale");
      }
      return fitted.scalar;
    }
    case SyntaxKind::kInterval:
      type = arrow::month_day_nano_interval();
      break;
    default:
      break;
  }
  if (type == nullptr) return InvalidArgument(ToString(literal), " has no type");
  ARROW_ASSIGN_OR_RAISE(const FittedLiteral fitted, FitLiteral(literal, *type));
  if (!fitted.is_exact) {
    return InvalidArgument(ToString(literal), " does not fit ", NameOfType(*type), " exactly");
  }
  return fitted.scalar;
}

}  // namespace tusk::expr
