#include "tusk/lance/file/json_text.h"

#include <algorithm>
#include <utility>

#include <arrow/array/array_binary.h>
#include <arrow/array/data.h>
#include <arrow/type.h>

#include "tusk/lance/encodings/jsonb.h"

namespace tusk::lance {
namespace {

bool HasJson(const Field& field) {
  return field.logical_type == "json" || std::ranges::any_of(field.children, HasJson);
}

Result<std::shared_ptr<arrow::ArrayData>> Convert(const Field& field,
                                                  const std::shared_ptr<arrow::ArrayData>& rows,
                                                  arrow::MemoryPool* pool) {
  if (field.logical_type == "json") {
    ARROW_ASSIGN_OR_RAISE(const auto texts, JsonTextOf(arrow::LargeBinaryArray(rows), pool));
    return texts->data();
  }
  ARROW_ASSIGN_OR_RAISE(const auto arrow_field, ToArrowField(field, JsonForm::kText));
  std::shared_ptr<arrow::ArrayData> converted = rows->Copy();
  converted->type = arrow_field->type();
  for (size_t i = 0; i < field.children.size(); ++i) {
    // What lies outside of a slice is converted too: children are as long as the whole.
    ARROW_ASSIGN_OR_RAISE(converted->child_data[i],
                          WithJsonText(field.children[i], rows->child_data[i], pool));
  }
  return converted;
}

}  // namespace

Result<std::shared_ptr<arrow::ArrayData>> WithJsonText(const Field& field,
                                                       std::shared_ptr<arrow::ArrayData> rows,
                                                       arrow::MemoryPool* pool) {
  if (!HasJson(field)) return rows;
  auto converted = Convert(field, rows, pool);
  if (!converted.ok()) return WithContext(converted.status(), "field '" + field.name + "'");
  return converted;
}

}  // namespace tusk::lance
