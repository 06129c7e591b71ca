#include "tusk/lance/table/blob_schema.h"

#include <utility>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/lance/table/blob_input.h"

namespace tusk::lance {
namespace {

constexpr const char* kMark = "lance-encoding:blob";
constexpr const char* kExtensionName = "ARROW:extension:name";

std::shared_ptr<arrow::Field> WithBlobsV2(const std::shared_ptr<arrow::Field>& field);

/// `type` with the fields that it is made of converted.
std::shared_ptr<arrow::DataType> WithBlobsV2(const std::shared_ptr<arrow::DataType>& type) {
  arrow::FieldVector children;
  for (const auto& child : type->fields()) children.push_back(WithBlobsV2(child));
  switch (type->id()) {
    case arrow::Type::STRUCT:
      return arrow::struct_(children);
    case arrow::Type::LIST:
      return arrow::list(std::move(children[0]));
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(std::move(children[0]));
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto size = static_cast<const arrow::FixedSizeListType&>(*type).list_size();
      return arrow::fixed_size_list(std::move(children[0]), size);
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(WithBlobsV2(map.key_field()),
                                              WithBlobsV2(map.item_field()), map.keys_sorted());
    }
    default:
      return type;
  }
}

bool IsMarked(const arrow::Field& field) {
  const arrow::Type::type id = field.type()->id();
  return (id == arrow::Type::BINARY || id == arrow::Type::LARGE_BINARY) && IsBlobInput(field);
}

std::shared_ptr<arrow::Field> WithBlobsV2(const std::shared_ptr<arrow::Field>& field) {
  if (!IsMarked(*field)) return field->WithType(WithBlobsV2(field->type()));
  auto metadata = field->metadata()->Copy();
  (void)metadata->Delete(kMark);
  metadata->Append(kExtensionName, "lance.blob.v2");
  const auto type = arrow::struct_(
      {arrow::field("data", arrow::large_binary()), arrow::field("uri", arrow::utf8())});
  return arrow::field(field->name(), type, field->nullable(), std::move(metadata));
}

}  // namespace

std::shared_ptr<arrow::Schema> WithBlobsV2(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) fields.push_back(WithBlobsV2(field));
  return arrow::schema(std::move(fields), schema.metadata());
}

}  // namespace tusk::lance
