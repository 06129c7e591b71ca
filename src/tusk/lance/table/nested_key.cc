#include "tusk/lance/table/nested_key.h"

#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/file/arrow_compute.h"

namespace tusk::lance {
namespace {

using arrow::Type;

bool IsList(Type::type id) {
  return id == Type::LIST || id == Type::LARGE_LIST || id == Type::FIXED_SIZE_LIST;
}

bool IsFixed(Type::type id) {
  return id != Type::DICTIONARY && id != Type::FIXED_SIZE_LIST && id != Type::BOOL &&
         arrow::is_fixed_width(id);
}

const arrow::DataType* StorageOf(const arrow::DataType* type) {
  if (type->id() != Type::EXTENSION) return type;
  return StorageOf(static_cast<const arrow::ExtensionType*>(type)->storage_type().get());
}

/// Whether values of the type can be inside of a key.
bool IsPart(const arrow::DataType& type) {
  const arrow::DataType& storage = *StorageOf(&type);
  const Type::type id = storage.id();
  if (id == Type::DICTIONARY) {
    return IsPart(*static_cast<const arrow::DictionaryType&>(storage).value_type());
  }
  return id == Type::NA || id == Type::BOOL || IsFixed(id) || arrow::is_base_binary_like(id) ||
         id == Type::STRING_VIEW || id == Type::BINARY_VIEW || IsNestedKey(storage);
}

/// A column and those inside of it, of which nothing is a dictionary, a view or an extension.
struct Part {
  std::shared_ptr<arrow::Array> array;
  std::vector<Part> children = {};
};

Result<Part> MakePart(std::shared_ptr<arrow::Array> array, arrow::MemoryPool* pool) {
  while (array->type_id() == Type::EXTENSION) {
    array = static_cast<const arrow::ExtensionArray&>(*array).storage();
  }
  switch (array->type_id()) {
    case Type::DICTIONARY:
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW: {
      std::shared_ptr<arrow::DataType> type = arrow::binary();
      if (array->type_id() == Type::STRING_VIEW) type = arrow::utf8();
      if (array->type_id() == Type::DICTIONARY) {
        type = static_cast<const arrow::DictionaryType&>(*array->type()).value_type();
      }
      ARROW_ASSIGN_OR_RAISE(const auto values, CastTo(array->data(), type, pool));
      return MakePart(arrow::MakeArray(values), pool);
    }
    case Type::STRUCT: {
      Part part{.array = array};
      for (const auto& field : static_cast<const arrow::StructArray&>(*array).fields()) {
        ARROW_ASSIGN_OR_RAISE(part.children.emplace_back(), MakePart(field, pool));
      }
      return part;
    }
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST: {
      Part part{.array = array};
      // Items are numbered from the first of all rows, wherever the array begins.
      ARROW_ASSIGN_OR_RAISE(part.children.emplace_back(),
                            MakePart(arrow::MakeArray(array->data()->child_data[0]), pool));
      return part;
    }
    default:
      return Part{.array = std::move(array)};
  }
}

void AppendText(std::string_view text, std::string* key) {
  AppendLittle(static_cast<uint64_t>(text.size()), key);
  key->append(text);
}

void AppendValue(const Part& part, int64_t row, std::string* key);

void AppendItems(const Part& items, int64_t begin, int64_t length, std::string* key) {
  AppendLittle(static_cast<uint64_t>(length), key);
  for (int64_t i = begin; i < begin + length; ++i) AppendValue(items, i, key);
}

/// Whether it is null comes first, then the value, so that no two values have the same bytes.
void AppendValue(const Part& part, int64_t row, std::string* key) {
  const arrow::Array& array = *part.array;
  key->push_back(array.IsNull(row) ? '\0' : '\1');
  if (array.IsNull(row)) return;
  switch (array.type_id()) {
    case Type::STRUCT:
      for (const Part& child : part.children) AppendValue(child, row, key);
      return;
    case Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      return AppendItems(part.children[0], list.value_offset(row), list.value_length(row), key);
    }
    case Type::LARGE_LIST: {
      const auto& list = static_cast<const arrow::LargeListArray&>(array);
      return AppendItems(part.children[0], list.value_offset(row), list.value_length(row), key);
    }
    case Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::FixedSizeListArray&>(array);
      return AppendItems(part.children[0], list.value_offset(row), list.value_length(), key);
    }
    case Type::BOOL:
      key->push_back(static_cast<const arrow::BooleanArray&>(array).Value(row) ? '\1' : '\0');
      return;
    case Type::STRING:
    case Type::BINARY:
      return AppendText(static_cast<const arrow::BinaryArray&>(array).GetView(row), key);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return AppendText(static_cast<const arrow::LargeBinaryArray&>(array).GetView(row), key);
    default: {
      const int64_t width = array.type()->byte_width();
      const uint8_t* values = array.data()->buffers[1]->data();
      key->append(reinterpret_cast<const char*>(values) + (array.offset() + row) * width, width);
    }
  }
}

}  // namespace

bool IsNestedKey(const arrow::DataType& type) {
  if (type.id() != Type::STRUCT && !IsList(type.id())) return false;
  for (const auto& field : type.fields()) {
    if (!IsPart(*field->type())) return false;
  }
  return type.num_fields() > 0;
}

Result<std::shared_ptr<arrow::ArrayData>> EncodeNestedKey(
    const std::shared_ptr<arrow::ArrayData>& column, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const Part part, MakePart(arrow::MakeArray(column), pool));
  arrow::LargeBinaryBuilder keys(pool);
  ARROW_RETURN_NOT_OK(keys.Reserve(column->length));
  std::string key;
  for (int64_t row = 0; row < column->length; ++row) {
    if (part.array->IsNull(row)) {
      keys.UnsafeAppendNull();
      continue;
    }
    key.clear();
    AppendValue(part, row, &key);
    ARROW_RETURN_NOT_OK(keys.Append(key));
  }
  ARROW_ASSIGN_OR_RAISE(const auto array, keys.Finish());
  return array->data();
}

}  // namespace tusk::lance
