#include "tusk/expr/number_text.h"

#include <charconv>
#include <utility>

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

namespace tusk::expr {
namespace {

constexpr int64_t kMostDigits = 80;
constexpr int64_t kGreatestExponent = 100'000;

/// Adds 1 to the magnitude.
std::string Increment(std::string digits) {
  size_t i = digits.size();
  while (i > 0) {
    if (digits[--i] != '9') {
      ++digits[i];
      return digits;
    }
    digits[i] = '0';
  }
  return "1" + digits;
}

template <typename Integer>
std::shared_ptr<arrow::Scalar> IntegerScalar(const std::string& digits,
                                             const std::shared_ptr<arrow::DataType>& type) {
  Integer value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stop != end) return nullptr;
  auto scalar = arrow::MakeScalar(type, value);
  return scalar.ok() ? *std::move(scalar) : nullptr;
}

}  // namespace

std::optional<NumberText> NumberText::Parse(std::string_view text) {
  NumberText number;
  if (text.starts_with('-') || text.starts_with('+')) {
    number.is_negative = text[0] == '-';
    text.remove_prefix(1);
  }
  bool has_digits = false;
  bool is_behind_point = false;
  size_t i = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !is_behind_point) {
      is_behind_point = true;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') break;
    has_digits = true;
    number.digits += text[i];
    if (is_behind_point) --number.exponent;
  }
  if (!has_digits) return std::nullopt;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
    std::string_view exponent_text = text.substr(i + 1);
    if (exponent_text.starts_with('+')) exponent_text.remove_prefix(1);
    int64_t exponent = 0;
    const char* end = exponent_text.data() + exponent_text.size();
    const auto [stop, error] = std::from_chars(end - exponent_text.size(), end, exponent);
    if (error == std::errc::result_out_of_range) {
      exponent = exponent_text.starts_with('-') ? -kGreatestExponent : kGreatestExponent;
    } else if (error != std::errc() || stop != end) {
      return std::nullopt;
    }
    number.exponent += exponent;
  }
  while (number.digits.ends_with('0')) {
    number.digits.pop_back();
    ++number.exponent;
  }
  number.digits.erase(0, number.digits.find_first_not_of('0'));
  if (number.digits.empty()) number = {};
  return number;
}

std::optional<std::string> NumberText::ScaledFloor(int scale, bool* is_exact) const {
  *is_exact = true;
  if (digits.empty()) return "0";
  const int64_t shift = exponent + scale;
  const int64_t size = static_cast<int64_t>(digits.size()) + shift;
  if (size > kMostDigits) return std::nullopt;
  std::string magnitude = digits;
  if (shift >= 0) {
    magnitude.append(static_cast<size_t>(shift), '0');
  } else {
    *is_exact = false;
    magnitude = size <= 0 ? "0" : digits.substr(0, static_cast<size_t>(size));
    if (is_negative) magnitude = Increment(std::move(magnitude));
  }
  return is_negative ? "-" + magnitude : magnitude;
}

std::shared_ptr<arrow::Scalar> ScalarOfDigits(const std::string& digits,
                                              const arrow::DataType& type) {
  const auto shared = type.GetSharedPtr();
  switch (type.id()) {
    case arrow::Type::INT8:
      return IntegerScalar<int8_t>(digits, shared);
    case arrow::Type::INT16:
      return IntegerScalar<int16_t>(digits, shared);
    case arrow::Type::INT32:
      return IntegerScalar<int32_t>(digits, shared);
    case arrow::Type::INT64:
      return IntegerScalar<int64_t>(digits, shared);
    case arrow::Type::UINT8:
      return IntegerScalar<uint8_t>(digits, shared);
    case arrow::Type::UINT16:
      return IntegerScalar<uint16_t>(digits, shared);
    case arrow::Type::UINT32:
      return IntegerScalar<uint32_t>(digits, shared);
    case arrow::Type::UINT64:
      return IntegerScalar<uint64_t>(digits, shared);
    case arrow::Type::DECIMAL128: {
      const auto value = arrow::Decimal128::FromString(digits);
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      if (!value.ok() || !value->FitsInPrecision(decimal.precision())) return nullptr;
      return std::make_shared<arrow::Decimal128Scalar>(*value, shared);
    }
    case arrow::Type::DECIMAL256: {
      const auto value = arrow::Decimal256::FromString(digits);
      const auto& decimal = static_cast<const arrow::Decimal256Type&>(type);
      if (!value.ok() || !value->FitsInPrecision(decimal.precision())) return nullptr;
      return std::make_shared<arrow::Decimal256Scalar>(*value, shared);
    }
    default:
      return nullptr;
  }
}

}  // namespace tusk::expr
