#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/table/index_metadata.h"
#include "tusk/lance/table/table_proto.h"

namespace tusk::lance {
namespace {

constexpr size_t kUuidBytes = 16;

/// See manifest_proto.cc.
std::string TakeUnknownFields(proto::IndexMetadata index) {
  index.clear_uuid();
  index.clear_fields();
  index.clear_name();
  index.clear_dataset_version();
  index.clear_fragment_bitmap();
  index.clear_index_details();
  index.clear_index_version();
  index.clear_created_at();
  index.clear_base_id();
  index.clear_files();
  index.clear_covering_fields();
  return index.SerializeAsString();
}

}  // namespace

bool IndexMetadata::is_system() const {
  return name == "__lance_frag_reuse" || name == "__lance_mem_wal";
}

bool IndexMetadata::answers_addresses() const {
  if (!has_details) return false;
  if (details_type.ends_with("ZoneMapIndexDetails") ||
      details_type.ends_with("BloomFilterIndexDetails")) {
    return true;
  }
  // Older B-trees hold row ids.
  if (details_type.ends_with("BTreeIndexDetails")) return index_version.value_or(0) >= 1;
  std::string type = details_type.substr(details_type.rfind('/') + 1);
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type == "lance.index.pb.fmindexdetails";
}

proto::IndexMetadata ToProto(const IndexMetadata& index) {
  proto::IndexMetadata out;
  out.mutable_uuid()->set_uuid(index.uuid);
  out.mutable_fields()->Assign(index.field_ids.begin(), index.field_ids.end());
  out.set_name(index.name);
  out.set_dataset_version(index.dataset_version);
  if (index.fragments) out.set_fragment_bitmap(SerializeRoaringBitmap(*index.fragments));
  if (index.has_details) {
    out.mutable_index_details()->set_type_url(index.details_type);
    out.mutable_index_details()->set_value(index.details);
  }
  if (index.index_version) out.set_index_version(*index.index_version);
  if (index.created_at_ms) out.set_created_at(*index.created_at_ms);
  if (index.base_id) out.set_base_id(*index.base_id);
  for (const IndexFile& file : index.files) {
    proto::IndexFile* to = out.add_files();
    to->set_path(file.path);
    to->set_size_bytes(file.size_bytes);
  }
  out.mutable_covering_fields()->Assign(index.covering_fields.begin(), index.covering_fields.end());
  out.MergeFromString(index.carried);
  return out;
}

Result<IndexMetadata> FromProto(const proto::IndexMetadata& index) {
  IndexMetadata result;
  result.uuid = index.uuid().uuid();
  if (result.uuid.size() != kUuidBytes) {
    return Corrupt("index '", index.name(), "' has a uuid of ", result.uuid.size(), " bytes");
  }
  result.field_ids.assign(index.fields().begin(), index.fields().end());
  result.name = index.name();
  result.dataset_version = index.dataset_version();
  if (!index.fragment_bitmap().empty()) {
    auto fragments = ParseRoaringBitmap(index.fragment_bitmap());
    if (!fragments.ok()) {
      return WithContext(fragments.status(), "index '" + index.name() + "'");
    }
    result.fragments = *std::move(fragments);
  }
  result.has_details = index.has_index_details();
  result.details_type = index.index_details().type_url();
  result.details = index.index_details().value();
  if (index.has_index_version()) result.index_version = index.index_version();
  if (index.has_created_at()) result.created_at_ms = index.created_at();
  if (index.has_base_id()) result.base_id = index.base_id();
  for (const proto::IndexFile& file : index.files()) {
    result.files.push_back({.path = file.path(), .size_bytes = file.size_bytes()});
  }
  result.covering_fields.assign(index.covering_fields().begin(), index.covering_fields().end());
  result.carried = TakeUnknownFields(index);
  return result;
}

Result<std::vector<IndexMetadata>> ParseIndexSection(std::string_view bytes) {
  proto::IndexSection section;
  if (!ParseMessage(bytes, &section)) {
    return Corrupt("an index section of ", bytes.size(), " bytes is no message");
  }
  std::vector<IndexMetadata> indices;
  indices.reserve(section.indices_size());
  for (const proto::IndexMetadata& index : section.indices()) {
    ARROW_ASSIGN_OR_RAISE(indices.emplace_back(), FromProto(index));
  }
  return indices;
}

std::string SerializeIndexSection(const std::vector<IndexMetadata>& indices) {
  proto::IndexSection section;
  for (const IndexMetadata& index : indices) *section.add_indices() = ToProto(index);
  return section.SerializeAsString();
}

}  // namespace tusk::lance
