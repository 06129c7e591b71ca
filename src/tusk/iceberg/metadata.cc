#include "tusk/iceberg/metadata.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include <arrow/type.h>

#include "tusk/iceberg/json_document.h"
#include "tusk/iceberg/schema.h"

namespace tusk::iceberg {
namespace {

using Json = nlohmann::json;

constexpr int32_t kFirstPartitionFieldId = 1000;
constexpr int64_t kDefaultPreviousVersions = 100;

Result<std::map<std::string, std::string>> ParseStringMap(const Json& parent, const char* key) {
  std::map<std::string, std::string> map;
  const Json* member = FindMember(parent, key);
  if (member == nullptr) return map;
  if (!member->is_object()) return Corrupt("JSON member '", key, "' is not an object");
  for (const auto& [name, value] : member->items()) {
    if (!value.is_string()) return Corrupt("'", name, "' in '", key, "' is not a string");
    map.emplace(name, value.get<std::string>());
  }
  return map;
}

Status ParseSchemas(const Json& document, TableMetadata* metadata) {
  const auto add = [&](const Json& json) -> Status {
    ARROW_ASSIGN_OR_RAISE(const std::string text, FormatJson(json, "schema"));
    ARROW_ASSIGN_OR_RAISE(TableSchema schema, ParseSchema(text));
    metadata->current_schema_id = schema.schema_id;
    metadata->schemas.insert_or_assign(schema.schema_id, std::move(schema.fields));
    return Status::OK();
  };
  // Version 1 writers may know the one schema only.
  const Json* single = FindMember(document, "schema");
  if (FindMember(document, "schemas") == nullptr && metadata->format_version == 1 &&
      single != nullptr) {
    return add(*single);
  }
  ARROW_ASSIGN_OR_RAISE(const Json* schemas, RequiredArray(document, "schemas"));
  for (const Json& schema : *schemas) ARROW_RETURN_NOT_OK(add(schema));
  ARROW_ASSIGN_OR_RAISE(metadata->current_schema_id, RequiredInt32(document, "current-schema-id"));
  if (!metadata->schemas.contains(metadata->current_schema_id)) {
    return Corrupt("current schema ", metadata->current_schema_id, " is not among the schemas");
  }
  return Status::OK();
}

/// Takes the fields of one partition spec.
Status ParsePartitionFields(const Json& fields, TableMetadata* metadata) {
  for (const Json& field : fields) {
    ARROW_ASSIGN_OR_RAISE(const std::string transform, RequiredString(field, "transform"));
    if (transform != "void") metadata->is_partitioned = true;
    if (transform != "identity") continue;
    ARROW_ASSIGN_OR_RAISE(const int32_t column, RequiredInt32(field, "source-id"));
    metadata->identity_partition_columns.insert(column);
  }
  return Status::OK();
}

Status ParsePartitionSpecs(const Json& document, TableMetadata* metadata) {
  const Json* specs = FindMember(document, "partition-specs");
  if (specs == nullptr && metadata->format_version == 1) {
    ARROW_ASSIGN_OR_RAISE(const Json* fields, RequiredArray(document, "partition-spec"));
    return ParsePartitionFields(*fields, metadata);
  }
  ARROW_ASSIGN_OR_RAISE(specs, RequiredArray(document, "partition-specs"));
  ARROW_ASSIGN_OR_RAISE(metadata->default_spec_id, RequiredInt32(document, "default-spec-id"));
  for (const Json& spec : *specs) {
    ARROW_ASSIGN_OR_RAISE(const Json* fields, RequiredArray(spec, "fields"));
    ARROW_RETURN_NOT_OK(ParsePartitionFields(*fields, metadata));
  }
  return Status::OK();
}

Result<MetadataSnapshot> ParseSnapshot(const Json& json) {
  MetadataSnapshot snapshot;
  ARROW_ASSIGN_OR_RAISE(snapshot.info.snapshot_id, RequiredInteger(json, "snapshot-id"));
  ARROW_ASSIGN_OR_RAISE(snapshot.info.parent_snapshot_id,
                        OptionalInteger(json, "parent-snapshot-id"));
  ARROW_ASSIGN_OR_RAISE(const auto sequence_number, OptionalInteger(json, "sequence-number"));
  snapshot.info.sequence_number = sequence_number.value_or(0);
  ARROW_ASSIGN_OR_RAISE(snapshot.info.timestamp_ms, RequiredInteger(json, "timestamp-ms"));
  ARROW_ASSIGN_OR_RAISE(snapshot.info.summary, ParseStringMap(json, "summary"));
  ARROW_ASSIGN_OR_RAISE(const auto manifest_list, OptionalString(json, "manifest-list"));
  snapshot.manifest_list = manifest_list.value_or("");
  if (FindMember(json, "schema-id") != nullptr) {
    ARROW_ASSIGN_OR_RAISE(snapshot.schema_id, RequiredInt32(json, "schema-id"));
  }
  return snapshot;
}

Status ParseSnapshots(const Json& document, TableMetadata* metadata) {
  if (FindMember(document, "snapshots") != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const Json* snapshots, RequiredArray(document, "snapshots"));
    for (const Json& json : *snapshots) {
      ARROW_ASSIGN_OR_RAISE(MetadataSnapshot snapshot, ParseSnapshot(json));
      metadata->snapshots.push_back(std::move(snapshot));
    }
  }
  std::ranges::sort(metadata->snapshots, {}, [](const MetadataSnapshot& snapshot) {
    return std::tuple(snapshot.info.sequence_number, snapshot.info.timestamp_ms,
                      snapshot.info.snapshot_id);
  });
  ARROW_ASSIGN_OR_RAISE(metadata->current_snapshot_id,
                        OptionalInteger(document, "current-snapshot-id"));
  // Older writers say "none" by -1.
  if (metadata->current_snapshot_id == -1) metadata->current_snapshot_id.reset();
  if (metadata->current_snapshot_id.has_value() &&
      metadata->FindSnapshot(*metadata->current_snapshot_id) == nullptr) {
    return Corrupt("current snapshot ", *metadata->current_snapshot_id,
                   " is not among the snapshots");
  }
  return Status::OK();
}

Json SnapshotToJson(const MetadataSnapshot& snapshot) {
  Json json = {{"snapshot-id", snapshot.info.snapshot_id},
               {"sequence-number", snapshot.info.sequence_number},
               {"timestamp-ms", snapshot.info.timestamp_ms},
               {"manifest-list", snapshot.manifest_list},
               {"summary", snapshot.info.summary}};
  if (snapshot.info.parent_snapshot_id.has_value()) {
    json["parent-snapshot-id"] = *snapshot.info.parent_snapshot_id;
  }
  if (snapshot.schema_id.has_value()) json["schema-id"] = *snapshot.schema_id;
  return json;
}

/// The array member `key` of `document`, made if it is absent.
Result<Json*> ArrayMember(Json* document, const char* key) {
  Json& member = (*document)[key];
  if (member.is_null()) member = Json::array();
  if (!member.is_array()) return Corrupt("JSON member '", key, "' is not an array");
  return &member;
}

/// Makes `snapshot` the current one of `document`, as the head of the branch main.
Status AddSnapshot(const MetadataSnapshot& snapshot, Json* document) {
  const int64_t id = snapshot.info.snapshot_id;
  const int64_t time = snapshot.info.timestamp_ms;
  ARROW_ASSIGN_OR_RAISE(Json * snapshots, ArrayMember(document, "snapshots"));
  snapshots->push_back(SnapshotToJson(snapshot));
  ARROW_ASSIGN_OR_RAISE(Json * log, ArrayMember(document, "snapshot-log"));
  log->push_back({{"snapshot-id", id}, {"timestamp-ms", time}});
  (*document)["current-snapshot-id"] = id;
  (*document)["last-sequence-number"] = snapshot.info.sequence_number;
  (*document)["last-updated-ms"] = time;
  Json& refs = (*document)["refs"];
  if (refs.is_null()) refs = Json::object();
  if (!refs.is_object()) return Corrupt("JSON member 'refs' is not an object");
  // What else main says, its retention for one, stays.
  Json& main = refs["main"];
  if (!main.is_object()) main = {{"type", "branch"}};
  main["snapshot-id"] = id;
  return Status::OK();
}

/// How many entries the metadata log may have.
int64_t PreviousVersionsLimit(const TableMetadata& metadata) {
  const auto property = metadata.properties.find("write.metadata.previous-versions-max");
  if (property == metadata.properties.end()) return kDefaultPreviousVersions;
  const std::string& text = property->second;
  int64_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number ? std::max<int64_t>(limit, 1) : kDefaultPreviousVersions;
}

}  // namespace

const MetadataSnapshot* TableMetadata::FindSnapshot(int64_t snapshot_id) const {
  const auto found = std::ranges::find(
      snapshots, snapshot_id, [](const MetadataSnapshot& s) { return s.info.snapshot_id; });
  return found == snapshots.end() ? nullptr : &*found;
}

Result<TableMetadata> ParseMetadata(std::string_view json) {
  ARROW_ASSIGN_OR_RAISE(const Json document, ParseJson(json, "metadata", /*must_be_object=*/true));
  TableMetadata metadata;
  ARROW_ASSIGN_OR_RAISE(metadata.format_version, RequiredInt32(document, "format-version"));
  if (metadata.format_version < 1 || metadata.format_version > 2) {
    return Unsupported("Iceberg format version ", metadata.format_version,
                       " is not supported yet: 1 and 2 are");
  }
  // Only version 1 may lack the uuid.
  ARROW_ASSIGN_OR_RAISE(const auto uuid, OptionalString(document, "table-uuid"));
  if (!uuid.has_value() && metadata.format_version > 1) return Corrupt("table-uuid is missing");
  metadata.uuid = uuid.value_or("");
  ARROW_ASSIGN_OR_RAISE(metadata.location, RequiredString(document, "location"));
  ARROW_ASSIGN_OR_RAISE(metadata.last_updated_ms, RequiredInteger(document, "last-updated-ms"));
  if (metadata.format_version > 1) {
    ARROW_ASSIGN_OR_RAISE(metadata.last_sequence_number,
                          RequiredInteger(document, "last-sequence-number"));
  }
  ARROW_ASSIGN_OR_RAISE(metadata.properties, ParseStringMap(document, "properties"));
  ARROW_RETURN_NOT_OK(ParseSchemas(document, &metadata));
  ARROW_RETURN_NOT_OK(ParsePartitionSpecs(document, &metadata));
  ARROW_RETURN_NOT_OK(ParseSnapshots(document, &metadata));
  metadata.document = std::string(json);
  return metadata;
}

Result<std::string> FormatNewTable(const NewTable& table) {
  ARROW_ASSIGN_OR_RAISE(const std::string schema,
                        FormatSchema({.schema_id = 0, .fields = table.schema}));
  ARROW_ASSIGN_OR_RAISE(Json schema_json, ParseJson(schema, "schema", /*must_be_object=*/true));
  Json document = {
      {"format-version", 2},
      {"table-uuid", table.uuid},
      {"location", table.location},
      {"last-sequence-number", 0},
      {"last-updated-ms", table.timestamp_ms},
      {"last-column-id", LargestFieldId(*table.schema)},
      {"schemas", Json::array({std::move(schema_json)})},
      {"current-schema-id", 0},
      {"partition-specs", Json::array({Json{{"spec-id", 0}, {"fields", Json::array()}}})},
      {"default-spec-id", 0},
      {"last-partition-id", kFirstPartitionFieldId - 1},
      {"sort-orders", Json::array({Json{{"order-id", 0}, {"fields", Json::array()}}})},
      {"default-sort-order-id", 0},
      {"properties", table.properties},
      {"snapshots", Json::array()},
      {"snapshot-log", Json::array()},
      {"metadata-log", Json::array()},
      {"statistics", Json::array()},
      {"partition-statistics", Json::array()},
      {"refs", Json::object()}};
  if (table.snapshot.has_value()) ARROW_RETURN_NOT_OK(AddSnapshot(*table.snapshot, &document));
  return FormatJson(document, "table metadata");
}

Result<std::string> FormatWithSnapshot(const TableMetadata& base, std::string_view base_location,
                                       const MetadataSnapshot& snapshot) {
  ARROW_ASSIGN_OR_RAISE(Json document,
                        ParseJson(base.document, "metadata", /*must_be_object=*/true));
  ARROW_RETURN_NOT_OK(AddSnapshot(snapshot, &document));
  ARROW_ASSIGN_OR_RAISE(Json * log, ArrayMember(&document, "metadata-log"));
  log->push_back({{"metadata-file", base_location}, {"timestamp-ms", base.last_updated_ms}});
  const int64_t excess = std::ssize(*log) - PreviousVersionsLimit(base);
  if (excess > 0) log->erase(log->begin(), log->begin() + excess);
  return FormatJson(document, "table metadata");
}

}  // namespace tusk::iceberg
