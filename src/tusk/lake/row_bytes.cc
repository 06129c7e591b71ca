#include "tusk/lake/row_bytes.h"

#include <string_view>

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace tusk::lake {
namespace {

void AppendText(std::string_view text, std::string* out) {
  const auto size = static_cast<uint64_t>(text.size());
  out->append(reinterpret_cast<const char*>(&size), sizeof(size));
  out->append(text);
}

void AppendItems(const arrow::Array& items, int64_t begin, int64_t end, std::string* out) {
  const int64_t count = end - begin;
  out->append(reinterpret_cast<const char*>(&count), sizeof(count));
  for (int64_t i = begin; i < end; ++i) AppendValueBytes(items, i, out);
}

template <typename ListArray>
void AppendList(const arrow::Array& array, int64_t row, std::string* out) {
  const auto& list = static_cast<const ListArray&>(array);
  AppendItems(*list.values(), list.value_offset(row),
              list.value_offset(row) + list.value_length(row), out);
}

/// Values of a fixed number of whole bytes, as they lie.
void AppendFixed(const arrow::Array& array, int64_t row, int bytes, std::string* out) {
  const uint8_t* values = array.data()->buffers[1]->data();
  out->append(reinterpret_cast<const char*>(values + (array.offset() + row) * bytes), bytes);
}

/// Vectors, in one piece where that is the same.
void AppendFixedSizeList(const arrow::FixedSizeListArray& list, int64_t row, std::string* out) {
  const auto& items = *list.values();
  const int64_t begin = list.value_offset(row);
  const int64_t count = list.value_length(row);
  if (!arrow::is_floating(items.type_id()) || items.null_count() != 0) {
    AppendItems(items, begin, begin + count, out);
    return;
  }
  const int bytes = items.type()->byte_width();
  const uint8_t* values = items.data()->buffers[1]->data();
  out->append(reinterpret_cast<const char*>(values + (items.offset() + begin) * bytes),
              static_cast<size_t>(count) * bytes);
}

}  // namespace

void AppendValueBytes(const arrow::Array& array, int64_t row, std::string* out) {
  out->push_back(array.IsNull(row) ? '\0' : '\1');
  if (array.IsNull(row)) return;
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return AppendText(static_cast<const arrow::BinaryArray&>(array).GetView(row), out);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return AppendText(static_cast<const arrow::LargeBinaryArray&>(array).GetView(row), out);
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return AppendList<arrow::ListArray>(array, row, out);
    case arrow::Type::LARGE_LIST:
      return AppendList<arrow::LargeListArray>(array, row, out);
    case arrow::Type::FIXED_SIZE_LIST:
      return AppendFixedSizeList(static_cast<const arrow::FixedSizeListArray&>(array), row, out);
    case arrow::Type::STRUCT: {
      const auto& fields = static_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < fields.num_fields(); ++i) AppendValueBytes(*fields.field(i), row, out);
      return;
    }
    default:
      break;
  }
  const int bytes = array.type()->byte_width();
  if (bytes > 0 && array.type_id() != arrow::Type::DICTIONARY) {
    return AppendFixed(array, row, bytes, out);
  }
  // Bits, dictionaries and whatever else: rare enough for the long way.
  const auto scalar = array.GetScalar(row);
  AppendText(scalar.ok() ? (*scalar)->ToString() : scalar.status().message(), out);
}

}  // namespace tusk::lake
