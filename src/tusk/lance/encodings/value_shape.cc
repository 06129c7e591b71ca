#include "tusk/lance/encodings/value_shape.h"

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace tusk::lance {
namespace {

constexpr int64_t kMaxRowBits = int64_t{8} * (256 << 20);

}  // namespace

int64_t ValueShape::ItemsPerRow(size_t layer) const {
  int64_t items = 1;
  for (size_t i = 0; i <= layer; ++i) items *= list_sizes[i];
  return items;
}

Result<ValueShape> ValueShape::Of(const arrow::DataType& type) {
  const arrow::DataType* item = &type;
  ValueShape shape;
  if (item->id() == arrow::Type::EXTENSION) {
    item = static_cast<const arrow::ExtensionType*>(item)->storage_type().get();
  }
  while (item->id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto* list = static_cast<const arrow::FixedSizeListType*>(item);
    if (list->list_size() <= 0 || shape.items_per_row > kMaxRowBits / list->list_size()) {
      return Unsupported("fixed-size list type ", type.ToString(), " is not supported yet");
    }
    shape.list_sizes.push_back(list->list_size());
    shape.items_per_row *= list->list_size();
    item = list->value_type().get();
  }
  switch (item->id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      shape.is_variable = true;
      shape.bits = 32;
      break;
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      shape.is_variable = true;
      shape.bits = 64;
      break;
    default:
      if (item->id() == arrow::Type::NA ||
          (item->id() == arrow::Type::STRUCT && item->num_fields() == 0)) {
        if (!shape.list_sizes.empty()) {
          return Unsupported("type ", type.ToString(), " is not supported");
        }
        shape.bits = 0;
        break;
      }
      if (!arrow::is_fixed_width(item->id()) || item->id() == arrow::Type::DICTIONARY) {
        return Unsupported("type ", type.ToString(), " is not supported yet");
      }
      shape.bits = static_cast<const arrow::FixedWidthType*>(item)->bit_width();
      if (shape.bits <= 0 || shape.bits > kMaxRowBits / shape.items_per_row) {
        return Unsupported("values of ", type.ToString(), " are not supported yet");
      }
  }
  if (shape.is_variable && !shape.list_sizes.empty()) {
    return Unsupported("type ", type.ToString(), " is not supported yet");
  }
  return shape;
}

Result<ValueShape> ValueShape::OfPacked(const arrow::DataType& type) {
  ValueShape shape;
  for (const auto& field : type.fields()) {
    ARROW_ASSIGN_OR_RAISE(const ValueShape inner, Of(*field->type()));
    const int64_t bits = inner.is_variable ? inner.bits : inner.row_bits();
    if (bits == 0 || bits % 8 != 0 || bits > kMaxRowBits - shape.bits) {
      return Unsupported("packed struct with a field of ", field->type()->ToString(),
                         " is not supported");
    }
    shape.packed_fields.push_back({.is_variable = inner.is_variable, .bits = bits});
    shape.is_variable = shape.is_variable || inner.is_variable;
    shape.bits += bits;
  }
  if (shape.packed_fields.empty()) return Unsupported("packed struct without fields");
  if (shape.is_variable) shape.bits = 64;
  return shape;
}

}  // namespace tusk::lance
