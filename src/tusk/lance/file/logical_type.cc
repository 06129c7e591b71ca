#include "tusk/lance/file/logical_type.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

namespace tusk::lance {
namespace {

using arrow::TimeUnit;
using arrow::Type;

constexpr const char* kExtensionName = "ARROW:extension:name";
constexpr const char* kExtensionMetadata = "ARROW:extension:metadata";
constexpr std::string_view kBfloat16 = "lance.bfloat16";
constexpr std::string_view kFixedSizeList = "fixed_size_list:";
constexpr std::string_view kStructList = "fixed_size_list:struct:";
constexpr int kMaxListDepth = 8;

/// Types whose logical type is a fixed word.
struct PlainType {
  std::string_view name;
  Type::type id;
  std::shared_ptr<arrow::DataType> (*make)();
};

const std::vector<PlainType>& PlainTypes() {
  static const std::vector<PlainType> types = {
      {"null", Type::NA, [] { return arrow::null(); }},
      {"bool", Type::BOOL, [] { return arrow::boolean(); }},
      {"int8", Type::INT8, [] { return arrow::int8(); }},
      {"int16", Type::INT16, [] { return arrow::int16(); }},
      {"int32", Type::INT32, [] { return arrow::int32(); }},
      {"int64", Type::INT64, [] { return arrow::int64(); }},
      {"uint8", Type::UINT8, [] { return arrow::uint8(); }},
      {"uint16", Type::UINT16, [] { return arrow::uint16(); }},
      {"uint32", Type::UINT32, [] { return arrow::uint32(); }},
      {"uint64", Type::UINT64, [] { return arrow::uint64(); }},
      {"halffloat", Type::HALF_FLOAT, [] { return arrow::float16(); }},
      {"float", Type::FLOAT, [] { return arrow::float32(); }},
      {"double", Type::DOUBLE, [] { return arrow::float64(); }},
      {"string", Type::STRING, [] { return arrow::utf8(); }},
      {"large_string", Type::LARGE_STRING, [] { return arrow::large_utf8(); }},
      {"binary", Type::BINARY, [] { return arrow::binary(); }},
      {"large_binary", Type::LARGE_BINARY, [] { return arrow::large_binary(); }},
      {"date32:day", Type::DATE32, [] { return arrow::date32(); }},
      {"date64:ms", Type::DATE64, [] { return arrow::date64(); }},
  };
  return types;
}

std::string_view UnitName(TimeUnit::type unit) {
  switch (unit) {
    case TimeUnit::SECOND:
      return "s";
    case TimeUnit::MILLI:
      return "ms";
    case TimeUnit::MICRO:
      return "us";
    case TimeUnit::NANO:
      return "ns";
  }
  return "?";
}

std::optional<TimeUnit::type> ParseUnit(std::string_view name) {
  for (const TimeUnit::type unit : TimeUnit::values()) {
    if (UnitName(unit) == name) return unit;
  }
  return std::nullopt;
}

std::optional<int32_t> ParseInt(std::string_view text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool IsVariableWidth(Type::type id) {
  return id == Type::STRING || id == Type::LARGE_STRING || id == Type::BINARY ||
         id == Type::LARGE_BINARY;
}

Status NotCovered(std::string_view logical_type) {
  return Unsupported("logical type '", logical_type, "' is not supported");
}

/// Parses what follows "decimal:": bits, precision and scale.
Result<std::shared_ptr<arrow::DataType>> ParseDecimal(std::string_view logical_type,
                                                      std::string_view rest) {
  const size_t first = rest.find(':');
  const size_t second = first == rest.npos ? rest.npos : rest.find(':', first + 1);
  if (second == rest.npos) return NotCovered(logical_type);
  const auto bits = ParseInt(rest.substr(0, first));
  const auto precision = ParseInt(rest.substr(first + 1, second - first - 1));
  const auto scale = ParseInt(rest.substr(second + 1));
  if (!bits || !precision || !scale) return NotCovered(logical_type);
  auto type = *bits == 128   ? arrow::Decimal128Type::Make(*precision, *scale)
              : *bits == 256 ? arrow::Decimal256Type::Make(*precision, *scale)
                             : NotCovered(logical_type);
  if (!type.ok()) return NotCovered(logical_type);
  return type;
}

/// The extension stands in the metadata of the item: a type is registered by nobody but its owner.
std::shared_ptr<arrow::Field> Bfloat16Item() {
  return arrow::field("item", arrow::fixed_size_binary(2), /*nullable=*/true,
                      arrow::key_value_metadata({kExtensionName, kExtensionMetadata},
                                                {std::string(kBfloat16), std::string()}));
}

/// Parses what follows "fixed_size_list:": the logical type of an item, ':', the number of items.
Result<std::shared_ptr<arrow::DataType>> ParseFixedSizeList(std::string_view logical_type,
                                                            std::string_view rest) {
  const size_t colon = rest.rfind(':');
  if (colon == rest.npos) return NotCovered(logical_type);
  const auto size = ParseInt(rest.substr(colon + 1));
  const std::string_view item_type = rest.substr(0, colon);
  if (!size || *size <= 0 || std::ranges::count(logical_type, ':') > int64_t{4} * kMaxListDepth) {
    return NotCovered(logical_type);
  }
  if (item_type == kBfloat16) return arrow::fixed_size_list(Bfloat16Item(), *size);
  auto item = FromLogicalType(item_type);
  if (!item.ok() || IsVariableWidth((*item)->id()) || (*item)->id() == Type::DICTIONARY) {
    return NotCovered(logical_type);
  }
  return arrow::fixed_size_list(*std::move(item), *size);
}

/// Parses what follows "dict:": the types of values and indices, and whether they are ordered,
/// which is never true.
Result<std::shared_ptr<arrow::DataType>> ParseDictionary(std::string_view logical_type,
                                                         std::string_view rest) {
  const size_t first = rest.find(':');
  const size_t second = first == rest.npos ? rest.npos : rest.find(':', first + 1);
  if (second == rest.npos || rest.substr(second + 1) != "false") return NotCovered(logical_type);
  const auto values = FromLogicalType(rest.substr(0, first));
  const auto indices = FromLogicalType(rest.substr(first + 1, second - first - 1));
  if (!values.ok() || !indices.ok()) return NotCovered(logical_type);
  auto type = arrow::DictionaryType::Make(*indices, *values, /*ordered=*/false);
  if (!type.ok()) return NotCovered(logical_type);
  return type;
}

Status NotStorable(const arrow::DataType& type) {
  return Unsupported("type ", type.ToString(), " is not supported");
}

/// The name of the extension type of `field`, registered or not; empty if it has none.
std::string ExtensionNameOf(const arrow::Field& field) {
  if (field.type()->id() == Type::EXTENSION) {
    return static_cast<const arrow::ExtensionType&>(*field.type()).extension_name();
  }
  if (field.metadata() == nullptr) return "";
  return field.metadata()->Get(kExtensionName).ValueOr("");
}

Result<std::string> FixedSizeListName(const arrow::FixedSizeListType& list, int depth) {
  const arrow::Field& item = *list.value_field();
  const std::string end = ":" + std::to_string(list.list_size());
  if (list.list_size() <= 0 || depth > kMaxListDepth) return NotStorable(list);
  const std::string extension = ExtensionNameOf(item);
  if (extension == kBfloat16) return std::string(kFixedSizeList) + std::string(kBfloat16) + end;
  switch (item.type()->id()) {
    case Type::FIXED_SIZE_LIST: {
      if (!extension.empty()) return NotStorable(list);
      ARROW_ASSIGN_OR_RAISE(
          const std::string inner,
          FixedSizeListName(static_cast<const arrow::FixedSizeListType&>(*item.type()), depth + 1));
      // Only the outer-most list can have a child field.
      if (inner.starts_with(kStructList)) return NotStorable(list);
      return std::string(kFixedSizeList) + inner + end;
    }
    case Type::STRUCT:
      // The item is a field of its own, which keeps its extension.
      return std::string(kStructList) + std::to_string(list.list_size());
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::MAP:
    case Type::DICTIONARY:
      return NotStorable(list);
    default:
      if (!extension.empty() || IsVariableWidth(item.type()->id())) return NotStorable(list);
      ARROW_ASSIGN_OR_RAISE(const std::string item_type, ToLogicalType(*item.type()));
      return std::string(kFixedSizeList) + item_type + end;
  }
}

Result<std::string> DictionaryName(const arrow::DictionaryType& dictionary) {
  ARROW_ASSIGN_OR_RAISE(const std::string values, ToLogicalType(*dictionary.value_type()));
  ARROW_ASSIGN_OR_RAISE(const std::string indices, ToLogicalType(*dictionary.index_type()));
  std::string name = "dict:" + values + ":" + indices + ":false";
  // Values whose own name holds a colon, and nested ones, have no name that could be parsed.
  if (!FromLogicalType(name).ok()) return NotStorable(dictionary);
  return name;
}

}  // namespace

bool IsListName(std::string_view logical_type) {
  return logical_type == "list" || logical_type == "list.struct";
}

bool IsLargeListName(std::string_view logical_type) {
  return logical_type == "large_list" || logical_type == "large_list.struct";
}

int32_t StructListSize(std::string_view logical_type) {
  if (!logical_type.starts_with(kStructList)) return 0;
  return std::max(0, ParseInt(logical_type.substr(kStructList.size())).value_or(0));
}

Result<std::string> ToLogicalType(const arrow::DataType& type) {
  for (const PlainType& plain : PlainTypes()) {
    if (plain.id == type.id()) return std::string(plain.name);
  }
  const auto is_struct = [](const arrow::DataType& list) {
    const arrow::DataType& item = *list.field(0)->type();
    return item.id() == Type::STRUCT ||
           (item.id() == Type::EXTENSION &&
            static_cast<const arrow::ExtensionType&>(item).storage_type()->id() == Type::STRUCT);
  };
  switch (type.id()) {
    case Type::FIXED_SIZE_BINARY:
      return "fixed_size_binary:" +
             std::to_string(static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width());
    case Type::DECIMAL128:
    case Type::DECIMAL256: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return "decimal:" + std::to_string(decimal.bit_width()) + ":" +
             std::to_string(decimal.precision()) + ":" + std::to_string(decimal.scale());
    }
    case Type::TIME32:
      return "time32:" + std::string(UnitName(static_cast<const arrow::Time32Type&>(type).unit()));
    case Type::TIME64:
      return "time64:" + std::string(UnitName(static_cast<const arrow::Time64Type&>(type).unit()));
    case Type::DURATION:
      return "duration:" +
             std::string(UnitName(static_cast<const arrow::DurationType&>(type).unit()));
    case Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      return "timestamp:" + std::string(UnitName(timestamp.unit())) + ":" +
             (timestamp.timezone().empty() ? "-" : timestamp.timezone());
    }
    case Type::FIXED_SIZE_LIST:
      return FixedSizeListName(static_cast<const arrow::FixedSizeListType&>(type), /*depth=*/1);
    case Type::DICTIONARY:
      return DictionaryName(static_cast<const arrow::DictionaryType&>(type));
    case Type::STRUCT:
      return "struct";
    case Type::LIST:
      return is_struct(type) ? "list.struct" : "list";
    case Type::LARGE_LIST:
      return is_struct(type) ? "large_list.struct" : "large_list";
    case Type::MAP:
      if (static_cast<const arrow::MapType&>(type).keys_sorted()) return NotStorable(type);
      return "map";
    default:
      return NotStorable(type);
  }
}

Result<std::shared_ptr<arrow::DataType>> FromLogicalType(std::string_view logical_type) {
  for (const PlainType& plain : PlainTypes()) {
    if (plain.name == logical_type) return plain.make();
  }
  if (logical_type == "json" || logical_type == "blob") return arrow::large_binary();
  const size_t colon = logical_type.find(':');
  if (colon == logical_type.npos) return NotCovered(logical_type);
  const std::string_view kind = logical_type.substr(0, colon);
  const std::string_view rest = logical_type.substr(colon + 1);
  if (kind == "decimal") return ParseDecimal(logical_type, rest);
  if (kind == "fixed_size_list") return ParseFixedSizeList(logical_type, rest);
  if (kind == "dict") return ParseDictionary(logical_type, rest);
  if (kind == "fixed_size_binary") {
    const auto width = ParseInt(rest);
    if (!width || *width < 0) return NotCovered(logical_type);
    return arrow::fixed_size_binary(*width);
  }
  // A zone may itself hold colons ("+08:00"): only the unit ends at one.
  const auto unit = ParseUnit(rest.substr(0, rest.find(':')));
  if (!unit) return NotCovered(logical_type);
  if (kind == "timestamp") {
    const size_t zone_begin = rest.find(':');
    if (zone_begin == rest.npos) return NotCovered(logical_type);
    const std::string_view zone = rest.substr(zone_begin + 1);
    return zone == "-" ? arrow::timestamp(*unit) : arrow::timestamp(*unit, std::string(zone));
  }
  if (rest.find(':') != rest.npos) return NotCovered(logical_type);
  const bool is_fine = *unit == TimeUnit::MICRO || *unit == TimeUnit::NANO;
  if (kind == "time32" && !is_fine) return arrow::time32(*unit);
  if (kind == "time64" && is_fine) return arrow::time64(*unit);
  if (kind == "duration") return arrow::duration(*unit);
  return NotCovered(logical_type);
}

}  // namespace tusk::lance
