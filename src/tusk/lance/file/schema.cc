#include "tusk/lance/file/schema.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

namespace tusk::lance {
namespace {

using arrow::TimeUnit;
using arrow::Type;

constexpr const char* kExtensionName = "ARROW:extension:name";
constexpr const char* kExtensionMetadata = "ARROW:extension:metadata";
constexpr const char* kPrimaryKey = "lance-schema:unenforced-primary-key";
constexpr const char* kPrimaryKeyPosition = "lance-schema:unenforced-primary-key:position";
constexpr const char* kClusteringKeyPosition = "lance-schema:unenforced-clustering-key:position";
constexpr int kMaxListDepth = 8;

/// Types whose logical type is a fixed word.
struct PlainType {
  std::string_view name;
  Type::type id;
  std::shared_ptr<arrow::DataType> (*make)();
};

const std::vector<PlainType>& PlainTypes() {
  static const std::vector<PlainType> types = {
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
  return Unsupported("logical type '", logical_type, "' is not supported yet");
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
  auto item = FromLogicalType(item_type);
  if (!item.ok() || IsVariableWidth((*item)->id())) return NotCovered(logical_type);
  return arrow::fixed_size_list(*std::move(item), *size);
}

Result<std::string> FixedSizeListName(const arrow::FixedSizeListType& list) {
  const arrow::Field& item = *list.value_field();
  const bool is_extension =
      item.type()->id() == Type::EXTENSION ||
      (item.metadata() != nullptr && item.metadata()->Contains(kExtensionName));
  if (is_extension || IsVariableWidth(item.type()->id()) || list.list_size() <= 0) {
    return Unsupported("type ", list.ToString(), " is not supported yet");
  }
  ARROW_ASSIGN_OR_RAISE(const std::string item_type, ToLogicalType(*item.type()));
  return "fixed_size_list:" + item_type + ":" + std::to_string(list.list_size());
}

std::map<std::string, std::string> ToMap(
    const std::shared_ptr<const arrow::KeyValueMetadata>& metadata) {
  std::map<std::string, std::string> map;
  if (metadata == nullptr) return map;
  for (int64_t i = 0; i < metadata->size(); ++i) map[metadata->key(i)] = metadata->value(i);
  return map;
}

std::shared_ptr<const arrow::KeyValueMetadata> FromMap(
    const std::map<std::string, std::string>& map) {
  if (map.empty()) return nullptr;
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [key, value] : map) metadata->Append(key, value);
  return metadata;
}

/// The keys that a field belongs to, as they stand in its metadata.
void TakeKeysFromMetadata(Field* field) {
  const auto position = [&](const char* key) -> std::optional<uint32_t> {
    const auto found = field->metadata.find(key);
    if (found == field->metadata.end()) return std::nullopt;
    const auto value = ParseInt(found->second);
    return value && *value >= 0 ? std::optional<uint32_t>(*value) : std::nullopt;
  };
  const auto flag = field->metadata.find(kPrimaryKey);
  const auto primary = position(kPrimaryKeyPosition);
  field->unenforced_primary_key =
      primary.has_value() || (flag != field->metadata.end() && flag->second == "true");
  field->unenforced_primary_key_position = primary.value_or(0);
  field->unenforced_clustering_key_position = position(kClusteringKeyPosition).value_or(0);
}

Result<Field> FromArrowField(const arrow::Field& from, int32_t id) {
  Field field;
  field.name = from.name();
  field.id = id;
  field.nullable = from.nullable();
  field.metadata = ToMap(from.metadata());
  const arrow::DataType* type = from.type().get();
  if (type->id() == Type::EXTENSION) {
    const auto& extension = static_cast<const arrow::ExtensionType&>(*type);
    field.metadata[kExtensionName] = extension.extension_name();
    field.metadata[kExtensionMetadata] = extension.Serialize();
    type = extension.storage_type().get();
  }
  const auto extension = field.metadata.find(kExtensionName);
  if (extension != field.metadata.end()) {
    for (const std::string_view name : {"arrow.json", "lance.json", "lance.blob.v2"}) {
      if (extension->second == name) {
        return Unsupported("field '", field.name, "': extension type ", name,
                           " is not supported yet");
      }
    }
  }
  if (field.metadata.contains("lance-encoding:blob")) {
    return Unsupported("field '", field.name, "': blob columns are not supported yet");
  }
  auto logical_type = ToLogicalType(*type);
  if (!logical_type.ok()) {
    return WithContext(logical_type.status(), "field '" + field.name + "'");
  }
  field.logical_type = *std::move(logical_type);
  TakeKeysFromMetadata(&field);
  return field;
}

int32_t MaxId(const std::vector<Field>& fields) {
  int32_t max = -1;
  for (const Field& field : fields) max = std::max({max, field.id, MaxId(field.children)});
  return max;
}

}  // namespace

Result<std::string> ToLogicalType(const arrow::DataType& type) {
  for (const PlainType& plain : PlainTypes()) {
    if (plain.id == type.id()) return std::string(plain.name);
  }
  switch (type.id()) {
    case Type::FIXED_SIZE_BINARY: {
      const int32_t width = static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width();
      if (width == 0) break;
      return "fixed_size_binary:" + std::to_string(width);
    }
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
      return FixedSizeListName(static_cast<const arrow::FixedSizeListType&>(type));
    default:
      break;
  }
  return Unsupported("type ", type.ToString(), " is not supported yet");
}

Result<std::shared_ptr<arrow::DataType>> FromLogicalType(std::string_view logical_type) {
  for (const PlainType& plain : PlainTypes()) {
    if (plain.name == logical_type) return plain.make();
  }
  const size_t colon = logical_type.find(':');
  if (colon == logical_type.npos) return NotCovered(logical_type);
  const std::string_view kind = logical_type.substr(0, colon);
  const std::string_view rest = logical_type.substr(colon + 1);
  if (kind == "decimal") return ParseDecimal(logical_type, rest);
  if (kind == "fixed_size_list") return ParseFixedSizeList(logical_type, rest);
  if (kind == "fixed_size_binary") {
    const auto width = ParseInt(rest);
    if (!width || *width <= 0) return NotCovered(logical_type);
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

Result<std::shared_ptr<arrow::Field>> ToArrowField(const Field& field) {
  auto type = FromLogicalType(field.logical_type);
  if (!type.ok()) return WithContext(type.status(), "field '" + field.name + "'");
  return arrow::field(field.name, *std::move(type), field.nullable, FromMap(field.metadata));
}

Result<Schema> Schema::FromArrow(const arrow::Schema& schema) {
  Schema out;
  for (const auto& from : schema.fields()) {
    const auto id = static_cast<int32_t>(out.fields.size());
    if (out.FindField(from->name()) != nullptr) {
      return InvalidArgument("schema has two fields named '", from->name(), "'");
    }
    ARROW_ASSIGN_OR_RAISE(Field field, FromArrowField(*from, id));
    out.fields.push_back(std::move(field));
  }
  out.metadata = ToMap(schema.metadata());
  return out;
}

Result<std::shared_ptr<arrow::Schema>> Schema::ToArrow() const {
  arrow::FieldVector arrow_fields;
  for (const Field& field : fields) {
    ARROW_ASSIGN_OR_RAISE(auto arrow_field, ToArrowField(field));
    arrow_fields.push_back(std::move(arrow_field));
  }
  return arrow::schema(std::move(arrow_fields), FromMap(metadata));
}

int32_t Schema::MaxFieldId() const { return MaxId(fields); }

const Field* Schema::FindField(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

Result<Schema> Schema::Project(std::span<const std::string> names) const {
  Schema out;
  out.metadata = metadata;
  for (const std::string& name : names) {
    if (out.FindField(name) != nullptr) {
      return InvalidArgument("column '", name, "' is asked for twice");
    }
    const Field* field = FindField(name);
    if (field == nullptr) {
      std::string known;
      for (const Field& other : fields) known += (known.empty() ? "" : ", ") + other.name;
      return NotFound("no column '", name, "'; there are: ", known);
    }
    out.fields.push_back(*field);
  }
  return out;
}

}  // namespace tusk::lance
