#include "tusk/iceberg/avro_schema.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tusk/iceberg/json_document.h"

namespace tusk::iceberg {
namespace {

using Json = nlohmann::json;
using Kind = AvroType::Kind;

/// A schema whose named types expand to more than this could make a reader walk far more than the
/// bytes of a file ask for. Iceberg's have below a hundred plus the partition fields.
constexpr int64_t kMaxNodes = 10'000;
/// Parts of a value that take no bytes cost time for which a file has nothing to show. Iceberg has
/// such only where a partition has no fields.
constexpr int64_t kMaxEmpty = 100;
constexpr int kMaxDepth = 64;

const std::map<std::string_view, Kind>& PrimitiveKinds() {
  static const auto* kinds = new std::map<std::string_view, Kind>{
      {"null", Kind::kNull},   {"boolean", Kind::kBoolean}, {"int", Kind::kInt},
      {"long", Kind::kLong},   {"float", Kind::kFloat},     {"double", Kind::kDouble},
      {"bytes", Kind::kBytes}, {"string", Kind::kString}};
  return *kinds;
}

class Parser {
 public:
  Result<std::shared_ptr<const AvroType>> Parse(const Json& json, int depth) {
    if (depth > kMaxDepth) return Corrupt("Avro schema nests deeper than ", kMaxDepth, " types");
    if (json.is_string()) return ParseName(json.get_ref<const std::string&>());
    if (json.is_array()) return ParseUnion(json, depth);
    if (json.is_object()) return ParseObject(json, depth);
    return Corrupt("a type in an Avro schema is neither a name, a union nor an object");
  }

 private:
  static Result<std::shared_ptr<const AvroType>> Finished(AvroType type) {
    if (type.kind == Kind::kNull || (type.kind == Kind::kFixed && type.fixed_size == 0)) {
      type.least_bytes = 0;
      type.empty_count = 1;
    }
    if (type.empty_count > kMaxEmpty) {
      return Corrupt("Avro schema with more than ", kMaxEmpty, " parts of a value without bytes");
    }
    if (type.node_count > kMaxNodes) {
      return Corrupt("Avro schema describes more than ", kMaxNodes, " types");
    }
    return std::make_shared<const AvroType>(std::move(type));
  }

  Result<std::shared_ptr<const AvroType>> ParseName(const std::string& name) {
    const auto primitive = PrimitiveKinds().find(name);
    if (primitive != PrimitiveKinds().end()) {
      AvroType type;
      type.kind = primitive->second;
      return Finished(std::move(type));
    }
    // A type is entered once it is complete, so a type cannot refer to itself.
    const auto named = named_.find(name);
    if (named != named_.end()) return named->second;
    return Corrupt("Avro schema names an unknown or recursive type '", name, "'");
  }

  Result<std::shared_ptr<const AvroType>> ParseUnion(const Json& json, int depth) {
    AvroType type;
    type.kind = Kind::kUnion;
    for (const Json& branch : json) {
      ARROW_ASSIGN_OR_RAISE(auto parsed, Parse(branch, depth + 1));
      type.node_count += parsed->node_count;
      type.empty_count = std::max(type.empty_count, parsed->empty_count);
      type.branches.push_back(std::move(parsed));
    }
    if (type.branches.empty()) return Corrupt("Avro schema has a union without branches");
    return Finished(std::move(type));
  }

  Result<std::shared_ptr<const AvroType>> ParseObject(const Json& json, int depth) {
    const Json* kind = FindMember(json, "type");
    if (kind == nullptr) return Corrupt("a type in an Avro schema lacks its 'type'");
    // {"type": {"type": "array", ...}} is allowed.
    if (!kind->is_string()) return Parse(*kind, depth + 1);
    const auto& name = kind->get_ref<const std::string&>();
    AvroType type;
    if (name == "record" || name == "error") {
      ARROW_RETURN_NOT_OK(ParseRecord(json, depth, &type));
    } else if (name == "array" || name == "map") {
      ARROW_RETURN_NOT_OK(ParseItems(json, depth, name == "array", &type));
    } else if (name == "fixed") {
      type.kind = Kind::kFixed;
      ARROW_ASSIGN_OR_RAISE(type.fixed_size, RequiredInteger(json, "size"));
      if (type.fixed_size < 0) return Corrupt("Avro fixed type of ", type.fixed_size, " bytes");
    } else if (name == "enum") {
      type.kind = Kind::kEnum;
    } else {
      ARROW_ASSIGN_OR_RAISE(auto referred, ParseName(name));
      type = *referred;
    }
    ARROW_ASSIGN_OR_RAISE(auto logical_type, OptionalString(json, "logicalType"));
    if (logical_type.has_value()) type.logical_type = *std::move(logical_type);
    ARROW_ASSIGN_OR_RAISE(auto finished, Finished(std::move(type)));
    if (name == "record" || name == "error" || name == "fixed" || name == "enum") {
      ARROW_RETURN_NOT_OK(Remember(json, finished));
    }
    return finished;
  }

  Status ParseRecord(const Json& json, int depth, AvroType* type) {
    type->kind = Kind::kRecord;
    type->least_bytes = 0;
    ARROW_ASSIGN_OR_RAISE(const Json* fields, RequiredArray(json, "fields"));
    for (const Json& member : *fields) {
      AvroField field;
      ARROW_ASSIGN_OR_RAISE(field.name, RequiredString(member, "name"));
      if (FindMember(member, "field-id") != nullptr) {
        ARROW_ASSIGN_OR_RAISE(field.id, RequiredInt32(member, "field-id"));
      }
      const Json* field_type = FindMember(member, "type");
      if (field_type == nullptr) return Corrupt("Avro field '", field.name, "' has no type");
      ARROW_ASSIGN_OR_RAISE(field.type, Parse(*field_type, depth + 1));
      type->node_count += field.type->node_count;
      type->empty_count += field.type->empty_count;
      type->least_bytes = std::max(type->least_bytes, field.type->least_bytes);
      type->fields.push_back(std::move(field));
    }
    return Status::OK();
  }

  Status ParseItems(const Json& json, int depth, bool is_array, AvroType* type) {
    type->kind = is_array ? Kind::kArray : Kind::kMap;
    const Json* item = FindMember(json, is_array ? "items" : "values");
    if (item == nullptr) return Corrupt("Avro array or map without the type of its items");
    ARROW_ASSIGN_OR_RAISE(type->item, Parse(*item, depth + 1));
    type->node_count += type->item->node_count;
    if (is_array && type->item->least_bytes == 0) {
      return Corrupt("Avro array whose items take no bytes");
    }
    return Status::OK();
  }

  /// Enters a complete named type under its name, with and without its namespace.
  Status Remember(const Json& json, const std::shared_ptr<const AvroType>& type) {
    ARROW_ASSIGN_OR_RAISE(const std::string name, RequiredString(json, "name"));
    ARROW_ASSIGN_OR_RAISE(const auto name_space, OptionalString(json, "namespace"));
    named_[name] = type;
    if (name_space.has_value()) named_[*name_space + "." + name] = type;
    return Status::OK();
  }

  std::map<std::string, std::shared_ptr<const AvroType>> named_;
};

}  // namespace

Result<std::shared_ptr<const AvroType>> ParseAvroSchema(std::string_view json) {
  ARROW_ASSIGN_OR_RAISE(const Json document,
                        ParseJson(json, "Avro schema", /*must_be_object=*/false));
  return Parser().Parse(document, /*depth=*/0);
}

}  // namespace tusk::iceberg
