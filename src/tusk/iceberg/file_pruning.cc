#include "tusk/iceberg/file_pruning.h"

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include "tusk/base/little_endian.h"
#include "tusk/iceberg/schema.h"

namespace tusk::iceberg {
namespace {

using ScalarPtr = std::shared_ptr<arrow::Scalar>;

/// A little-endian Value, or one of the type Narrow that it was promoted from.
template <typename Value, typename Narrow = Value>
std::optional<Value> ParseNumber(std::string_view bytes) {
  if (bytes.size() == sizeof(Value)) return LoadLittle<Value>(bytes, 0);
  if (bytes.size() == sizeof(Narrow)) return static_cast<Value>(LoadLittle<Narrow>(bytes, 0));
  return std::nullopt;
}

template <typename Value>
ScalarPtr NumberScalar(std::optional<Value> value, const std::shared_ptr<arrow::DataType>& type) {
  if (!value.has_value()) return nullptr;
  if constexpr (std::is_floating_point_v<Value>) {
    if (std::isnan(*value)) return nullptr;
  }
  auto scalar = arrow::MakeScalar(type, *value);
  return scalar.ok() ? *std::move(scalar) : nullptr;
}

ScalarPtr DecimalScalar(std::string_view bytes, const std::shared_ptr<arrow::DataType>& type) {
  const auto value = arrow::Decimal128::FromBigEndian(
      reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int32_t>(bytes.size()));
  if (!value.ok()) return nullptr;
  return std::make_shared<arrow::Decimal128Scalar>(*value, type);
}

std::optional<int64_t> Find(const std::map<int32_t, int64_t>& counts, int32_t id) {
  const auto found = counts.find(id);
  return found == counts.end() ? std::nullopt : std::optional(found->second);
}

ScalarPtr FindBound(const std::map<int32_t, std::string>& bounds, int32_t id,
                    const std::shared_ptr<arrow::DataType>& type) {
  const auto found = bounds.find(id);
  return found == bounds.end() ? nullptr : ParseBound(found->second, type);
}

/// What the manifest tells about the column `field`; nothing if it tells too little to prune.
std::optional<expr::ColumnRange> RangeOf(const arrow::Field& field, const DataFile& file) {
  const int32_t id = FieldId(field).value_or(0);
  const auto nulls = Find(file.null_value_counts, id);
  expr::ColumnRange range;
  range.may_be_null = nulls != 0;
  range.is_all_null = nulls.has_value() && *nulls > 0 && nulls == Find(file.value_counts, id);
  if (range.is_all_null) return range;
  // NaN is in no bound, so bounds hold for all values only where it is known that there is none.
  if (arrow::is_floating(field.type()->id()) && Find(file.nan_value_counts, id) != 0) {
    return std::nullopt;
  }
  range.least = FindBound(file.lower_bounds, id, field.type());
  range.greatest = FindBound(file.upper_bounds, id, field.type());
  return range;
}

}  // namespace

ScalarPtr ParseBound(std::string_view bytes, const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::BOOL:
      if (bytes.size() != 1) return nullptr;
      return std::make_shared<arrow::BooleanScalar>(bytes[0] != 0);
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
    case arrow::Type::DECIMAL128:
      return DecimalScalar(bytes, type);
    case arrow::Type::STRING:
      return std::make_shared<arrow::StringScalar>(std::string(bytes));
    case arrow::Type::BINARY:
      return std::make_shared<arrow::BinaryScalar>(std::string(bytes));
    case arrow::Type::FIXED_SIZE_BINARY:
      // A bound that was cut is no value of the type.
      if (std::ssize(bytes) != static_cast<const arrow::FixedSizeBinaryType&>(*type).byte_width()) {
        return nullptr;
      }
      return std::make_shared<arrow::FixedSizeBinaryScalar>(
          arrow::Buffer::FromString(std::string(bytes)), type);
    default:
      return nullptr;
  }
}

Result<bool> MayMatch(const expr::Filter::Bound& filter, const arrow::Schema& columns,
                      const DataFile& file) {
  std::map<std::string, expr::ColumnRange> ranges;
  for (const auto& field : columns.fields()) {
    if (auto range = RangeOf(*field, file)) ranges.emplace(field->name(), *std::move(range));
  }
  return filter.MayMatch(ranges);
}

}  // namespace tusk::iceberg
