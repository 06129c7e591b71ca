#include "tusk/iceberg/schema.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>
#include <vector>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/iceberg/json_document.h"

namespace tusk::iceberg {
namespace {

/// Types nested deeper than this are refused; recursion over types relies on it.
constexpr int kMaxTypeDepth = 64;

using Json = nlohmann::json;

std::shared_ptr<const arrow::KeyValueMetadata> IdMetadata(int32_t id) {
  return arrow::key_value_metadata({std::string(kFieldIdKey)}, {std::to_string(id)});
}

/// The whole of `text` as a decimal number, or nothing.
std::optional<int32_t> ParseInt32(std::string_view text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view WithoutSpaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Result<std::shared_ptr<arrow::DataType>> ParseDecimal(std::string_view name) {
  std::string_view arguments = name.substr(8, name.size() - 9);
  const size_t comma = arguments.find(',');
  if (comma != arguments.npos) {
    const auto precision = ParseInt32(WithoutSpaces(arguments.substr(0, comma)));
    const auto scale = ParseInt32(WithoutSpaces(arguments.substr(comma + 1)));
    if (precision && scale && *precision >= 1 && *precision <= 38 && *scale >= 0 &&
        *scale <= *precision) {
      return arrow::decimal128(*precision, *scale);
    }
  }
  return Corrupt("malformed decimal type '", name, "'");
}

Result<std::shared_ptr<arrow::DataType>> ParsePrimitive(std::string_view name) {
  if (name == "boolean") return arrow::boolean();
  if (name == "int") return arrow::int32();
  if (name == "long") return arrow::int64();
  if (name == "float") return arrow::float32();
  if (name == "double") return arrow::float64();
  if (name == "date") return arrow::date32();
  if (name == "time") return arrow::time64(arrow::TimeUnit::MICRO);
  if (name == "timestamp") return arrow::timestamp(arrow::TimeUnit::MICRO);
  if (name == "timestamptz") return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  if (name == "string") return arrow::utf8();
  if (name == "uuid") return arrow::fixed_size_binary(16);
  if (name == "binary") return arrow::binary();
  if (name.starts_with("decimal(") && name.ends_with(")")) return ParseDecimal(name);
  if (name.starts_with("fixed[") && name.ends_with("]")) {
    const auto length = ParseInt32(name.substr(6, name.size() - 7));
    if (!length || *length < 1) return Corrupt("malformed fixed type '", name, "'");
    return arrow::fixed_size_binary(*length);
  }
  return Unsupported("type '", name, "' is not supported yet: types of format version 2 are");
}

Result<std::vector<std::shared_ptr<arrow::Field>>> ParseFields(const Json& type, int depth);
Result<std::shared_ptr<arrow::DataType>> ParseType(const Json& type, int depth);

/// A field `name` from its id, its JSON type and whether it must have a value.
Result<std::shared_ptr<arrow::Field>> MakeField(std::string name, int32_t id, const Json& type,
                                                bool required, int depth) {
  auto parsed = ParseType(type, depth);
  if (!parsed.ok()) return WithContext(parsed.status(), "field '" + name + "'");
  auto metadata = arrow::key_value_metadata({std::string(kFieldIdKey)}, {std::to_string(id)});
  if (type.is_string() && type.get_ref<const std::string&>() == "uuid") {
    metadata->Append(std::string(kIcebergTypeKey), "uuid");
  }
  return arrow::field(std::move(name), *std::move(parsed), !required, std::move(metadata));
}

Result<bool> RequiredBool(const Json& parent, const char* key) {
  const Json* member = FindMember(parent, key);
  if (member == nullptr || !member->is_boolean()) {
    return Corrupt("JSON member '", key, "' is not a boolean");
  }
  return member->get<bool>();
}

Result<const Json*> RequiredMember(const Json& parent, const char* key) {
  const Json* member = FindMember(parent, key);
  if (member == nullptr) return Corrupt("JSON member '", key, "' is missing");
  return member;
}

Result<std::shared_ptr<arrow::DataType>> ParseList(const Json& type, int depth) {
  ARROW_ASSIGN_OR_RAISE(const int32_t id, RequiredInt32(type, "element-id"));
  ARROW_ASSIGN_OR_RAISE(const bool required, RequiredBool(type, "element-required"));
  ARROW_ASSIGN_OR_RAISE(const Json* element, RequiredMember(type, "element"));
  ARROW_ASSIGN_OR_RAISE(auto field, MakeField("element", id, *element, required, depth));
  return arrow::list(field);
}

Result<std::shared_ptr<arrow::DataType>> ParseMap(const Json& type, int depth) {
  ARROW_ASSIGN_OR_RAISE(const int32_t key_id, RequiredInt32(type, "key-id"));
  ARROW_ASSIGN_OR_RAISE(const Json* key, RequiredMember(type, "key"));
  ARROW_ASSIGN_OR_RAISE(const int32_t value_id, RequiredInt32(type, "value-id"));
  ARROW_ASSIGN_OR_RAISE(const bool required, RequiredBool(type, "value-required"));
  ARROW_ASSIGN_OR_RAISE(const Json* value, RequiredMember(type, "value"));
  ARROW_ASSIGN_OR_RAISE(auto key_field, MakeField("key", key_id, *key, /*required=*/true, depth));
  ARROW_ASSIGN_OR_RAISE(auto value_field, MakeField("value", value_id, *value, required, depth));
  return std::make_shared<arrow::MapType>(std::move(key_field), std::move(value_field));
}

Result<std::shared_ptr<arrow::DataType>> ParseType(const Json& type, int depth) {
  if (depth > kMaxTypeDepth) return Corrupt("types nest deeper than ", kMaxTypeDepth, " levels");
  if (type.is_string()) return ParsePrimitive(type.get_ref<const std::string&>());
  if (!type.is_object()) return Corrupt("a type is neither a name nor a JSON object");
  ARROW_ASSIGN_OR_RAISE(const std::string kind, RequiredString(type, "type"));
  if (kind == "list") return ParseList(type, depth + 1);
  if (kind == "map") return ParseMap(type, depth + 1);
  if (kind != "struct") return Corrupt("unknown nested type '", kind, "'");
  ARROW_ASSIGN_OR_RAISE(auto fields, ParseFields(type, depth + 1));
  return arrow::struct_(fields);
}

Result<std::vector<std::shared_ptr<arrow::Field>>> ParseFields(const Json& type, int depth) {
  ARROW_ASSIGN_OR_RAISE(const Json* members, RequiredArray(type, "fields"));
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const Json& member : *members) {
    ARROW_ASSIGN_OR_RAISE(const int32_t id, RequiredInt32(member, "id"));
    ARROW_ASSIGN_OR_RAISE(std::string name, RequiredString(member, "name"));
    ARROW_ASSIGN_OR_RAISE(const bool required, RequiredBool(member, "required"));
    ARROW_ASSIGN_OR_RAISE(const Json* field_type, RequiredMember(member, "type"));
    ARROW_ASSIGN_OR_RAISE(auto field, MakeField(std::move(name), id, *field_type, required, depth));
    ARROW_ASSIGN_OR_RAISE(const auto doc, OptionalString(member, "doc"));
    if (doc.has_value()) {
      field = field->WithMergedMetadata(arrow::key_value_metadata({std::string(kDocKey)}, {*doc}));
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

/// Corrupt if an id occurs twice in or below `fields`.
Status CheckUniqueIds(const arrow::FieldVector& fields, std::set<int32_t>* seen) {
  for (const auto& field : fields) {
    const std::optional<int32_t> id = FieldId(*field);
    // The entries of a map are a struct of Arrow's own, without an id.
    if (id.has_value() && !seen->insert(*id).second) {
      return Corrupt("field id ", *id, " of '", field->name(), "' is used twice in one schema");
    }
    ARROW_RETURN_NOT_OK(CheckUniqueIds(field->type()->fields(), seen));
  }
  return Status::OK();
}

Result<int32_t> IdOf(const arrow::Field& field) {
  const std::optional<int32_t> id = FieldId(field);
  if (!id.has_value()) return InvalidArgument("field '", field.name(), "' has no field id");
  return *id;
}

Result<std::string> PrimitiveName(const arrow::Field& field) {
  const arrow::DataType& type = *field.type();
  switch (type.id()) {
    case arrow::Type::BOOL:
      return "boolean";
    case arrow::Type::INT32:
      return "int";
    case arrow::Type::INT64:
      return "long";
    case arrow::Type::FLOAT:
      return "float";
    case arrow::Type::DOUBLE:
      return "double";
    case arrow::Type::DATE32:
      return "date";
    case arrow::Type::TIME64:
      return "time";
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(type).timezone().empty() ? "timestamp"
                                                                               : "timestamptz";
    case arrow::Type::STRING:
      return "string";
    case arrow::Type::BINARY:
      return "binary";
    case arrow::Type::FIXED_SIZE_BINARY: {
      if (IsUuid(field)) return "uuid";
      const int32_t width = static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width();
      return "fixed[" + std::to_string(width) + "]";
    }
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return "decimal(" + std::to_string(decimal.precision()) + ", " +
             std::to_string(decimal.scale()) + ")";
    }
    default:
      return InvalidArgument("field '", field.name(), "': type ", type.ToString(),
                             " is not a stored type");
  }
}

Result<Json> FormatFields(const arrow::FieldVector& fields);

Result<Json> FormatType(const arrow::Field& field) {
  const arrow::DataType& type = *field.type();
  if (type.id() == arrow::Type::STRUCT) {
    ARROW_ASSIGN_OR_RAISE(Json fields, FormatFields(type.fields()));
    return Json{{"type", "struct"}, {"fields", std::move(fields)}};
  }
  if (type.id() == arrow::Type::LIST) {
    const arrow::Field& element = *type.field(0);
    ARROW_ASSIGN_OR_RAISE(const int32_t id, IdOf(element));
    ARROW_ASSIGN_OR_RAISE(Json element_type, FormatType(element));
    return Json{{"type", "list"},
                {"element-id", id},
                {"element", std::move(element_type)},
                {"element-required", !element.nullable()}};
  }
  if (type.id() == arrow::Type::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(type);
    ARROW_ASSIGN_OR_RAISE(const int32_t key_id, IdOf(*map.key_field()));
    ARROW_ASSIGN_OR_RAISE(Json key, FormatType(*map.key_field()));
    ARROW_ASSIGN_OR_RAISE(const int32_t value_id, IdOf(*map.item_field()));
    ARROW_ASSIGN_OR_RAISE(Json value, FormatType(*map.item_field()));
    return Json{{"type", "map"},
                {"key-id", key_id},
                {"key", std::move(key)},
                {"value-id", value_id},
                {"value", std::move(value)},
                {"value-required", !map.item_field()->nullable()}};
  }
  ARROW_ASSIGN_OR_RAISE(std::string name, PrimitiveName(field));
  return Json(std::move(name));
}

Result<Json> FormatFields(const arrow::FieldVector& fields) {
  Json members = Json::array();
  for (const auto& field : fields) {
    ARROW_ASSIGN_OR_RAISE(const int32_t id, IdOf(*field));
    ARROW_ASSIGN_OR_RAISE(Json type, FormatType(*field));
    Json member = {{"id", id},
                   {"name", field->name()},
                   {"required", !field->nullable()},
                   {"type", std::move(type)}};
    const int doc = field->metadata()->FindKey(kDocKey);
    if (doc >= 0) member["doc"] = field->metadata()->value(doc);
    members.push_back(std::move(member));
  }
  return members;
}

int32_t LargestFieldId(const arrow::FieldVector& fields) {
  int32_t largest = 0;
  for (const auto& field : fields) {
    largest =
        std::max({largest, FieldId(*field).value_or(0), LargestFieldId(field->type()->fields())});
  }
  return largest;
}

}  // namespace

std::optional<int32_t> FieldId(const arrow::Field& field) {
  if (field.metadata() == nullptr) return std::nullopt;
  const int index = field.metadata()->FindKey(kFieldIdKey);
  if (index < 0) return std::nullopt;
  return ParseInt32(field.metadata()->value(index));
}

std::shared_ptr<arrow::Field> WithFieldId(const std::shared_ptr<arrow::Field>& field, int32_t id) {
  return field->WithMetadata(IdMetadata(id));
}

bool IsUuid(const arrow::Field& field) {
  return field.metadata() != nullptr && field.metadata()->Contains(kIcebergTypeKey);
}

std::shared_ptr<arrow::Field> MarkUuid(const std::shared_ptr<arrow::Field>& field) {
  return field->WithMergedMetadata(
      arrow::key_value_metadata({std::string(kIcebergTypeKey)}, {"uuid"}));
}

Result<TableSchema> ParseSchema(std::string_view json) {
  ARROW_ASSIGN_OR_RAISE(const Json document, ParseJson(json, "schema", /*must_be_object=*/true));
  // The schema in a version 1 document may lack its id, which is then 0.
  TableSchema schema;
  if (FindMember(document, "schema-id") != nullptr) {
    ARROW_ASSIGN_OR_RAISE(schema.schema_id, RequiredInt32(document, "schema-id"));
  }
  ARROW_ASSIGN_OR_RAISE(auto fields, ParseFields(document, /*depth=*/0));
  std::set<int32_t> seen;
  ARROW_RETURN_NOT_OK(CheckUniqueIds(fields, &seen));
  schema.fields = arrow::schema(std::move(fields));
  return schema;
}

Result<std::string> FormatSchema(const TableSchema& schema) {
  ARROW_ASSIGN_OR_RAISE(Json fields, FormatFields(schema.fields->fields()));
  return FormatJson(
      {{"type", "struct"}, {"schema-id", schema.schema_id}, {"fields", std::move(fields)}},
      "schema");
}

int32_t LargestFieldId(const arrow::Schema& schema) { return LargestFieldId(schema.fields()); }

}  // namespace tusk::iceberg
