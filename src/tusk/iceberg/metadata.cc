#include "tusk/iceberg/metadata.h"

#include <algorithm>
#include <limits>
#include <ranges>
#include <tuple>
#include <utility>

#include <arrow/type.h>

#include "tusk/iceberg/json_document.h"
#include "tusk/iceberg/partition_spec_json.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/transform.h"

namespace tusk::iceberg {
namespace {

using Json = nlohmann::json;

constexpr int32_t kFirstPartitionFieldId = 1000;
/// Far below the ids that the format reserves; ids count on from the last one.
constexpr int32_t kMaxAssignedId = 2'000'000'000;

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

Status ParsePartitionSpecs(const Json& document, TableMetadata* metadata) {
  const Json* specs = FindMember(document, "partition-specs");
  if (specs == nullptr && metadata->format_version == 1) {
    ARROW_ASSIGN_OR_RAISE(const Json* fields, RequiredArray(document, "partition-spec"));
    ARROW_ASSIGN_OR_RAISE(metadata->specs[0].fields, ParsePartitionFields(*fields));
  } else {
    ARROW_ASSIGN_OR_RAISE(specs, RequiredArray(document, "partition-specs"));
    ARROW_ASSIGN_OR_RAISE(metadata->default_spec_id, RequiredInt32(document, "default-spec-id"));
    for (const Json& json : *specs) {
      PartitionSpec spec;
      ARROW_ASSIGN_OR_RAISE(spec.spec_id, RequiredInt32(json, "spec-id"));
      ARROW_ASSIGN_OR_RAISE(const Json* fields, RequiredArray(json, "fields"));
      ARROW_ASSIGN_OR_RAISE(spec.fields, ParsePartitionFields(*fields));
      metadata->specs.insert_or_assign(spec.spec_id, std::move(spec));
    }
  }
  if (!metadata->specs.contains(metadata->default_spec_id)) {
    return Corrupt("default partition spec ", metadata->default_spec_id, " is not among the specs");
  }
  metadata->last_partition_id = kFirstPartitionFieldId - 1;
  for (const auto& [id, spec] : metadata->specs) {
    for (const PartitionField& field : spec.fields) {
      metadata->last_partition_id = std::max(metadata->last_partition_id, field.field_id);
    }
  }
  // It counts fields of specs that are gone, too.
  ARROW_ASSIGN_OR_RAISE(const auto last, OptionalInteger(document, "last-partition-id"));
  if (last.has_value()) {
    ARROW_ASSIGN_OR_RAISE(const int32_t id, RequiredInt32(document, "last-partition-id"));
    metadata->last_partition_id = std::max(metadata->last_partition_id, id);
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

Status ParseSnapshotLog(const Json& document, TableMetadata* metadata) {
  if (FindMember(document, "snapshot-log") == nullptr) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const Json* log, RequiredArray(document, "snapshot-log"));
  for (const Json& json : *log) {
    SnapshotLogEntry entry;
    ARROW_ASSIGN_OR_RAISE(entry.timestamp_ms, RequiredInteger(json, "timestamp-ms"));
    ARROW_ASSIGN_OR_RAISE(entry.snapshot_id, RequiredInteger(json, "snapshot-id"));
    metadata->snapshot_log.push_back(entry);
  }
  return Status::OK();
}

Result<SnapshotRef> ParseRef(const std::string& name, const Json& json) {
  SnapshotRef ref{.name = name};
  ARROW_ASSIGN_OR_RAISE(const std::string type, RequiredString(json, "type"));
  if (type != "branch" && type != "tag") return Corrupt("reference '", name, "' is a ", type);
  ref.is_tag = type == "tag";
  ARROW_ASSIGN_OR_RAISE(ref.snapshot_id, RequiredInteger(json, "snapshot-id"));
  ARROW_ASSIGN_OR_RAISE(ref.max_ref_age_ms, OptionalInteger(json, "max-ref-age-ms"));
  ARROW_ASSIGN_OR_RAISE(ref.max_snapshot_age_ms, OptionalInteger(json, "max-snapshot-age-ms"));
  ARROW_ASSIGN_OR_RAISE(ref.min_snapshots_to_keep, OptionalInteger(json, "min-snapshots-to-keep"));
  return ref;
}

Status ParseRefs(const Json& document, TableMetadata* metadata) {
  if (const Json* refs = FindMember(document, "refs")) {
    if (!refs->is_object()) return Corrupt("JSON member 'refs' is not an object");
    for (const auto& [name, json] : refs->items()) {
      ARROW_ASSIGN_OR_RAISE(SnapshotRef ref, ParseRef(name, json));
      if (metadata->FindSnapshot(ref.snapshot_id) == nullptr) {
        return Corrupt("reference '", name, "' is to the unknown snapshot ", ref.snapshot_id);
      }
      metadata->refs.emplace(name, std::move(ref));
    }
  }
  const auto& current = metadata->current_snapshot_id;
  const auto main = metadata->refs.find("main");
  if (main != metadata->refs.end() && main->second.snapshot_id != current) {
    return Corrupt("the branch main is at snapshot ", main->second.snapshot_id,
                   ", but the current snapshot is another one");
  }
  if (main == metadata->refs.end() && current.has_value()) {
    metadata->refs.emplace("main", SnapshotRef{.name = "main", .snapshot_id = *current});
  }
  return Status::OK();
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
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
  if (metadata.last_updated_ms == kLast || metadata.last_sequence_number == kLast) {
    return Corrupt("last-updated-ms ", metadata.last_updated_ms, " or last-sequence-number ",
                   metadata.last_sequence_number, " leaves no number for a further snapshot");
  }
  ARROW_ASSIGN_OR_RAISE(metadata.properties, ParseStringMap(document, "properties"));
  ARROW_RETURN_NOT_OK(ParseSchemas(document, &metadata));
  ARROW_ASSIGN_OR_RAISE(metadata.last_column_id, RequiredInt32(document, "last-column-id"));
  for (const auto& [id, schema] : metadata.schemas) {
    metadata.last_column_id = std::max(metadata.last_column_id, LargestFieldId(*schema));
  }
  ARROW_RETURN_NOT_OK(ParsePartitionSpecs(document, &metadata));
  if (std::max(metadata.last_column_id, metadata.last_partition_id) > kMaxAssignedId) {
    return Corrupt("last-column-id ", metadata.last_column_id, " or last-partition-id ",
                   metadata.last_partition_id, " leaves no ids for further fields");
  }
  ARROW_RETURN_NOT_OK(ParseSnapshots(document, &metadata));
  ARROW_RETURN_NOT_OK(ParseSnapshotLog(document, &metadata));
  ARROW_RETURN_NOT_OK(ParseRefs(document, &metadata));
  metadata.document = std::string(json);
  return metadata;
}

std::shared_ptr<arrow::Field> TableMetadata::FindColumn(int32_t field_id) const {
  if (auto field = FindFieldById(*schema(), field_id)) return field;
  for (const auto& [id, schema] : std::views::reverse(schemas)) {
    if (auto field = FindFieldById(*schema, field_id)) return field;
  }
  return nullptr;
}

}  // namespace tusk::iceberg
