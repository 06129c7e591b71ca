#include <set>
#include <utility>

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/iceberg/conversion.h"
#include "tusk/iceberg/data_writer.h"
#include "tusk/iceberg/schema.h"

// The type table of docs/decisions/003-types.md.
namespace tusk::iceberg {
namespace {

constexpr int kMaxTypeDepth = 64;

Status Refused(const arrow::DataType& type, std::string_view why = "") {
  return Unsupported("type ", type.ToString(), " cannot be kept in an Iceberg table of version 2",
                     why);
}

Result<std::shared_ptr<arrow::DataType>> StoredDecimal(const arrow::DataType& type) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(type);
  if (decimal.scale() < 0 || decimal.scale() > decimal.precision()) return Refused(type);
  return arrow::decimal128(decimal.precision(), decimal.scale());
}

/// True for Arrow's own extension type of uuids.
bool IsArrowUuid(const arrow::DataType& type) {
  return type.id() == arrow::Type::EXTENSION &&
         static_cast<const arrow::ExtensionType&>(type).extension_name() == "arrow.uuid";
}

Result<std::shared_ptr<arrow::DataType>> StoredPrimitive(
    const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
      return arrow::int32();
    case arrow::Type::UINT32:
      return arrow::int64();
    case arrow::Type::UINT64:
      return arrow::decimal128(20, 0);
    case arrow::Type::HALF_FLOAT:
      return arrow::float32();
    case arrow::Type::BOOL:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::DATE32:
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return type;
    case arrow::Type::FIXED_SIZE_BINARY: {
      if (static_cast<const arrow::FixedSizeBinaryType&>(*type).byte_width() < 1) {
        return Refused(*type);
      }
      return type;
    }
    case arrow::Type::EXTENSION:
      return IsArrowUuid(*type) ? arrow::fixed_size_binary(16)
                                : Result<std::shared_ptr<arrow::DataType>>(Refused(*type));
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
      return StoredDecimal(*type);
    case arrow::Type::DATE64:
      return arrow::date32();
    case arrow::Type::TIME32:
      return arrow::time64(arrow::TimeUnit::MICRO);
    case arrow::Type::TIME64:
      if (static_cast<const arrow::Time64Type&>(*type).unit() == arrow::TimeUnit::NANO) {
        return Refused(*type, ": it has no nanoseconds, cast to microseconds");
      }
      return type;
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(*type);
      if (timestamp.unit() == arrow::TimeUnit::NANO) {
        return Refused(*type, ": it has no nanoseconds, cast to microseconds");
      }
      if (timestamp.timezone().empty()) return arrow::timestamp(arrow::TimeUnit::MICRO);
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    }
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return arrow::utf8();
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
      return arrow::binary();
    default:
      return Refused(*type);
  }
}

Result<std::shared_ptr<arrow::Field>> StoredField(const arrow::Field& field, std::string name,
                                                  int depth);

/// The stored form of `type`, without ids.
Result<std::shared_ptr<arrow::DataType>> StoredType(const std::shared_ptr<arrow::DataType>& type,
                                                    int depth) {
  if (depth > kMaxTypeDepth) return Unsupported("types nest deeper than ", kMaxTypeDepth);
  switch (type->id()) {
    case arrow::Type::DICTIONARY:
      return StoredType(static_cast<const arrow::DictionaryType&>(*type).value_type(), depth + 1);
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST: {
      ARROW_ASSIGN_OR_RAISE(auto element, StoredField(*type->field(0), "element", depth + 1));
      return arrow::list(std::move(element));
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      ARROW_ASSIGN_OR_RAISE(auto key, StoredField(*map.key_field(), "key", depth + 1));
      ARROW_ASSIGN_OR_RAISE(auto value, StoredField(*map.item_field(), "value", depth + 1));
      return std::make_shared<arrow::MapType>(key->WithNullable(false), std::move(value));
    }
    case arrow::Type::STRUCT: {
      if (type->num_fields() == 0) return Refused(*type, ": it has no fields");
      std::set<std::string_view> names;
      arrow::FieldVector fields;
      for (const auto& child : type->fields()) {
        if (!names.insert(child->name()).second) {
          return InvalidArgument("struct has two fields named '", child->name(), "'");
        }
        ARROW_ASSIGN_OR_RAISE(auto stored, StoredField(*child, child->name(), depth + 1));
        fields.push_back(std::move(stored));
      }
      return arrow::struct_(fields);
    }
    default:
      return StoredPrimitive(type);
  }
}

Result<std::shared_ptr<arrow::Field>> StoredField(const arrow::Field& field, std::string name,
                                                  int depth) {
  auto type = StoredType(field.type(), depth);
  if (!type.ok()) return WithContext(type.status(), "field '" + field.name() + "'");
  auto stored = arrow::field(std::move(name), *std::move(type), field.nullable());
  return IsArrowUuid(*field.type()) ? MarkUuid(stored) : stored;
}

/// Gives ids to `fields`, all of one level first, then to what is nested in them.
arrow::FieldVector AssignIds(const arrow::FieldVector& fields, int32_t* next_id);

std::shared_ptr<arrow::DataType> AssignIds(const std::shared_ptr<arrow::DataType>& type,
                                           int32_t* next_id) {
  switch (type->id()) {
    case arrow::Type::STRUCT:
      return arrow::struct_(AssignIds(type->fields(), next_id));
    case arrow::Type::LIST:
      return arrow::list(AssignIds(type->fields(), next_id).front());
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      auto fields = AssignIds({map.key_field(), map.item_field()}, next_id);
      return std::make_shared<arrow::MapType>(std::move(fields[0]), std::move(fields[1]));
    }
    default:
      return type;
  }
}

arrow::FieldVector AssignIds(const arrow::FieldVector& fields, int32_t* next_id) {
  arrow::FieldVector result;
  for (const auto& field : fields) {
    const auto with_id = WithFieldId(field, (*next_id)++);
    result.push_back(IsUuid(*field) ? MarkUuid(with_id) : with_id);
  }
  for (auto& field : result) field = field->WithType(AssignIds(field->type(), next_id));
  return result;
}

void AddTypeProperties(const arrow::DataType& given, const arrow::Field& stored,
                       std::map<std::string, std::string>* properties);

void AddChildProperties(const arrow::DataType& given, const arrow::DataType& stored,
                        std::map<std::string, std::string>* properties) {
  for (int i = 0; i < given.num_fields(); ++i) {
    AddTypeProperties(*given.field(i)->type(), *stored.field(i), properties);
  }
}

void AddTypeProperties(const arrow::DataType& given, const arrow::Field& stored,
                       std::map<std::string, std::string>* properties) {
  const auto set = [&](std::string_view property, std::string value) {
    if (const auto id = FieldId(stored)) {
      (*properties)[std::string(property) + std::to_string(*id)] = std::move(value);
    }
  };
  if (given.id() == arrow::Type::DICTIONARY) {
    const auto& values = static_cast<const arrow::DictionaryType&>(given).value_type();
    return AddTypeProperties(*values, stored, properties);
  }
  if (given.id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListType&>(given);
    set(kFixedSizeListProperty, std::to_string(list.list_size()));
  }
  if (given.id() == arrow::Type::TIMESTAMP) {
    const auto& timezone = static_cast<const arrow::TimestampType&>(given).timezone();
    if (!timezone.empty() && timezone != "UTC") set(kTimezoneProperty, timezone);
  }
  AddChildProperties(given, *stored.type(), properties);
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> StoredSchema(const arrow::Schema& schema) {
  if (schema.num_fields() == 0) return InvalidArgument("an Iceberg table needs a column");
  // The columns of a table are the fields of one struct.
  ARROW_ASSIGN_OR_RAISE(const auto stored, StoredType(arrow::struct_(schema.fields()), 0));
  int32_t next_id = 1;
  return arrow::schema(AssignIds(stored->fields(), &next_id));
}

std::map<std::string, std::string> TypeProperties(const arrow::Schema& given,
                                                  const arrow::Schema& stored) {
  std::map<std::string, std::string> properties;
  for (int i = 0; i < given.num_fields(); ++i) {
    AddTypeProperties(*given.field(i)->type(), *stored.field(i), &properties);
  }
  return properties;
}

}  // namespace tusk::iceberg
