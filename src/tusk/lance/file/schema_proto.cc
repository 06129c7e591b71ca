#include "tusk/lance/file/schema_proto.h"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tusk/base/utf8.h"

namespace tusk::lance {
namespace {

constexpr int kMaxDepth = 64;
constexpr const char* kExtensionName = "ARROW:extension:name";

/// Values of proto::Field.encoding.
enum LegacyEncoding : uint32_t { kNone = 0, kPlain = 1, kVarBinary = 2, kDictionary = 3 };

LegacyEncoding LegacyEncodingOf(const Field& field) {
  if (field.logical_type == "struct" || field.logical_type == "null") return kNone;
  if (field.logical_type.starts_with("dict:")) return kDictionary;
  for (const std::string_view variable :
       {"string", "large_string", "binary", "large_binary", "json", "blob"}) {
    if (field.logical_type == variable) return kVarBinary;
  }
  return kPlain;
}

/// The parts of a blob's descriptor have no ids, and pylance writes them behind it as if they were
/// at the top.
bool IsBlobPart(const Field& field, const Field& blob, size_t part) {
  static const Schema descriptor = [] {
    Field v2;
    v2.metadata = {{kExtensionName, "lance.blob.v2"}};
    return Schema{.fields = DescriptorOf(v2).children, .metadata = {}};
  }();
  return field.id < 0 && field.parent_id < 0 && blob.is_blob() && blob.logical_type == "struct" &&
         part < descriptor.fields.size() && field.name == descriptor.fields[part].name &&
         field.logical_type == descriptor.fields[part].logical_type;
}

using Metadata = google::protobuf::RepeatedPtrField<proto::MetadataEntry>;

void AppendMetadata(const std::map<std::string, std::string>& from, Metadata* to) {
  for (const auto& [key, value] : from) {
    proto::MetadataEntry* entry = to->Add();
    entry->set_key(key);
    entry->set_value(value);
  }
}

std::map<std::string, std::string> ParseMetadata(const Metadata& from) {
  std::map<std::string, std::string> to;
  for (const proto::MetadataEntry& entry : from) to[entry.key()] = entry.value();
  return to;
}

void AppendField(const Field& field, int32_t parent_id,
                 google::protobuf::RepeatedPtrField<proto::Field>* out) {
  proto::Field* to = out->Add();
  to->set_name(field.name);
  to->set_id(field.id);
  to->set_parent_id(parent_id);
  to->set_logical_type(field.logical_type);
  to->set_nullable(field.nullable);
  to->set_encoding(LegacyEncodingOf(field));
  AppendMetadata(field.metadata, to->mutable_metadata());
  const auto extension = field.metadata.find(kExtensionName);
  if (extension != field.metadata.end()) to->set_extension_name(extension->second);
  to->set_unenforced_primary_key(field.unenforced_primary_key);
  to->set_unenforced_primary_key_position(field.unenforced_primary_key_position);
  to->set_unenforced_clustering_key_position(field.unenforced_clustering_key_position);
  for (const Field& child : field.children) AppendField(child, field.id, out);
}

Field ParseField(const proto::Field& from) {
  Field field;
  field.name = from.name();
  field.id = from.id();
  field.parent_id = from.parent_id();
  field.logical_type = from.logical_type();
  field.nullable = from.nullable();
  field.metadata = ParseMetadata(from.metadata());
  if (!from.extension_name().empty()) field.metadata[kExtensionName] = from.extension_name();
  field.unenforced_primary_key_position = from.unenforced_primary_key_position();
  field.unenforced_primary_key =
      from.unenforced_primary_key() || from.unenforced_primary_key_position() > 0;
  field.unenforced_clustering_key_position = from.unenforced_clustering_key_position();
  return field;
}

/// Moves the field `index` and what hangs below it out of `flat`.
Result<Field> TakeTree(size_t index, const std::vector<std::vector<size_t>>& children, int depth,
                       std::vector<Field>* flat) {
  if (depth > kMaxDepth) return Corrupt("schema is nested deeper than ", kMaxDepth, " fields");
  Field field = std::move((*flat)[index]);
  for (const size_t child : children[index]) {
    ARROW_ASSIGN_OR_RAISE(Field taken, TakeTree(child, children, depth + 1, flat));
    field.children.push_back(std::move(taken));
  }
  return field;
}

}  // namespace

void AppendFields(const std::vector<Field>& fields,
                  google::protobuf::RepeatedPtrField<proto::Field>* out) {
  for (const Field& field : fields) AppendField(field, -1, out);
}

Result<std::vector<Field>> ParseFields(
    const google::protobuf::RepeatedPtrField<proto::Field>& fields) {
  std::vector<Field> flat;
  std::vector<std::vector<size_t>> children(fields.size());
  std::vector<size_t> top;
  std::unordered_map<int32_t, size_t> index_of_id;
  /// The last field with an id, to which parts without one may belong.
  std::optional<size_t> owner;
  flat.reserve(fields.size());
  for (const proto::Field& from : fields) {
    const size_t index = flat.size();
    if (!IsUtf8(from.name()) || !IsUtf8(from.logical_type())) {
      return Corrupt("schema field with id ", from.id(), " has a name that is not UTF-8");
    }
    flat.push_back(ParseField(from));
    if (owner && children[*owner].size() == index - *owner - 1 &&
        IsBlobPart(flat[index], flat[*owner], index - *owner - 1)) {
      children[*owner].push_back(index);
      flat[index].parent_id = flat[*owner].id;
    } else if (from.parent_id() < 0) {
      top.push_back(index);
    } else {
      const auto parent = index_of_id.find(from.parent_id());
      if (parent == index_of_id.end()) {
        return Corrupt("schema field '", from.name(), "' (id ", from.id(), ") stands before its ",
                       "parent, or has none with id ", from.parent_id());
      }
      children[parent->second].push_back(index);
    }
    // Nothing can be the child of a field without an id.
    if (from.id() < 0) continue;
    owner = index;
    if (!index_of_id.emplace(from.id(), index).second) {
      return Corrupt("schema field '", from.name(), "' has id ", from.id(),
                     ", which another field has");
    }
  }
  std::vector<Field> tree;
  for (const size_t index : top) {
    ARROW_ASSIGN_OR_RAISE(Field field, TakeTree(index, children, 1, &flat));
    tree.push_back(std::move(field));
  }
  return tree;
}

proto::Schema ToProto(const Schema& schema) {
  proto::Schema to;
  AppendFields(schema.fields, to.mutable_fields());
  AppendMetadata(schema.metadata, to.mutable_metadata());
  return to;
}

Result<Schema> FromProto(const proto::Schema& schema) {
  Schema to;
  ARROW_ASSIGN_OR_RAISE(to.fields, ParseFields(schema.fields()));
  to.metadata = ParseMetadata(schema.metadata());
  return to;
}

}  // namespace tusk::lance
