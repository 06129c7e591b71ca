#include "tusk/lance/file/write/stored_fields.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tusk::lance {
namespace {

Field StoredField(Field field) {
  if (field.is_blob_v2()) return DescriptorOf(std::move(field));
  for (Field& child : field.children) child = StoredField(std::move(child));
  return field;
}

Field EncodedField(Field field) {
  if (field.is_blob_v2()) field.metadata = {{"lance-encoding:packed", "true"}};
  for (Field& child : field.children) child = EncodedField(std::move(child));
  return field;
}

/// Whether blobs of version 2 are struct<data, uri, position, size>, or the first two of these.
Status CheckShapeOfBlobs(const Field& field) {
  for (const Field& child : field.children) ARROW_RETURN_NOT_OK(CheckShapeOfBlobs(child));
  if (!field.is_blob_v2()) return Status::OK();
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kParts = {
      {{"data", "large_binary"}, {"uri", "string"}, {"position", "uint64"}, {"size", "uint64"}}};
  const std::vector<Field>& parts = field.children;
  const bool has_parts =
      field.logical_type == "struct" && (parts.size() == 2 || parts.size() == kParts.size()) &&
      std::ranges::equal(parts, std::span(kParts).first(parts.size()),
                         [](const Field& part, const auto& known) {
                           return part.name == known.first && part.logical_type == known.second;
                         });
  if (has_parts) return Status::OK();
  return Unsupported("field '", field.name, "': blobs of version 2 are written as struct<data: ",
                     "large_binary, uri: string, position: uint64, size: uint64>");
}

}  // namespace

bool HasBlobsV2(const Field& field) {
  return field.is_blob_v2() || std::ranges::any_of(field.children, HasBlobsV2);
}

Schema StoredFields(Schema schema) {
  for (Field& field : schema.fields) field = StoredField(std::move(field));
  return schema;
}

Schema EncodedFields(Schema schema) {
  for (Field& field : schema.fields) field = EncodedField(std::move(field));
  return schema;
}

Status CheckBlobs(const Schema& schema, uint16_t minor_version) {
  for (const Field& field : schema.fields) {
    ARROW_RETURN_NOT_OK(CheckShapeOfBlobs(field));
    if (minor_version < 2 && HasBlobsV2(field)) {
      return Unsupported("field '", field.name, "': blobs of version 2 need data version 2.2");
    }
  }
  return Status::OK();
}

}  // namespace tusk::lance
