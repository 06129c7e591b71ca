#include "tusk/expr/value_key.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/expr/type_name.h"

namespace tusk::expr {
namespace {

template <typename T>
void AppendBytes(const T& value, std::string* key) {
  key->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename Real>
void AppendReal(Real value, std::string* key) {
  AppendBytes(std::isnan(value) ? std::numeric_limits<Real>::quiet_NaN() : value, key);
}

void AppendText(std::string_view text, std::string* key) {
  AppendBytes(text.size(), key);
  key->append(text);
}

template <typename ListArray>
Status AppendList(const arrow::Array& array, int64_t i, std::string* key) {
  const auto& lists = static_cast<const ListArray&>(array);
  const int64_t begin = lists.value_offset(i);
  const int64_t size = lists.value_length(i);
  AppendBytes(size, key);
  for (int64_t j = begin; j < begin + size; ++j) {
    ARROW_RETURN_NOT_OK(AppendKey(*lists.values(), j, key));
  }
  return Status::OK();
}

}  // namespace

Status AppendKey(const arrow::Array& array, int64_t i, std::string* key) {
  if (array.type_id() == arrow::Type::NA || array.IsNull(i)) {
    key->push_back(0);
    return Status::OK();
  }
  key->push_back(1);
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      key->push_back(static_cast<const arrow::BooleanArray&>(array).Value(i) ? 1 : 0);
      return Status::OK();
    case arrow::Type::FLOAT:
      AppendReal(static_cast<const arrow::FloatArray&>(array).Value(i), key);
      return Status::OK();
    case arrow::Type::DOUBLE:
      AppendReal(static_cast<const arrow::DoubleArray&>(array).Value(i), key);
      return Status::OK();
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      AppendText(static_cast<const arrow::BinaryArray&>(array).GetView(i), key);
      return Status::OK();
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      AppendText(static_cast<const arrow::LargeBinaryArray&>(array).GetView(i), key);
      return Status::OK();
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return AppendList<arrow::ListArray>(array, i, key);
    case arrow::Type::LARGE_LIST:
      return AppendList<arrow::LargeListArray>(array, i, key);
    case arrow::Type::FIXED_SIZE_LIST:
      return AppendList<arrow::FixedSizeListArray>(array, i, key);
    case arrow::Type::STRUCT: {
      const auto& structs = static_cast<const arrow::StructArray&>(array);
      for (int field = 0; field < structs.num_fields(); ++field) {
        ARROW_RETURN_NOT_OK(AppendKey(*structs.field(field), i, key));
      }
      return Status::OK();
    }
    default:
      break;
  }
  if (!arrow::is_fixed_width(array.type_id())) {
    return InvalidArgument("values of type ", NameOfType(*array.type()),
                           " cannot be told apart here");
  }
  const auto width = static_cast<size_t>(array.type()->byte_width());
  const auto* bytes = array.data()->GetValues<uint8_t>(1, 0);
  key->append(
      reinterpret_cast<const char*>(bytes) + static_cast<size_t>(array.offset() + i) * width,
      width);
  return Status::OK();
}

}  // namespace tusk::expr
