#include "tusk/expr/format_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

/// Digits and exponent of the shortest text of a finite number that is not zero.
template <typename Real>
std::string FormatFinite(Real value) {
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  const size_t e = text.find('e');
  int exponent = 0;
  std::string_view exponent_text = text.substr(e + 1);
  if (exponent_text.starts_with('+')) exponent_text.remove_prefix(1);
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  const std::string sign = text.starts_with('-') ? "-" : "";
  const int size = static_cast<int>(digits.size());
  const auto zeros = [](int count) { return std::string(std::max(0, count), '0'); };
  if (exponent >= -5 && exponent < 16) {
    if (exponent < 0) {
      return sign + "0." + zeros(-exponent - 1) + digits;
    }
    if (size <= exponent + 1) {
      return sign + digits + zeros(exponent + 1 - size) + ".0";
    }
    return sign + digits.substr(0, exponent + 1) + "." + digits.substr(exponent + 1);
  }
  std::string mantissa = digits.substr(0, 1);
  if (size > 1) mantissa += "." + digits.substr(1);
  return sign + mantissa + "e" + std::to_string(exponent);
}

template <typename Real>
std::string FormatAnyReal(Real value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  return FormatFinite(value);
}

template <typename Real>
std::string PlainDigits(Real value) {
  if (std::isnan(value)) return "NaN";
  std::array<char, 40> room{};
  const auto end =
      std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::scientific);
  const std::string_view text(room.data(), end.ptr);
  const size_t e = text.find('e');
  if (e == std::string_view::npos) return std::string(text);  // infinite
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  // The point stands behind so many of the digits.
  const int point = std::atoi(std::string(text.substr(e + 1)).c_str()) + 1;
  const auto count = static_cast<int>(digits.size());
  if (point <= 0) {
    digits = "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  } else if (point >= count) {
    digits.append(static_cast<size_t>(point - count), '0');
  } else {
    digits.insert(static_cast<size_t>(point), ".");
  }
  if (digits.starts_with("0.") && digits.find_first_not_of("0.") == std::string::npos) digits = "0";
  return std::signbit(value) ? "-" + digits : digits;
}

template <typename... Values>
std::string Format(const char* format, Values... values) {
  std::array<char, 64> buffer;
  const int size = std::snprintf(buffer.data(), buffer.size(), format, values...);
  return {buffer.data(), static_cast<size_t>(size)};
}

std::string FormatDay(int64_t days) {
  // The calendar of the library counts days in 32 bits, and years to 32767.
  constexpr int64_t kMostDays = 11'000'000;
  if (days > kMostDays || days < -kMostDays) return "day " + std::to_string(days);
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
  return Format("%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

int64_t PerSecond(arrow::TimeUnit::type unit) {
  int64_t per = 1;
  for (int i = 0; i < unit; ++i) per *= 1000;
  return per;
}

std::string FormatTime(int64_t value, arrow::TimeUnit::type unit) {
  const int64_t per_second = PerSecond(unit);
  const int64_t seconds = value / per_second;
  std::string text = Format("%02d:%02d:%02d", static_cast<int>(seconds / 3600 % 24),
                            static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  int64_t fraction = value % per_second;
  if (fraction == 0) return text;
  // As many digits as thousands need: .5 is .500.
  int digits = 3 * static_cast<int>(unit);
  while (fraction % 1000 == 0) {
    fraction /= 1000;
    digits -= 3;
  }
  return text + Format(".%0*lld", digits, static_cast<long long>(fraction));
}

std::string FormatMoment(int64_t value, arrow::TimeUnit::type unit) {
  const int64_t per_day = PerSecond(unit) * 86'400;
  int64_t day = value / per_day;
  int64_t rest = value % per_day;
  if (rest < 0) {
    rest += per_day;
    --day;
  }
  return FormatDay(day) + "T" + FormatTime(rest, unit);
}

template <typename ArrayType>
std::string FormatInteger(const arrow::Array& array, int64_t i) {
  return std::to_string(static_cast<const ArrayType&>(array).Value(i));
}

template <typename ArrayType>
int64_t ValueOf(const arrow::Array& array, int64_t i) {
  return static_cast<int64_t>(static_cast<const ArrayType&>(array).Value(i));
}

}  // namespace

std::string FormatPlainReal(double value) { return PlainDigits(value); }
std::string FormatPlainReal(float value) { return PlainDigits(value); }

std::string FormatReal(double value) { return FormatAnyReal(value); }

std::string FormatDuration(int64_t value, arrow::TimeUnit::type unit) {
  const int64_t per_second = PerSecond(unit);
  const int64_t seconds = value / per_second;
  // A sign that no digit before the point would show.
  const std::string sign = value % per_second < 0 || seconds % 60 < 0 ? "-" : "";
  std::string text =
      Format("%lld days %lld hours %lld mins ", static_cast<long long>(seconds / 86'400),
             static_cast<long long>(seconds / 3600 % 24),
             static_cast<long long>(seconds / 60 % 60)) +
      sign + std::to_string(std::abs(seconds % 60));
  if (unit != arrow::TimeUnit::SECOND) {
    text += Format(".%0*lld", 3 * static_cast<int>(unit),
                   static_cast<long long>(std::abs(value % per_second)));
  }
  return text + " secs";
}

std::string FormatIsoDuration(int64_t value, arrow::TimeUnit::type unit) {
  if (value == 0) return "P0D";
  const int64_t per_second = PerSecond(unit);
  const int64_t seconds = value / per_second;
  std::string text =
      (value < 0 ? "-PT" : "PT") + std::to_string(seconds < 0 ? 0 - static_cast<uint64_t>(seconds)
                                                              : static_cast<uint64_t>(seconds));
  int64_t fraction = std::abs(value % per_second);
  int digits = 3 * static_cast<int>(unit);
  for (; fraction != 0 && fraction % 10 == 0; --digits) fraction /= 10;
  if (fraction != 0) text += Format(".%0*lld", digits, static_cast<long long>(fraction));
  return text + "S";
}

std::string FormatZoned(int64_t value, int64_t local, arrow::TimeUnit::type unit) {
  const std::string clock = FormatMoment(local, unit);
  const int64_t minutes = (local - value) / PerSecond(unit) / 60;
  if (minutes == 0) return clock + "Z";
  return clock + Format("%c%02d:%02d", minutes < 0 ? '-' : '+',
                        static_cast<int>(std::abs(minutes) / 60),
                        static_cast<int>(std::abs(minutes) % 60));
}

Status AppendValue(const arrow::Array& array, int64_t i, std::string* out) {
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      *out += static_cast<const arrow::BooleanArray&>(array).Value(i) ? "true" : "false";
      return Status::OK();
    case arrow::Type::INT8:
      *out += FormatInteger<arrow::Int8Array>(array, i);
      return Status::OK();
    case arrow::Type::INT16:
      *out += FormatInteger<arrow::Int16Array>(array, i);
      return Status::OK();
    case arrow::Type::INT32:
      *out += FormatInteger<arrow::Int32Array>(array, i);
      return Status::OK();
    case arrow::Type::INT64:
      *out += FormatInteger<arrow::Int64Array>(array, i);
      return Status::OK();
    case arrow::Type::UINT8:
      *out += FormatInteger<arrow::UInt8Array>(array, i);
      return Status::OK();
    case arrow::Type::UINT16:
      *out += FormatInteger<arrow::UInt16Array>(array, i);
      return Status::OK();
    case arrow::Type::UINT32:
      *out += FormatInteger<arrow::UInt32Array>(array, i);
      return Status::OK();
    case arrow::Type::UINT64:
      *out += FormatInteger<arrow::UInt64Array>(array, i);
      return Status::OK();
    case arrow::Type::HALF_FLOAT:
      *out += FormatAnyReal(
          arrow::util::Float16::FromBits(static_cast<const arrow::HalfFloatArray&>(array).Value(i))
              .ToFloat());
      return Status::OK();
    case arrow::Type::FLOAT:
      *out += FormatAnyReal(static_cast<const arrow::FloatArray&>(array).Value(i));
      return Status::OK();
    case arrow::Type::DOUBLE:
      *out += FormatAnyReal(static_cast<const arrow::DoubleArray&>(array).Value(i));
      return Status::OK();
    case arrow::Type::DECIMAL128:
      *out += static_cast<const arrow::Decimal128Array&>(array).FormatValue(i);
      return Status::OK();
    case arrow::Type::DECIMAL256:
      *out += static_cast<const arrow::Decimal256Array&>(array).FormatValue(i);
      return Status::OK();
    case arrow::Type::DATE32:
      *out += FormatDay(ValueOf<arrow::Date32Array>(array, i));
      return Status::OK();
    case arrow::Type::DATE64: {
      const int64_t value = ValueOf<arrow::Date64Array>(array, i);
      *out += FormatDay(value / 86'400'000 - (value % 86'400'000 < 0 ? 1 : 0));
      return Status::OK();
    }
    case arrow::Type::TIME32:
      *out += FormatTime(ValueOf<arrow::Time32Array>(array, i),
                         static_cast<const arrow::TimeType&>(*array.type()).unit());
      return Status::OK();
    case arrow::Type::TIME64:
      *out += FormatTime(ValueOf<arrow::Time64Array>(array, i),
                         static_cast<const arrow::TimeType&>(*array.type()).unit());
      return Status::OK();
    case arrow::Type::TIMESTAMP: {
      const auto& type = static_cast<const arrow::TimestampType&>(*array.type());
      *out += FormatMoment(ValueOf<arrow::TimestampArray>(array, i), type.unit());
      if (!type.timezone().empty()) *out += 'Z';
      return Status::OK();
    }
    case arrow::Type::DURATION:
      *out += FormatDuration(ValueOf<arrow::DurationArray>(array, i),
                             static_cast<const arrow::DurationType&>(*array.type()).unit());
      return Status::OK();
    default:
      return InvalidArgument("a ", NameOfType(*array.type()), " has no text");
  }
}

}  // namespace tusk::expr
