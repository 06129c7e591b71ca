#include "tusk/iceberg/partition_spec_json.h"

#include <utility>

namespace tusk::iceberg {
namespace {

using Json = nlohmann::json;

constexpr int32_t kFirstFieldId = 1000;

}  // namespace

Result<std::vector<PartitionField>> ParsePartitionFields(const Json& fields) {
  if (!fields.is_array()) return Corrupt("the fields of a partition spec are not an array");
  std::vector<PartitionField> parsed;
  for (const Json& json : fields) {
    PartitionField field;
    ARROW_ASSIGN_OR_RAISE(field.name, RequiredString(json, "name"));
    ARROW_ASSIGN_OR_RAISE(const std::string transform, RequiredString(json, "transform"));
    ARROW_ASSIGN_OR_RAISE(field.transform, Transform::Parse(transform));
    ARROW_ASSIGN_OR_RAISE(field.source_id, RequiredInt32(json, "source-id"));
    field.field_id = kFirstFieldId + static_cast<int32_t>(parsed.size());
    if (FindMember(json, "field-id") != nullptr) {
      ARROW_ASSIGN_OR_RAISE(field.field_id, RequiredInt32(json, "field-id"));
    }
    parsed.push_back(std::move(field));
  }
  return parsed;
}

Json FormatPartitionFields(const std::vector<PartitionField>& fields) {
  Json array = Json::array();
  for (const PartitionField& field : fields) {
    array.push_back({{"name", field.name},
                     {"transform", field.transform.ToString()},
                     {"source-id", field.source_id},
                     {"field-id", field.field_id}});
  }
  return array;
}

}  // namespace tusk::iceberg
