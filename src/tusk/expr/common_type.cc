#include "tusk/expr/common_type.h"

#include <algorithm>
#include <utility>

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace tusk::expr {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

TypePtr IntegerOf(int bits, bool is_signed) {
  switch (bits) {
    case 8:
      return is_signed ? arrow::int8() : arrow::uint8();
    case 16:
      return is_signed ? arrow::int16() : arrow::uint16();
    case 32:
      return is_signed ? arrow::int32() : arrow::uint32();
    case 64:
      return is_signed ? arrow::int64() : arrow::uint64();
    default:
      return arrow::decimal128(20, 0);
  }
}

TypePtr CommonInteger(const arrow::DataType& a, const arrow::DataType& b) {
  const bool a_signed = arrow::is_signed_integer(a.id());
  const bool b_signed = arrow::is_signed_integer(b.id());
  const int a_bits = arrow::bit_width(a.id());
  const int b_bits = arrow::bit_width(b.id());
  if (a_signed == b_signed) return IntegerOf(std::max(a_bits, b_bits), a_signed);
  const int signed_bits = a_signed ? a_bits : b_bits;
  const int unsigned_bits = a_signed ? b_bits : a_bits;
  return IntegerOf(std::max(signed_bits, 2 * unsigned_bits), true);
}

TypePtr CommonDecimal(const arrow::DataType& a, const arrow::DataType& b) {
  const auto a_type = DecimalTypeOf(a);
  const auto b_type = DecimalTypeOf(b);
  if (a_type == nullptr || b_type == nullptr) return nullptr;
  const auto& x = static_cast<const arrow::DecimalType&>(*a_type);
  const auto& y = static_cast<const arrow::DecimalType&>(*b_type);
  const int scale = std::max(x.scale(), y.scale());
  const int precision = std::max(x.precision() - x.scale(), y.precision() - y.scale()) + scale;
  return precision <= 76 ? DecimalOf(precision, scale) : nullptr;
}

TypePtr CommonNumber(const TypePtr& a, const TypePtr& b) {
  const bool a_floating = arrow::is_floating(a->id());
  const bool b_floating = arrow::is_floating(b->id());
  if (a_floating && b_floating) {
    return arrow::bit_width(a->id()) > arrow::bit_width(b->id()) ? a : b;
  }
  if (a_floating || b_floating) return arrow::float64();
  if (arrow::is_integer(a->id()) && arrow::is_integer(b->id())) return CommonInteger(*a, *b);
  return CommonDecimal(*a, *b);
}

TypePtr CommonTemporal(const TypePtr& a, const TypePtr& b) {
  const bool a_timestamp = a->id() == arrow::Type::TIMESTAMP;
  const bool b_timestamp = b->id() == arrow::Type::TIMESTAMP;
  if (a_timestamp && b_timestamp) {
    const auto& x = static_cast<const arrow::TimestampType&>(*a);
    const auto& y = static_cast<const arrow::TimestampType&>(*b);
    return arrow::timestamp(std::max(x.unit(), y.unit()),
                            x.timezone().empty() ? y.timezone() : x.timezone());
  }
  if (a_timestamp && arrow::is_date(b->id())) return a;
  if (b_timestamp && arrow::is_date(a->id())) return b;
  if (arrow::is_date(a->id()) && arrow::is_date(b->id())) return arrow::date64();
  if (arrow::is_time(a->id()) && arrow::is_time(b->id()))
    return arrow::time64(arrow::TimeUnit::NANO);
  if (a->id() == arrow::Type::DURATION && b->id() == arrow::Type::DURATION) {
    const auto& x = static_cast<const arrow::DurationType&>(*a);
    const auto& y = static_cast<const arrow::DurationType&>(*b);
    return arrow::duration(std::max(x.unit(), y.unit()));
  }
  return nullptr;
}

/// What the values of lists are decoded to.
TypePtr ValueTypeOf(const arrow::DataType& list) {
  return PlainType(static_cast<const arrow::BaseListType&>(list).value_type());
}

TypePtr CommonStruct(const arrow::DataType& a, const arrow::DataType& b) {
  const auto& first = static_cast<const arrow::StructType&>(a);
  const auto& second = static_cast<const arrow::StructType&>(b);
  if (first.num_fields() != second.num_fields()) return nullptr;
  arrow::FieldVector fields;
  for (const auto& field : first.fields()) {
    // Null, too, if there are several of the name.
    const auto other = second.GetFieldByName(field->name());
    const bool is_one = first.GetAllFieldIndices(field->name()).size() == 1;
    const auto both = other != nullptr && is_one
                          ? CommonType(PlainType(field->type()), PlainType(other->type()))
                          : nullptr;
    if (both == nullptr) return nullptr;
    fields.push_back(arrow::field(field->name(), both));
  }
  return arrow::struct_(fields);
}

TypePtr CommonMap(const arrow::DataType& a, const arrow::DataType& b) {
  const auto& first = static_cast<const arrow::MapType&>(a);
  const auto& second = static_cast<const arrow::MapType&>(b);
  const auto key = CommonType(PlainType(first.key_type()), PlainType(second.key_type()));
  const auto item = CommonType(PlainType(first.item_type()), PlainType(second.item_type()));
  return key == nullptr || item == nullptr ? nullptr : arrow::map(key, item);
}

}  // namespace

TypePtr PlainType(const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::DICTIONARY:
      return PlainType(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case arrow::Type::EXTENSION:
      return PlainType(static_cast<const arrow::ExtensionType&>(*type).storage_type());
    case arrow::Type::STRING_VIEW:
      return arrow::utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::binary();
    default:
      return type;
  }
}

bool IsText(const arrow::DataType& type) { return arrow::is_string(type.id()); }

bool IsBytes(const arrow::DataType& type) {
  return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY ||
         type.id() == arrow::Type::FIXED_SIZE_BINARY;
}

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_numeric(type.id()) || arrow::is_decimal(type.id());
}

bool IsTemporal(const arrow::DataType& type) {
  return arrow::is_temporal(type.id()) || type.id() == arrow::Type::DURATION;
}

bool IsList(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::FIXED_SIZE_LIST;
}

bool IsNested(const arrow::DataType& type) {
  return IsList(type) || type.id() == arrow::Type::STRUCT || type.id() == arrow::Type::MAP;
}

TypePtr DecimalOf(int precision, int scale) {
  return precision <= 38 ? arrow::decimal128(precision, scale)
                         : arrow::decimal256(precision, scale);
}

TypePtr DecimalTypeOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::UINT8:
      return arrow::decimal128(3, 0);
    case arrow::Type::INT16:
    case arrow::Type::UINT16:
      return arrow::decimal128(5, 0);
    case arrow::Type::INT32:
    case arrow::Type::UINT32:
      return arrow::decimal128(10, 0);
    case arrow::Type::INT64:
      return arrow::decimal128(19, 0);
    case arrow::Type::UINT64:
      return arrow::decimal128(20, 0);
    default:
      return arrow::is_decimal(type.id()) ? type.GetSharedPtr() : nullptr;
  }
}

TypePtr CommonType(const TypePtr& a, const TypePtr& b) {
  if (a->Equals(*b)) return a;
  if (a->id() == arrow::Type::NA) return b;
  if (b->id() == arrow::Type::NA) return a;
  if (IsNumber(*a) && IsNumber(*b)) return CommonNumber(a, b);
  if (IsText(*a) && IsText(*b)) return arrow::large_utf8();
  if (IsBytes(*a) && IsBytes(*b)) {
    const bool is_large =
        a->id() == arrow::Type::LARGE_BINARY || b->id() == arrow::Type::LARGE_BINARY;
    return is_large ? arrow::large_binary() : arrow::binary();
  }
  if (IsTemporal(*a) && IsTemporal(*b)) return CommonTemporal(a, b);
  if (IsList(*a) && IsList(*b)) {
    const auto values = CommonType(ValueTypeOf(*a), ValueTypeOf(*b));
    return values == nullptr ? nullptr : arrow::list(values);
  }
  if (a->id() == arrow::Type::STRUCT && b->id() == arrow::Type::STRUCT) return CommonStruct(*a, *b);
  if (a->id() == arrow::Type::MAP && b->id() == arrow::Type::MAP) return CommonMap(*a, *b);
  return nullptr;
}

}  // namespace tusk::expr
