#include "tusk/lance/file/schema.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/lance/file/described_blobs.h"
#include "tusk/lance/file/field_path.h"
#include "tusk/lance/file/logical_type.h"

namespace tusk::lance {
namespace {

using arrow::Type;

constexpr const char* kExtensionName = "ARROW:extension:name";
constexpr const char* kExtensionMetadata = "ARROW:extension:metadata";
constexpr const char* kArrowJson = "arrow.json";
constexpr const char* kLanceJson = "lance.json";
constexpr const char* kBlobV2 = "lance.blob.v2";
constexpr const char* kBlob = "lance-encoding:blob";
constexpr const char* kPacked = "lance-encoding:packed";
constexpr const char* kOldPacked = "packed";
constexpr const char* kPrimaryKey = "lance-schema:unenforced-primary-key";
constexpr const char* kPrimaryKeyPosition = "lance-schema:unenforced-primary-key:position";
constexpr const char* kClusteringKeyPosition = "lance-schema:unenforced-clustering-key:position";
/// Names that an error lists at most.
constexpr size_t kMaxListedNames = 20;

struct DescriptorPart {
  const char* name;
  const char* logical_type;
};
constexpr DescriptorPart kDescriptorV1[] = {{"position", "uint64"}, {"size", "uint64"}};
constexpr DescriptorPart kDescriptorV2[] = {{"kind", "uint8"},
                                            {"position", "uint64"},
                                            {"size", "uint64"},
                                            {"blob_id", "uint32"},
                                            {"blob_uri", "string"}};

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

std::string ValueOf(const std::map<std::string, std::string>& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? "" : found->second;
}

/// The keys that a field belongs to, as they stand in its metadata.
void TakeKeysFromMetadata(Field* field) {
  const auto position = [&](const char* key) -> std::optional<uint32_t> {
    const std::string text = ValueOf(field->metadata, key);
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  };
  const auto primary = position(kPrimaryKeyPosition);
  field->unenforced_primary_key = primary.has_value() || field->HasFlag(kPrimaryKey);
  field->unenforced_primary_key_position = primary.value_or(0);
  field->unenforced_clustering_key_position = position(kClusteringKeyPosition).value_or(0);
}

bool IsJson(const Field& field, const arrow::DataType& type) {
  const std::string extension = ValueOf(field.metadata, kExtensionName);
  return (extension == kArrowJson &&
          (type.id() == Type::STRING || type.id() == Type::LARGE_STRING)) ||
         (extension == kLanceJson && type.id() == Type::LARGE_BINARY);
}

Result<Field> FromArrowField(const arrow::Field& from, int32_t parent_id, int32_t* next_id) {
  Field field;
  field.name = from.name();
  field.id = (*next_id)++;
  field.parent_id = parent_id;
  field.nullable = from.nullable();
  field.metadata = ToMap(from.metadata());
  const arrow::DataType* type = from.type().get();
  if (type->id() == Type::EXTENSION) {
    const auto& extension = static_cast<const arrow::ExtensionType&>(*type);
    field.metadata[kExtensionName] = extension.extension_name();
    field.metadata[kExtensionMetadata] = extension.Serialize();
    type = extension.storage_type().get();
  }
  // Whoever describes where blobs lie writes a column of blobs all the same.
  if (field.is_blob() && IsDescribedBlob(*type)) {
    field.metadata.erase(kBlob);
    field.metadata[kExtensionName] = kBlobV2;
    type = LogicalBlobType().get();
  }
  const std::string where = "field '" + field.name + "'";
  if (IsJson(field, *type)) {
    field.metadata[kExtensionName] = kLanceJson;
    field.logical_type = "json";
  } else {
    auto logical_type = ToLogicalType(*type);
    if (!logical_type.ok()) return WithContext(logical_type.status(), where);
    field.logical_type = *std::move(logical_type);
  }
  TakeKeysFromMetadata(&field);
  // The item of a fixed-size list is a child field only if it is a struct.
  if (type->id() == Type::FIXED_SIZE_LIST && StructListSize(field.logical_type) == 0) return field;
  for (const auto& child : type->fields()) {
    auto parsed = FromArrowField(*child, field.id, next_id);
    if (!parsed.ok()) return WithContext(parsed.status(), where);
    field.children.push_back(*std::move(parsed));
  }
  return field;
}

Status CheckChildren(const Field& field, size_t number) {
  if (field.children.size() == number) return Status::OK();
  return Corrupt("type ", field.logical_type, " has ", field.children.size(), " child fields, not ",
                 number);
}

Result<std::shared_ptr<arrow::DataType>> MakeMap(std::shared_ptr<arrow::Field> entries) {
  if (entries->type()->id() != Type::STRUCT || entries->type()->num_fields() != 2) {
    return Corrupt("the entries of a map are ", entries->type()->ToString(),
                   ", not a struct of keys and values");
  }
  if (entries->nullable() || entries->type()->field(0)->nullable()) {
    return Corrupt("the ", entries->nullable() ? "entries" : "keys", " of a map may be null");
  }
  return std::make_shared<arrow::MapType>(std::move(entries));
}

Result<std::shared_ptr<arrow::DataType>> TypeOf(const Field& field, JsonForm json) {
  const std::string& name = field.logical_type;
  arrow::FieldVector children;
  for (const Field& child : field.children) {
    ARROW_ASSIGN_OR_RAISE(auto converted, ToArrowField(child, json));
    children.push_back(std::move(converted));
  }
  if (name == "struct") return arrow::struct_(children);
  const int32_t list_size = StructListSize(name);
  const bool is_list = IsListName(name);
  const bool is_large_list = IsLargeListName(name);
  if (!is_list && !is_large_list && name != "map" && list_size == 0) {
    ARROW_RETURN_NOT_OK(CheckChildren(field, 0));
    if (name == "json" && json == JsonForm::kText) return arrow::utf8();
    return FromLogicalType(name);
  }
  ARROW_RETURN_NOT_OK(CheckChildren(field, 1));
  if (is_list) return arrow::list(std::move(children[0]));
  if (is_large_list) return arrow::large_list(std::move(children[0]));
  if (name == "map") return MakeMap(std::move(children[0]));
  if (children[0]->type()->id() != Type::STRUCT) {
    return Corrupt("the items of ", name, " are ", children[0]->type()->ToString());
  }
  return arrow::fixed_size_list(std::move(children[0]), list_size);
}

Field UnloadBlobs(Field field) {
  if (field.is_blob()) return DescriptorOf(std::move(field));
  for (Field& child : field.children) child = UnloadBlobs(std::move(child));
  return field;
}

int32_t MaxId(const std::vector<Field>& fields) {
  int32_t max = -1;
  for (const Field& field : fields) max = std::max({max, field.id, MaxId(field.children)});
  return max;
}

std::string ListNames(const std::vector<Field>& fields) {
  std::string names;
  for (size_t i = 0; i < fields.size() && i < kMaxListedNames; ++i) {
    names += (i == 0 ? "" : ", ") + FormatFieldPath({fields[i].name});
  }
  if (fields.size() > kMaxListedNames) {
    names += " and " + std::to_string(fields.size() - kMaxListedNames) + " more";
  }
  return names;
}

const Field* FindByName(const std::vector<Field>& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

/// Whether `names` are the items of `field`, a fixed-size list of plain items, maybe within others.
bool NamesPlainItems(const Field& field, std::span<const std::string> names) {
  constexpr std::string_view kList = "fixed_size_list:";
  std::string_view type = field.logical_type;
  for (const std::string& name : names) {
    if (!field.children.empty() || !type.starts_with(kList) || name != "item") return false;
    type.remove_prefix(kList.size());
  }
  return true;
}

/// The fields from the top down to what `path` names; `find_top` finds one of the `top` fields.
template <typename FindTop>
Result<std::vector<const Field*>> ResolvePath(const std::vector<Field>& top, std::string_view path,
                                              const FindTop& find_top) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> names, ParseFieldPath(path));
  std::vector<const Field*> found;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::vector<Field>& here = i == 0 ? top : found.back()->children;
    const Field* field = i == 0 ? find_top(names[0]) : FindByName(here, names[i]);
    // The plain items of a fixed-size list are no field; who asks for them means the list.
    if (field == nullptr && i > 0 && NamesPlainItems(*found.back(), std::span(names).subspan(i))) {
      return found;
    }
    if (field == nullptr) {
      const auto above = std::span(names).first(i);
      const std::string where =
          i == 0 ? "" : " in '" + FormatFieldPath({above.begin(), above.end()}) + "'";
      return NotFound("no ", i == 0 ? "column" : "field", " '", names[i], "'", where,
                      here.empty() ? "; there are none" : "; there are: ", ListNames(here));
    }
    found.push_back(field);
  }
  return found;
}

/// What a projection takes of one field.
struct Selection {
  const Field* field;
  bool is_whole = false;
  /// In the order asked.
  std::vector<Selection> children;
};

/// `is_whole` if all of a field around it is asked for.
Field Build(const Selection& selection, bool is_whole = false) {
  is_whole = is_whole || selection.is_whole;
  if (is_whole && selection.children.empty()) return *selection.field;
  Field field = *selection.field;
  field.children.clear();
  std::unordered_set<const Field*> taken;
  for (const Selection& child : selection.children) {
    field.children.push_back(Build(child, is_whole));
    taken.insert(child.field);
  }
  if (!is_whole) return field;
  for (const Field& child : selection.field->children) {
    if (!taken.contains(&child)) field.children.push_back(child);
  }
  return field;
}

/// Checks that what is read of maps still makes maps.
Status CheckMaps(const Selection& selection) {
  const Field& field = *selection.field;
  for (const Selection& child : selection.children) {
    ARROW_RETURN_NOT_OK(CheckMaps(child));
    if (field.logical_type != "map" || child.is_whole) continue;
    const std::vector<Field>& parts = child.field->children;
    const bool has_both = child.children.size() == 2 && parts.size() == 2 &&
                          child.children[0].field == &parts[0] && child.children[0].is_whole &&
                          child.children[1].field == &parts[1];
    if (!has_both) {
      return InvalidArgument("map '", field.name, "' can only be read with all of its keys first, ",
                             "and then values");
    }
  }
  return Status::OK();
}

/// Gathers paths, each as the fields from the top down.
class Selector {
 public:
  Status Add(std::span<const Field* const> path, std::string_view text);
  Result<std::vector<Field>> Finish() const;

 private:
  std::vector<Selection> top_;
  std::unordered_map<const Field*, size_t> top_index_;
  std::unordered_set<const Field*> asked_;
};

Status Selector::Add(std::span<const Field* const> path, std::string_view text) {
  if (!asked_.insert(path.back()).second) {
    return InvalidArgument("column '", text, "' is asked for twice");
  }
  for (const Field* parent : path.first(path.size() - 1)) {
    if (parent->is_blob()) {
      return InvalidArgument("'", text, "' is a part of the blob '", parent->name,
                             "', which is read whole");
    }
  }
  const auto [found, is_new] = top_index_.emplace(path.front(), top_.size());
  if (is_new) top_.push_back({.field = path.front(), .children = {}});
  Selection* at = &top_[found->second];
  for (const Field* child : path.subspan(1)) {
    if (at->is_whole) return Status::OK();
    auto next = std::ranges::find(at->children, child, &Selection::field);
    if (next == at->children.end()) {
      at->children.push_back({.field = child, .children = {}});
      next = at->children.end() - 1;
    }
    at = &*next;
  }
  at->is_whole = true;
  return Status::OK();
}

Result<std::vector<Field>> Selector::Finish() const {
  std::vector<Field> fields;
  for (const Selection& selection : top_) {
    ARROW_RETURN_NOT_OK(CheckMaps(selection));
    fields.push_back(Build(selection));
  }
  return fields;
}

}  // namespace

bool Field::HasFlag(const std::string& key) const {
  std::string value = ValueOf(metadata, key);
  for (char& c : value) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return value == "1" || value == "true" || value == "on" || value == "yes" || value == "y";
}

bool Field::is_blob() const {
  // As most fields, and asked of all of them in every read.
  if (metadata.empty()) return false;
  return metadata.contains(kBlob) || ValueOf(metadata, kExtensionName) == kBlobV2;
}

bool Field::is_blob_v2() const {
  if (metadata.empty()) return false;
  if (ValueOf(metadata, kExtensionName) == kBlobV2) return true;
  return metadata.contains(kBlob) && logical_type == "struct" &&
         std::ranges::equal(children, kDescriptorV2, [](const Field& child, const auto& part) {
           return child.name == part.name && child.logical_type == part.logical_type;
         });
}

bool Field::is_packed() const {
  return logical_type == "struct" && (HasFlag(kPacked) || HasFlag(kOldPacked));
}

Field DescriptorOf(Field field) {
  if (!field.is_blob()) return field;
  const bool is_v2 = field.is_blob_v2();
  field.logical_type = "struct";
  field.metadata = {{kBlob, "true"}};
  if (is_v2) field.metadata.emplace(kPacked, "true");
  field.children.clear();
  for (const DescriptorPart& part : is_v2 ? std::span<const DescriptorPart>(kDescriptorV2)
                                          : std::span<const DescriptorPart>(kDescriptorV1)) {
    Field child;
    child.name = part.name;
    child.parent_id = field.id;
    child.logical_type = part.logical_type;
    child.nullable = !is_v2;
    field.children.push_back(std::move(child));
  }
  return field;
}

Result<std::shared_ptr<arrow::Field>> ToArrowField(const Field& field, JsonForm json) {
  auto type = TypeOf(field, json);
  if (!type.ok()) return WithContext(type.status(), "field '" + field.name + "'");
  if (field.logical_type != "json" || json == JsonForm::kBytes) {
    return arrow::field(field.name, *std::move(type), field.nullable, FromMap(field.metadata));
  }
  auto metadata = field.metadata;
  metadata[kExtensionName] = kArrowJson;
  return arrow::field(field.name, *std::move(type), field.nullable, FromMap(metadata));
}

Result<Schema> Schema::FromArrow(const arrow::Schema& schema) {
  Schema out;
  int32_t next_id = 0;
  std::unordered_set<std::string_view> names;
  for (const auto& from : schema.fields()) {
    if (!names.insert(from->name()).second) {
      return InvalidArgument("schema has two fields named '", from->name(), "'");
    }
    ARROW_ASSIGN_OR_RAISE(Field field, FromArrowField(*from, /*parent_id=*/-1, &next_id));
    out.fields.push_back(std::move(field));
  }
  out.metadata = ToMap(schema.metadata());
  return out;
}

Result<std::shared_ptr<arrow::Schema>> Schema::ToArrow(JsonForm json) const {
  arrow::FieldVector arrow_fields;
  for (const Field& field : fields) {
    ARROW_ASSIGN_OR_RAISE(auto arrow_field, ToArrowField(field, json));
    arrow_fields.push_back(std::move(arrow_field));
  }
  return arrow::schema(std::move(arrow_fields), FromMap(metadata));
}

Schema Schema::WithBlobDescriptors() const {
  Schema out = *this;
  for (Field& field : out.fields) field = UnloadBlobs(std::move(field));
  return out;
}

int32_t Schema::MaxFieldId() const { return MaxId(fields); }

const Field* Schema::FindField(std::string_view name) const { return FindByName(fields, name); }

Result<std::vector<const Field*>> Schema::Resolve(std::string_view path) const {
  return ResolvePath(fields, path, [&](const std::string& name) { return FindField(name); });
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
      return NotFound("no column '", name, "'; there are: ", ListNames(fields));
    }
    out.fields.push_back(*field);
  }
  return out;
}

Result<Schema> Schema::ProjectPaths(std::span<const std::string> paths) const {
  Selector selector;
  std::unordered_map<std::string_view, const Field*> top;
  for (const Field& field : fields) top.emplace(field.name, &field);
  const auto find_top = [&](const std::string& name) -> const Field* {
    const auto field = top.find(name);
    return field == top.end() ? nullptr : field->second;
  };
  for (const std::string& path : paths) {
    ARROW_ASSIGN_OR_RAISE(const auto found, ResolvePath(fields, path, find_top));
    ARROW_RETURN_NOT_OK(selector.Add(found, path));
  }
  Schema out;
  out.metadata = metadata;
  ARROW_ASSIGN_OR_RAISE(out.fields, selector.Finish());
  return out;
}

}  // namespace tusk::lance
