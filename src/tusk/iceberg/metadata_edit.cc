#include "tusk/iceberg/metadata_edit.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
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
constexpr int64_t kDefaultPreviousVersions = 100;

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

/// The object member `key` of `document`, made if it is absent.
Result<Json*> ObjectMember(Json* document, const char* key) {
  Json& member = (*document)[key];
  if (member.is_null()) member = Json::object();
  if (!member.is_object()) return Corrupt("JSON member '", key, "' is not an object");
  return &member;
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

Result<Json> SchemaToJson(int32_t schema_id, const std::shared_ptr<arrow::Schema>& schema) {
  ARROW_ASSIGN_OR_RAISE(const std::string text,
                        FormatSchema({.schema_id = schema_id, .fields = schema}));
  return ParseJson(text, "schema", /*must_be_object=*/true);
}

Json SpecToJson(const PartitionSpec& spec) {
  return {{"spec-id", spec.spec_id}, {"fields", FormatPartitionFields(spec.fields)}};
}

int32_t LastFieldId(const PartitionSpec& spec) {
  int32_t last = kFirstPartitionFieldId - 1;
  for (const PartitionField& field : spec.fields) last = std::max(last, field.field_id);
  return last;
}

/// The largest id that the members of `array` have under `key`; -1 if there are none.
Result<int32_t> LargestId(const Json& array, const char* key) {
  int32_t largest = -1;
  for (const Json& member : array) {
    ARROW_ASSIGN_OR_RAISE(const int32_t id, RequiredInt32(member, key));
    largest = std::max(largest, id);
  }
  if (largest == std::numeric_limits<int32_t>::max()) {
    return Corrupt("JSON member '", key, "' is ", largest, ": there is no id left");
  }
  return largest;
}

}  // namespace

struct MetadataEdit::State {
  Json document;
};

MetadataEdit::MetadataEdit(std::unique_ptr<State> state) : state_(std::move(state)) {}
MetadataEdit::MetadataEdit(MetadataEdit&&) noexcept = default;
MetadataEdit& MetadataEdit::operator=(MetadataEdit&&) noexcept = default;
MetadataEdit::~MetadataEdit() = default;

Result<MetadataEdit> MetadataEdit::OfNewTable(const NewTable& table, int64_t timestamp_ms) {
  ARROW_ASSIGN_OR_RAISE(Json schema, SchemaToJson(0, table.schema));
  auto state = std::make_unique<State>();
  state->document = {
      {"format-version", 2},
      {"table-uuid", table.uuid},
      {"location", table.location},
      {"last-sequence-number", 0},
      {"last-updated-ms", timestamp_ms},
      {"last-column-id", LargestFieldId(*table.schema)},
      {"schemas", Json::array({std::move(schema)})},
      {"current-schema-id", 0},
      {"partition-specs", Json::array({SpecToJson(table.spec)})},
      {"default-spec-id", table.spec.spec_id},
      {"last-partition-id", LastFieldId(table.spec)},
      {"sort-orders", Json::array({Json{{"order-id", 0}, {"fields", Json::array()}}})},
      {"default-sort-order-id", 0},
      {"properties", table.properties},
      {"snapshots", Json::array()},
      {"snapshot-log", Json::array()},
      {"metadata-log", Json::array()},
      {"statistics", Json::array()},
      {"partition-statistics", Json::array()},
      {"refs", Json::object()}};
  return MetadataEdit(std::move(state));
}

Result<MetadataEdit> MetadataEdit::Of(const TableMetadata& base, std::string_view base_location) {
  auto state = std::make_unique<State>();
  ARROW_ASSIGN_OR_RAISE(state->document,
                        ParseJson(base.document, "metadata", /*must_be_object=*/true));
  ARROW_ASSIGN_OR_RAISE(Json * log, ArrayMember(&state->document, "metadata-log"));
  log->push_back({{"metadata-file", base_location}, {"timestamp-ms", base.last_updated_ms}});
  const int64_t excess = std::ssize(*log) - PreviousVersionsLimit(base);
  if (excess > 0) log->erase(log->begin(), log->begin() + excess);
  return MetadataEdit(std::move(state));
}

Status MetadataEdit::AddSnapshot(const MetadataSnapshot& snapshot, const std::string& branch) {
  ARROW_ASSIGN_OR_RAISE(Json * snapshots, ArrayMember(&state_->document, "snapshots"));
  snapshots->push_back(SnapshotToJson(snapshot));
  state_->document["last-sequence-number"] = snapshot.info.sequence_number;
  return SetRef({.name = branch, .snapshot_id = snapshot.info.snapshot_id},
                snapshot.info.timestamp_ms);
}

Status MetadataEdit::SetRef(const SnapshotRef& ref, int64_t timestamp_ms) {
  ARROW_ASSIGN_OR_RAISE(Json * refs, ObjectMember(&state_->document, "refs"));
  // What else the reference says, its retention for one, stays.
  Json& json = (*refs)[ref.name];
  if (!json.is_object()) json = Json::object();
  json["type"] = ref.is_tag ? "tag" : "branch";
  json["snapshot-id"] = ref.snapshot_id;
  const auto set = [&](const char* key, const std::optional<int64_t>& value) {
    if (value.has_value()) json[key] = *value;
  };
  set("max-ref-age-ms", ref.max_ref_age_ms);
  set("max-snapshot-age-ms", ref.max_snapshot_age_ms);
  set("min-snapshots-to-keep", ref.min_snapshots_to_keep);
  if (ref.name != kMainBranch) return Status::OK();
  state_->document["current-snapshot-id"] = ref.snapshot_id;
  ARROW_ASSIGN_OR_RAISE(Json * log, ArrayMember(&state_->document, "snapshot-log"));
  log->push_back({{"snapshot-id", ref.snapshot_id}, {"timestamp-ms", timestamp_ms}});
  return Status::OK();
}

Status MetadataEdit::RemoveRef(const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(Json * refs, ObjectMember(&state_->document, "refs"));
  refs->erase(name);
  return Status::OK();
}

Status MetadataEdit::SetSchema(const std::shared_ptr<arrow::Schema>& schema,
                               int32_t last_column_id) {
  ARROW_ASSIGN_OR_RAISE(Json * schemas, ArrayMember(&state_->document, "schemas"));
  state_->document["last-column-id"] = last_column_id;
  ARROW_ASSIGN_OR_RAISE(const int32_t largest, LargestId(*schemas, "schema-id"));
  ARROW_ASSIGN_OR_RAISE(Json added, SchemaToJson(largest + 1, schema));
  ARROW_ASSIGN_OR_RAISE(const int32_t current,
                        RequiredInt32(state_->document, "current-schema-id"));
  for (const Json& json : *schemas) {
    const Json* identifiers = FindMember(json, "identifier-field-ids");
    if (json["schema-id"] != current || identifiers == nullptr) continue;
    // What makes up a row's identity stays, as far as it is there.
    added["identifier-field-ids"] = Json::array();
    for (const Json& id : *identifiers) {
      if (id.is_number_integer() && FindFieldById(*schema, id.get<int32_t>()) != nullptr) {
        added["identifier-field-ids"].push_back(id);
      }
    }
  }
  for (const Json& json : *schemas) {
    Json known = json;
    known["schema-id"] = added["schema-id"];
    if (known != added) continue;
    state_->document["current-schema-id"] = json["schema-id"];
    return Status::OK();
  }
  state_->document["current-schema-id"] = added["schema-id"];
  schemas->push_back(std::move(added));
  return Status::OK();
}

Status MetadataEdit::SetSpec(const PartitionSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(Json * specs, ArrayMember(&state_->document, "partition-specs"));
  for (const Json& json : *specs) {
    ARROW_ASSIGN_OR_RAISE(const Json* fields, RequiredArray(json, "fields"));
    ARROW_ASSIGN_OR_RAISE(const auto known, ParsePartitionFields(*fields));
    if (known != spec.fields) continue;
    state_->document["default-spec-id"] = json["spec-id"];
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const int32_t largest, LargestId(*specs, "spec-id"));
  PartitionSpec added = spec;
  added.spec_id = largest + 1;
  specs->push_back(SpecToJson(added));
  state_->document["default-spec-id"] = added.spec_id;
  ARROW_ASSIGN_OR_RAISE(const auto last, OptionalInteger(state_->document, "last-partition-id"));
  state_->document["last-partition-id"] =
      std::max<int64_t>(last.value_or(kFirstPartitionFieldId - 1), LastFieldId(added));
  return Status::OK();
}

Status MetadataEdit::SetProperties(
    const std::map<std::string, std::optional<std::string>>& properties) {
  ARROW_ASSIGN_OR_RAISE(Json * members, ObjectMember(&state_->document, "properties"));
  for (const auto& [key, value] : properties) {
    if (value.has_value()) {
      (*members)[key] = *value;
    } else {
      members->erase(key);
    }
  }
  return Status::OK();
}

Result<std::string> MetadataEdit::Finish(int64_t timestamp_ms) {
  state_->document["last-updated-ms"] = timestamp_ms;
  return FormatJson(state_->document, "table metadata");
}

}  // namespace tusk::iceberg
