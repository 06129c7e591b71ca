#include "tusk/iceberg/single_value.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include "tusk/base/little_endian.h"
#include "tusk/iceberg/bounds.h"

namespace tusk::iceberg {
namespace {

using ScalarPtr = std::shared_ptr<arrow::Scalar>;

template <typename Array>
std::string NumberBytes(const arrow::Array& array, int64_t row) {
  std::string bytes;
  AppendLittle(static_cast<const Array&>(array).Value(row), &bytes);
  return bytes;
}

template <typename Array>
std::string ViewBytes(const arrow::Array& array, int64_t row) {
  return std::string(static_cast<const Array&>(array).GetView(row));
}

/// A little-endian Value, or one of the type Narrow that it was promoted from.
template <typename Value, typename Narrow = Value>
std::optional<Value> ParseNumber(std::string_view bytes) {
  if (bytes.size() == sizeof(Value)) return LoadLittle<Value>(bytes, 0);
  if (bytes.size() == sizeof(Narrow)) return static_cast<Value>(LoadLittle<Narrow>(bytes, 0));
  return std::nullopt;
}

std::optional<arrow::Decimal128> ParseDecimal(std::string_view bytes) {
  const auto value = arrow::Decimal128::FromBigEndian(
      reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int32_t>(bytes.size()));
  return value.ok() ? std::optional(*value) : std::nullopt;
}

std::optional<bool> ParseBool(std::string_view bytes) {
  return bytes.size() == 1 ? std::optional(bytes[0] != 0) : std::nullopt;
}

/// Bytes of a fixed type; nothing if they were cut.
std::optional<std::string_view> ParseFixed(const arrow::DataType& type, std::string_view bytes) {
  const int width = static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width();
  return std::ssize(bytes) == width ? std::optional(bytes) : std::nullopt;
}

template <typename Value>
ScalarPtr NumberScalar(std::optional<Value> value, const std::shared_ptr<arrow::DataType>& type) {
  if (!value.has_value()) return nullptr;
  auto scalar = arrow::MakeScalar(type, *value);
  return scalar.ok() ? *std::move(scalar) : nullptr;
}

template <typename Value>
std::optional<int> Order(const std::optional<Value>& a, const std::optional<Value>& b) {
  if (!a.has_value() || !b.has_value()) return std::nullopt;
  if constexpr (std::is_floating_point_v<Value>) {
    if (std::isnan(*a) || std::isnan(*b)) return std::nullopt;
  }
  if (*a < *b) return -1;
  return *b < *a ? 1 : 0;
}

}  // namespace

std::optional<std::string> SingleValue(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return std::nullopt;
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return std::string(1, static_cast<const arrow::BooleanArray&>(array).Value(row) ? 1 : 0);
    case arrow::Type::INT32:
      return NumberBytes<arrow::Int32Array>(array, row);
    case arrow::Type::DATE32:
      return NumberBytes<arrow::Date32Array>(array, row);
    case arrow::Type::INT64:
      return NumberBytes<arrow::Int64Array>(array, row);
    case arrow::Type::TIME64:
      return NumberBytes<arrow::Time64Array>(array, row);
    case arrow::Type::TIMESTAMP:
      return NumberBytes<arrow::TimestampArray>(array, row);
    case arrow::Type::FLOAT:
      return NumberBytes<arrow::FloatArray>(array, row);
    case arrow::Type::DOUBLE:
      return NumberBytes<arrow::DoubleArray>(array, row);
    case arrow::Type::DECIMAL128:
      return DecimalBound(
          arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(array).GetValue(row)));
    case arrow::Type::STRING:
      return ViewBytes<arrow::StringArray>(array, row);
    case arrow::Type::BINARY:
      return ViewBytes<arrow::BinaryArray>(array, row);
    case arrow::Type::FIXED_SIZE_BINARY:
      return ViewBytes<arrow::FixedSizeBinaryArray>(array, row);
    default:
      return std::nullopt;
  }
}

std::optional<std::string> SingleValue(const arrow::Scalar& scalar) {
  const auto array = arrow::MakeArrayFromScalar(scalar, 1);
  return array.ok() ? SingleValue(**array, 0) : std::nullopt;
}

ScalarPtr ParseSingleValue(std::string_view bytes, const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::BOOL: {
      const auto value = ParseBool(bytes);
      return value ? std::make_shared<arrow::BooleanScalar>(*value) : nullptr;
    }
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return NumberScalar(ParseNumber<int32_t>(bytes), type);
    case arrow::Type::INT64:
      return NumberScalar(ParseNumber<int64_t, int32_t>(bytes), type);
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
      return NumberScalar(ParseNumber<int64_t>(bytes), type);
    case arrow::Type::FLOAT:
      return NumberScalar(ParseNumber<float>(bytes), type);
    case arrow::Type::DOUBLE:
      return NumberScalar(ParseNumber<double, float>(bytes), type);
    case arrow::Type::DECIMAL128: {
      const auto value = ParseDecimal(bytes);
      return value ? std::make_shared<arrow::Decimal128Scalar>(*value, type) : nullptr;
    }
    case arrow::Type::STRING:
      return std::make_shared<arrow::StringScalar>(std::string(bytes));
    case arrow::Type::BINARY:
      return std::make_shared<arrow::BinaryScalar>(std::string(bytes));
    case arrow::Type::FIXED_SIZE_BINARY:
      if (!ParseFixed(*type, bytes)) return nullptr;
      return std::make_shared<arrow::FixedSizeBinaryScalar>(
          arrow::Buffer::FromString(std::string(bytes)), type);
    default:
      return nullptr;
  }
}

std::optional<int> CompareSingleValues(const arrow::DataType& type, std::string_view a,
                                       std::string_view b) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return Order(ParseBool(a), ParseBool(b));
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return Order(ParseNumber<int32_t>(a), ParseNumber<int32_t>(b));
    case arrow::Type::INT64:
      return Order(ParseNumber<int64_t, int32_t>(a), ParseNumber<int64_t, int32_t>(b));
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
      return Order(ParseNumber<int64_t>(a), ParseNumber<int64_t>(b));
    case arrow::Type::FLOAT:
      return Order(ParseNumber<float>(a), ParseNumber<float>(b));
    case arrow::Type::DOUBLE:
      return Order(ParseNumber<double, float>(a), ParseNumber<double, float>(b));
    case arrow::Type::DECIMAL128:
      return Order(ParseDecimal(a), ParseDecimal(b));
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return std::clamp(a.compare(b), -1, 1);
    case arrow::Type::FIXED_SIZE_BINARY:
      return Order(ParseFixed(type, a), ParseFixed(type, b));
    default:
      return std::nullopt;
  }
}

bool IsNan(const arrow::DataType& type, std::string_view bytes) {
  if (type.id() == arrow::Type::FLOAT) {
    return std::isnan(ParseNumber<float>(bytes).value_or(0));
  }
  return type.id() == arrow::Type::DOUBLE &&
         std::isnan(ParseNumber<double, float>(bytes).value_or(0));
}

}  // namespace tusk::iceberg
