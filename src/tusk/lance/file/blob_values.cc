#include "tusk/lance/file/blob_values.h"

#include <utility>

#include <arrow/type.h>

namespace tusk::lance {
namespace {

struct Part {
  const char* name;
  const char* logical_type;
};
constexpr Part kParts[] = {{"kind", "uint8"},  {"data", "large_binary"}, {"position", "uint64"},
                           {"size", "uint64"}, {"blob_id", "uint32"},    {"blob_uri", "string"}};

}  // namespace

const std::shared_ptr<arrow::DataType>& PreparedBlobType() {
  static const auto type = [] {
    const auto part = [](int number, std::shared_ptr<arrow::DataType> of) {
      return arrow::field(kParts[number].name, std::move(of), /*nullable=*/false);
    };
    return arrow::struct_(
        {part(kPreparedKind, arrow::uint8()), part(kPreparedData, arrow::large_binary()),
         part(kPreparedPosition, arrow::uint64()), part(kPreparedSize, arrow::uint64()),
         part(kPreparedBlobId, arrow::uint32()), part(kPreparedUri, arrow::utf8())});
  }();
  return type;
}

Field PreparedForm(Field field) {
  if (!field.is_blob_v2()) {
    for (Field& child : field.children) child = PreparedForm(std::move(child));
    return field;
  }
  field.logical_type = "struct";
  field.metadata.clear();
  field.children.clear();
  for (const Part& part : kParts) {
    Field child;
    child.name = part.name;
    child.parent_id = field.id;
    child.logical_type = part.logical_type;
    child.nullable = false;
    field.children.push_back(std::move(child));
  }
  return field;
}

}  // namespace tusk::lance
