#include "tusk/lance/table/transaction_json.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <concepts>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/type.h>
#include <nlohmann/json.hpp>

#include "tusk/base/uuid.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/schema_json.h"
#include "tusk/lance/table/json_values.h"

namespace tusk::lance {
namespace {

// To JSON.

Json BytesToJson(std::string_view bytes) {
  Json numbers = Json::array();
  for (const char c : bytes) numbers.push_back(static_cast<uint8_t>(c));
  return numbers;
}

template <typename T>
Json OptionalToJson(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// What lists are of.
Json ToJson(const DataFile& file);
Json ToJson(const Fragment& fragment);
Json ToJson(const Field& field);
Json ToJson(const BasePath& base);
Json ToJson(const IndexFile& file);
Json ToJson(const IndexMetadata& index);

template <typename T>
Json ListToJson(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(ToJson(value));
  return list;
}

std::string FormatUuid(std::string_view bytes) {
  std::array<uint8_t, 16> uuid = {};
  if (bytes.size() == uuid.size()) std::ranges::copy(bytes, uuid.begin());
  return tusk::FormatUuid(uuid);
}

Json ToJson(const DataFile& file) {
  return {{"path", file.path},
          {"fields", file.field_ids},
          {"column_indices", file.column_indices},
          {"file_major_version", file.major_version},
          {"file_minor_version", file.minor_version},
          {"file_size_bytes", file.size_bytes == 0 ? Json(nullptr) : Json(file.size_bytes)},
          {"base_id", OptionalToJson(file.base_id)}};
}

Json ToJson(const DeletionFile& file) {
  return {{"read_version", file.read_version},
          {"id", file.id},
          {"file_type", file.type == DeletionFile::Type::kArrow ? "array" : "bitmap"},
          {"num_deleted_rows", file.num_deleted_rows},
          {"base_id", OptionalToJson(file.base_id)}};
}

Json LineageToJson(const char* inline_key, bool is_in_column, std::string_view bytes) {
  if (is_in_column) return "column";
  return bytes.empty() ? Json(nullptr) : Json{{inline_key, BytesToJson(bytes)}};
}

Json ToJson(const Fragment& fragment) {
  return {
      {"id", fragment.id},
      {"files", ListToJson(fragment.files)},
      {"physical_rows", fragment.physical_rows},
      {"deletion_file", fragment.deletion_file ? ToJson(*fragment.deletion_file) : Json(nullptr)},
      {"row_id_meta",
       LineageToJson("Inline", fragment.row_ids_in_column, fragment.row_ids.value_or(""))},
      {"created_at_version_meta",
       LineageToJson("inline", fragment.created_at_in_column, fragment.created_at_versions)},
      {"last_updated_at_version_meta", LineageToJson("inline", fragment.last_updated_at_in_column,
                                                     fragment.last_updated_at_versions)}};
}

Json ToJson(const Field& field) {
  return {
      {"name", field.name},
      {"id", field.id},
      {"logical_type", field.logical_type},
      {"nullable", field.nullable},
      {"metadata", field.metadata},
      {"unenforced_primary_key_position",
       field.unenforced_primary_key ? Json(field.unenforced_primary_key_position) : Json(nullptr)},
      {"unenforced_clustering_key_position", field.unenforced_clustering_key_position},
      {"children", ListToJson(field.children)}};
}

Json ToJson(const Schema& schema) {
  return {{"fields", ListToJson(schema.fields)}, {"metadata", schema.metadata}};
}

Json ToJson(const BasePath& base) {
  return {{"id", base.id},
          {"name", OptionalToJson(base.name)},
          {"is_dataset_root", base.is_dataset_root},
          {"path", base.path}};
}

Json ToJson(const IndexFile& file) {
  return {{"path", file.path}, {"size_bytes", file.size_bytes}};
}

Json ToJson(const IndexMetadata& index) {
  Json fragments = nullptr;
  if (index.fragments) {
    fragments = Json::array();
    for (const FragmentIds::Run& run : index.fragments->runs()) {
      fragments.push_back({run.begin, run.end});
    }
  }
  return {{"uuid", FormatUuid(index.uuid)},
          {"name", index.name},
          {"fields", index.field_ids},
          {"dataset_version", index.dataset_version},
          {"fragment_ranges", fragments},
          {"index_version", OptionalToJson(index.index_version)},
          {"created_at_ms", OptionalToJson(index.created_at_ms)},
          {"base_id", OptionalToJson(index.base_id)},
          {"files", ListToJson(index.files)},
          {"details_type", index.has_details ? Json(index.details_type) : Json(nullptr)},
          {"details", BytesToJson(index.details)},
          {"covering_fields", index.covering_fields}};
}

Json ToJson(const MapUpdate& update) {
  Json updates = Json::object();
  for (const MapUpdate::Entry& entry : update.entries) {
    updates[entry.key] = OptionalToJson(entry.value);
  }
  return {{"updates", updates}, {"replace", update.replace}};
}

Json OptionalMapToJson(const std::optional<MapUpdate>& update) {
  return update ? ToJson(*update) : Json(nullptr);
}

Json ToJson(const AppendRows& append) { return {{"fragments", ListToJson(append.fragments)}}; }

Json ToJson(const DeleteRowsOp& deletion) {
  return {{"updated_fragments", ListToJson(deletion.updated)},
          {"deleted_fragment_ids", deletion.removed},
          {"predicate", deletion.predicate}};
}

Json ToJson(const OverwriteTable& overwrite) {
  return {{"schema", ToJson(overwrite.schema)},
          {"fragments", ListToJson(overwrite.fragments)},
          {"config_upserts", overwrite.config_upserts},
          {"initial_bases", ListToJson(overwrite.initial_bases)}};
}

Json ToJson(const UpdateRows& update) {
  Json offsets = Json::object();
  for (const auto& [id, bitmap] : update.updated_offsets) {
    offsets[std::to_string(id)] = BytesToJson(bitmap);
  }
  return {
      {"removed_fragment_ids", update.removed},
      {"updated_fragments", ListToJson(update.updated)},
      {"new_fragments", ListToJson(update.added)},
      {"fields_modified", update.fields_modified},
      {"fields_for_preserving_frag_bitmap", update.fields_preserving_indices},
      {"update_mode", update.mode == UpdateMode::kRewriteRows ? "rewrite_rows" : "rewrite_columns"},
      {"inserted_rows", BytesToJson(update.inserted_rows)},
      {"updated_fragment_offsets", offsets}};
}

Json ToJson(const MergeColumns& merge) {
  return {{"fragments", ListToJson(merge.fragments)},
          {"schema", ToJson(merge.schema)},
          {"preserves_nullability", merge.preserves_nullability}};
}

Json ToJson(const ProjectSchema& project) {
  return {{"schema", ToJson(project.schema)},
          {"preserves_nullability", project.preserves_nullability}};
}

Json ToJson(const RewriteFragments& rewrite) {
  Json groups = Json::array();
  for (const RewriteFragments::Group& group : rewrite.groups) {
    groups.push_back(
        {{"old_fragments", ListToJson(group.before)}, {"new_fragments", ListToJson(group.after)}});
  }
  Json indices = Json::array();
  for (const RewriteFragments::RewrittenIndex& index : rewrite.indices) {
    indices.push_back({{"old_id", FormatUuid(index.old_uuid)},
                       {"new_id", FormatUuid(index.new_uuid)},
                       {"new_details_type_url", index.details_type},
                       {"new_details_value", BytesToJson(index.details)},
                       {"new_index_version", index.index_version},
                       {"files", ListToJson(index.files)}});
  }
  return {{"groups", groups}, {"rewritten_indices", indices}};
}

Json ToJson(const ReserveFragmentIds& reserve) { return {{"num_fragments", reserve.count}}; }
Json ToJson(const RestoreVersion& restore) { return {{"version", restore.version}}; }

Json ToJson(const CreateIndices& create) {
  return {{"new_indices", ListToJson(create.added)},
          {"removed_indices", ListToJson(create.removed)}};
}

Json ToJson(const ReplaceData& replace) {
  Json replacements = Json::array();
  for (const ReplaceData::Replacement& replacement : replace.replacements) {
    replacements.push_back(
        {{"fragment_id", replacement.fragment_id}, {"new_file", ToJson(replacement.file)}});
  }
  return {{"replacements", replacements}};
}

Json ToJson(const UpdateMetadata& update) {
  Json fields = Json::object();
  for (const auto& [id, map] : update.field_metadata) fields[std::to_string(id)] = ToJson(map);
  return {{"config_updates", OptionalMapToJson(update.config)},
          {"table_metadata_updates", OptionalMapToJson(update.table_metadata)},
          {"schema_metadata_updates", OptionalMapToJson(update.schema_metadata)},
          {"field_metadata_updates", fields}};
}

Json ToJson(const AddBases& add) { return {{"new_bases", ListToJson(add.bases)}}; }

Json ToJson(const CloneTable& clone) {
  return {{"is_shallow", clone.is_shallow},
          {"ref_name", OptionalToJson(clone.ref_name)},
          {"ref_version", clone.ref_version},
          {"ref_path", clone.ref_path},
          {"branch_name", OptionalToJson(clone.branch_name)}};
}

Json ToJson(const OtherOperation&) { return Json::object(); }

// From JSON. What is not as it should be raises an exception of the JSON library.

std::string BytesFromJson(const Json& json) {
  const auto bytes = From<std::vector<uint8_t>>::Parse(json);
  return {bytes.begin(), bytes.end()};
}

std::string GetBytes(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? std::string() : BytesFromJson(*found);
}

template <typename T>
std::vector<T> GetList(const Json& json, const char* key, T (*parse)(const Json&)) {
  std::vector<T> list;
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return list;
  if (!found->is_array()) throw BadValue{std::string("'") + key + "' is no list"};
  for (const Json& element : *found) list.push_back(parse(element));
  return list;
}

std::string ParseUuid(const std::string& text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != '-'; });
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    uint8_t byte = 0;
    const char* end = digits.data() + i + 2;
    if (std::from_chars(digits.data() + i, end, byte, 16).ptr != end) break;
    bytes.push_back(static_cast<char>(byte));
  }
  if (bytes.size() != 16) throw BadValue{"'" + text + "' is no uuid"};
  return bytes;
}

DataFile ParseFile(const Json& json) {
  DataFile file;
  file.path = json.at("path").get<std::string>();
  if (!io::CheckRelativePath(file.path).ok()) {
    throw BadValue{"'" + file.path + "' is no path below data/"};
  }
  file.field_ids = GetRequired<std::vector<int32_t>>(json, "fields");
  file.column_indices = Get<std::vector<int32_t>>(json, "column_indices");
  file.major_version = Get<uint32_t>(json, "file_major_version");
  file.minor_version = Get<uint32_t>(json, "file_minor_version");
  if (file.major_version >= 2 && file.field_ids.size() != file.column_indices.size()) {
    throw BadValue{"data file '" + file.path + "' has not one column for each field"};
  }
  file.size_bytes = Get<uint64_t>(json, "file_size_bytes");
  file.base_id = GetOptional<uint32_t>(json, "base_id");
  return file;
}

DeletionFile ParseDeletionFile(const Json& json) {
  DeletionFile file;
  const auto type = json.at("file_type").get<std::string>();
  if (type != "array" && type != "bitmap")
    throw BadValue{"'" + type + "' is no deletion file type"};
  file.type = type == "array" ? DeletionFile::Type::kArrow : DeletionFile::Type::kBitmap;
  file.read_version = GetRequired<uint64_t>(json, "read_version");
  file.id = GetRequired<uint64_t>(json, "id");
  file.num_deleted_rows = Get<uint64_t>(json, "num_deleted_rows");
  file.base_id = GetOptional<uint32_t>(json, "base_id");
  return file;
}

struct Lineage {
  bool is_in_column = false;
  std::optional<std::string> bytes;
};

Lineage ParseLineage(const Json& json, const char* key, const char* inline_key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return {};
  if (found->is_string()) return {.is_in_column = true, .bytes = std::nullopt};
  return {.is_in_column = false, .bytes = BytesFromJson(found->at(inline_key))};
}

Fragment ParseFragment(const Json& json) {
  Fragment fragment;
  fragment.id = Get<uint64_t>(json, "id");
  fragment.files = GetList(json, "files", ParseFile);
  fragment.physical_rows = GetRequired<int64_t>(json, "physical_rows");
  if (fragment.physical_rows < 0) throw BadValue{"a fragment has less than no rows"};
  const auto deletion = json.find("deletion_file");
  if (deletion != json.end() && !deletion->is_null()) {
    fragment.deletion_file = ParseDeletionFile(*deletion);
  }
  Lineage lineage = ParseLineage(json, "row_id_meta", "Inline");
  fragment.row_ids_in_column = lineage.is_in_column;
  fragment.row_ids = std::move(lineage.bytes);
  lineage = ParseLineage(json, "created_at_version_meta", "inline");
  fragment.created_at_in_column = lineage.is_in_column;
  fragment.created_at_versions = std::move(lineage.bytes).value_or("");
  lineage = ParseLineage(json, "last_updated_at_version_meta", "inline");
  fragment.last_updated_at_in_column = lineage.is_in_column;
  fragment.last_updated_at_versions = std::move(lineage.bytes).value_or("");
  return fragment;
}

Field ParseField(const Json& json) {
  Field field;
  field.name = json.at("name").get<std::string>();
  field.id = GetRequired<int32_t>(json, "id");
  field.logical_type = json.at("logical_type").get<std::string>();
  field.nullable = Get<bool>(json, "nullable", true);
  field.metadata = Get<std::map<std::string, std::string>>(json, "metadata");
  const auto position = GetOptional<uint32_t>(json, "unenforced_primary_key_position");
  field.unenforced_primary_key = position.has_value();
  field.unenforced_primary_key_position = position.value_or(0);
  field.unenforced_clustering_key_position =
      Get<uint32_t>(json, "unenforced_clustering_key_position");
  field.children = GetList(json, "children", ParseField);
  for (Field& child : field.children) child.parent_id = field.id;
  return field;
}

Schema ParseSchema(const Json& json, const Schema* absent) {
  const auto found = json.find("schema");
  if (found == json.end() || found->is_null()) {
    if (absent == nullptr) throw BadValue{"the operation needs a schema"};
    return *absent;
  }
  return {.fields = GetList(*found, "fields", ParseField),
          .metadata = Get<std::map<std::string, std::string>>(*found, "metadata")};
}

BasePath ParseBase(const Json& json) {
  return {.id = Get<uint32_t>(json, "id"),
          .name = GetOptional<std::string>(json, "name"),
          .is_dataset_root = Get<bool>(json, "is_dataset_root"),
          .path = json.at("path").get<std::string>()};
}

IndexFile ParseIndexFile(const Json& json) {
  return {.path = json.at("path").get<std::string>(),
          .size_bytes = Get<uint64_t>(json, "size_bytes")};
}

IndexMetadata ParseIndex(const Json& json) {
  IndexMetadata index;
  index.uuid = ParseUuid(json.at("uuid").get<std::string>());
  index.name = json.at("name").get<std::string>();
  index.field_ids = GetRequired<std::vector<int32_t>>(json, "fields");
  index.dataset_version = Get<uint64_t>(json, "dataset_version");
  const auto ranges = json.find("fragment_ranges");
  if (ranges != json.end() && !ranges->is_null()) {
    index.fragments.emplace();
    for (const auto& range : From<std::vector<std::vector<uint32_t>>>::Parse(*ranges)) {
      if (range.size() != 2) throw BadValue{"a range has no begin and end"};
      if (range[0] >= range[1] || !index.fragments->Add(range[0], range[1]).ok()) {
        throw BadValue{"the fragments of index '" + index.name + "' are not ascending"};
      }
    }
  }
  index.index_version = GetOptional<int32_t>(json, "index_version");
  index.created_at_ms = GetOptional<uint64_t>(json, "created_at_ms");
  index.base_id = GetOptional<uint32_t>(json, "base_id");
  index.files = GetList(json, "files", ParseIndexFile);
  const auto type = GetOptional<std::string>(json, "details_type");
  index.has_details = type.has_value();
  index.details_type = type.value_or("");
  index.details = GetBytes(json, "details");
  index.covering_fields = Get<std::vector<int32_t>>(json, "covering_fields");
  return index;
}

std::optional<MapUpdate> ParseMapUpdate(const Json& json) {
  if (json.is_null()) return std::nullopt;
  MapUpdate update{.replace = Get<bool>(json, "replace")};
  for (const auto& [key, value] : json.at("updates").items()) {
    update.entries.push_back({.key = key});
    if (!value.is_null()) update.entries.back().value = value.get<std::string>();
  }
  return update;
}

std::optional<MapUpdate> GetMapUpdate(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? std::nullopt : ParseMapUpdate(*found);
}

template <std::integral T>
T ParseNumber(const std::string& text) {
  T number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || stop != end || error != std::errc()) {
    throw BadValue{"'" + text + "' is no number"};
  }
  return number;
}

UpdateRows ParseUpdate(const Json& json) {
  UpdateRows update{.removed = Get<std::vector<uint64_t>>(json, "removed_fragment_ids"),
                    .updated = GetList(json, "updated_fragments", ParseFragment),
                    .added = GetList(json, "new_fragments", ParseFragment),
                    .fields_modified = Get<std::vector<uint32_t>>(json, "fields_modified"),
                    .fields_preserving_indices =
                        Get<std::vector<uint32_t>>(json, "fields_for_preserving_frag_bitmap"),
                    .inserted_rows = GetBytes(json, "inserted_rows")};
  const auto mode = Get<std::string>(json, "update_mode");
  if (mode == "rewrite_columns") {
    update.mode = UpdateMode::kRewriteColumns;
  } else if (!mode.empty() && mode != "rewrite_rows") {
    throw BadValue{"'" + mode + "' is no update mode: it is rewrite_rows or rewrite_columns"};
  }
  const auto offsets = json.find("updated_fragment_offsets");
  if (offsets == json.end() || offsets->is_null()) return update;
  for (const auto& [id, bitmap] : offsets->items()) {
    std::string bytes = BytesFromJson(bitmap);
    if (!bytes.empty()) update.updated_offsets[ParseNumber<uint64_t>(id)] = std::move(bytes);
  }
  return update;
}

RewriteFragments ParseRewrite(const Json& json) {
  const auto parse_group = [](const Json& group) {
    return RewriteFragments::Group{.before = GetList(group, "old_fragments", ParseFragment),
                                   .after = GetList(group, "new_fragments", ParseFragment)};
  };
  const auto parse_index = [](const Json& index) {
    return RewriteFragments::RewrittenIndex{
        .old_uuid = ParseUuid(index.at("old_id").get<std::string>()),
        .new_uuid = ParseUuid(index.at("new_id").get<std::string>()),
        .details_type = Get<std::string>(index, "new_details_type_url"),
        .details = GetBytes(index, "new_details_value"),
        .index_version = Get<uint32_t>(index, "new_index_version"),
        .files = GetList(index, "files", ParseIndexFile)};
  };
  return {
      .groups = GetList<RewriteFragments::Group>(json, "groups", parse_group),
      .indices = GetList<RewriteFragments::RewrittenIndex>(json, "rewritten_indices", parse_index)};
}

ReplaceData ParseReplacement(const Json& json) {
  const auto parse = [](const Json& replacement) {
    return ReplaceData::Replacement{
        .fragment_id = GetRequired<uint64_t>(replacement, "fragment_id"),
        .file = ParseFile(replacement.at("new_file"))};
  };
  return {.replacements = GetList<ReplaceData::Replacement>(json, "replacements", parse)};
}

UpdateMetadata ParseUpdateConfig(const Json& json) {
  UpdateMetadata update{.config = GetMapUpdate(json, "config_updates"),
                        .table_metadata = GetMapUpdate(json, "table_metadata_updates"),
                        .schema_metadata = GetMapUpdate(json, "schema_metadata_updates")};
  const auto fields = json.find("field_metadata_updates");
  if (fields == json.end() || fields->is_null()) return update;
  for (const auto& [id, map] : fields->items()) {
    const auto parsed = ParseMapUpdate(map);
    if (parsed) update.field_metadata[ParseNumber<int32_t>(id)] = *parsed;
  }
  return update;
}

decltype(Transaction::operation) ParseOperation(const Json& json, const Schema* schema) {
  const auto type = json.at("type").get<std::string>();
  if (type == "append") return AppendRows{.fragments = GetList(json, "fragments", ParseFragment)};
  if (type == "delete") {
    return DeleteRowsOp{.updated = GetList(json, "updated_fragments", ParseFragment),
                        .removed = Get<std::vector<uint64_t>>(json, "deleted_fragment_ids"),
                        .predicate = Get<std::string>(json, "predicate")};
  }
  if (type == "overwrite") {
    return OverwriteTable{
        .fragments = GetList(json, "fragments", ParseFragment),
        .schema = ParseSchema(json, schema),
        .config_upserts = Get<std::map<std::string, std::string>>(json, "config_upserts"),
        .initial_bases = GetList(json, "initial_bases", ParseBase)};
  }
  if (type == "update") return ParseUpdate(json);
  if (type == "merge") {
    return MergeColumns{.fragments = GetList(json, "fragments", ParseFragment),
                        .schema = ParseSchema(json, schema),
                        .preserves_nullability = Get<bool>(json, "preserves_nullability")};
  }
  if (type == "project") {
    return ProjectSchema{.schema = ParseSchema(json, schema),
                         .preserves_nullability = Get<bool>(json, "preserves_nullability")};
  }
  if (type == "rewrite") return ParseRewrite(json);
  if (type == "reserve_fragments") {
    return ReserveFragmentIds{.count = GetRequired<uint32_t>(json, "num_fragments")};
  }
  if (type == "restore") return RestoreVersion{.version = GetRequired<uint64_t>(json, "version")};
  if (type == "create_index") {
    return CreateIndices{.added = GetList(json, "new_indices", ParseIndex),
                         .removed = GetList(json, "removed_indices", ParseIndex)};
  }
  if (type == "data_replacement") return ParseReplacement(json);
  if (type == "update_config") return ParseUpdateConfig(json);
  if (type == "update_bases") return AddBases{.bases = GetList(json, "new_bases", ParseBase)};
  throw BadValue{"operation '" + type + "' cannot be committed"};
}

}  // namespace

Result<Transaction> ParseTransactionJson(std::string_view text, const Schema* schema) {
  try {
    const Json json = Json::parse(text.begin(), text.end());
    Transaction transaction{
        .read_version = Get<uint64_t>(json, "read_version"),
        .uuid = Get<std::string>(json, "uuid"),
        .properties = Get<std::map<std::string, std::string>>(json, "properties")};
    if (transaction.uuid.empty()) transaction.uuid = RandomUuidString();
    // It becomes part of a file's name.
    if (!std::ranges::all_of(transaction.uuid,
                             [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; })) {
      return InvalidArgument("'", transaction.uuid, "' is no uuid of a transaction");
    }
    transaction.operation = ParseOperation(json.at("operation"), schema);
    const Status readable = CheckReadable(transaction);
    if (!readable.ok()) return WithContext(readable, "a transaction is not as it should be");
    return transaction;
  } catch (const Json::exception& error) {
    return InvalidArgument("a transaction's JSON is not as it should be: ", error.what());
  } catch (const BadValue& value) {
    return InvalidArgument("a transaction is not as it should be: ", value.message);
  }
}

Result<std::shared_ptr<arrow::Schema>> ReadSchemaJson(std::string_view json) {
  Schema schema;
  try {
    const Json object = {{"schema", Json::parse(json.begin(), json.end())}};
    (void)object.at("schema").at("fields");  // a transaction may leave them out
    schema = ParseSchema(object, /*absent=*/nullptr);
  } catch (const Json::exception& error) {
    return InvalidArgument("a schema's JSON is not as it should be: ", error.what());
  } catch (const BadValue& value) {
    return InvalidArgument("a schema is not as it should be: ", value.message);
  }
  return schema.ToArrow(JsonForm::kText);
}

std::string TransactionToJson(const Transaction& transaction) {
  Json operation =
      std::visit([](const auto& variant) { return ToJson(variant); }, transaction.operation);
  operation["type"] = OperationName(transaction.kind());
  const Json json = {{"read_version", transaction.read_version},
                     {"uuid", transaction.uuid},
                     {"properties", transaction.properties},
                     {"operation", std::move(operation)}};
  // Texts in a transaction need not be UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string FragmentToJson(const Fragment& fragment) {
  return ToJson(fragment).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string FragmentsToJson(const std::vector<Fragment>& fragments) {
  return ListToJson(fragments).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string SchemaToJson(const Schema& schema) {
  return ToJson(schema).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string TableToJson(const Manifest& manifest) {
  const Json json = {{"branch", OptionalToJson(manifest.branch)},
                     {"table_metadata", manifest.table_metadata},
                     {"base_paths", ListToJson(manifest.base_paths)},
                     {"has_indices", manifest.index_section.has_value()}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tusk::lance
