#include "tusk/lance/encodings/value_shape.h"

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace tusk::lance {
namespace {

constexpr int64_t kMaxRowBits = int64_t{8} * (256 << 20);

}  // namespace

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

}  // namespace tusk::lance
