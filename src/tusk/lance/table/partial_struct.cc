#include "tusk/lance/table/partial_struct.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include "tusk/lance/file/batch_shaper.h"

namespace tusk::lance {
namespace {

using arrow::Type;

int IndexOf(const arrow::DataType& type, const std::string& name) {
  return static_cast<const arrow::StructType&>(type).GetFieldIndex(name);
}

/// A bit for each row: whether it is null neither in the one nor in the other. Null: none is.
Result<std::shared_ptr<arrow::Buffer>> EitherValidity(const arrow::Array& a, const arrow::Array& b,
                                                      arrow::MemoryPool* pool) {
  if (a.null_count() == 0 || b.null_count() == 0) return nullptr;
  return arrow::internal::BitmapOr(pool, a.null_bitmap_data(), a.offset(), b.null_bitmap_data(),
                                   b.offset(), a.length(), 0);
}

Result<std::shared_ptr<arrow::Buffer>> Validity(const arrow::Array& array,
                                                arrow::MemoryPool* pool) {
  if (array.null_count() == 0) return nullptr;
  return arrow::internal::CopyBitmap(pool, array.null_bitmap_data(), array.offset(),
                                     array.length());
}

}  // namespace

bool IsPartOf(const arrow::DataType& part, const arrow::DataType& whole) {
  if (IsStoredAs(part, whole)) return true;
  if (part.id() != Type::STRUCT || whole.id() != Type::STRUCT || part.num_fields() == 0) {
    return false;
  }
  return std::ranges::all_of(part.fields(), [&](const std::shared_ptr<arrow::Field>& field) {
    const int index = IndexOf(whole, field->name());
    // Twice the same name has no index.
    return index >= 0 && IndexOf(part, field->name()) >= 0 &&
           IsPartOf(*field->type(), *whole.field(index)->type());
  });
}

bool IsWhole(const arrow::DataType& part, const arrow::DataType& whole) {
  return IsStoredAs(part, whole);
}

Field PartOf(Field field, const arrow::DataType& part) {
  if (part.id() != Type::STRUCT) return field;
  std::vector<Field> children;
  for (const auto& child : part.fields()) {
    const auto found = std::ranges::find(field.children, child->name(), &Field::name);
    if (found != field.children.end()) children.push_back(PartOf(*found, *child->type()));
  }
  field.children = std::move(children);
  return field;
}

std::shared_ptr<arrow::DataType> CompletedType(const arrow::DataType& part,
                                               const std::shared_ptr<arrow::DataType>& whole) {
  arrow::FieldVector fields;
  for (const auto& field : whole->fields()) {
    const int index = IndexOf(part, field->name());
    if (index < 0) {
      fields.push_back(field);
      continue;
    }
    const auto& own = part.field(index);
    const bool is_whole = IsWhole(*own->type(), *field->type());
    fields.push_back(
        own->WithType(is_whole ? own->type() : CompletedType(*own->type(), field->type())));
  }
  return arrow::struct_(fields);
}

Result<std::shared_ptr<arrow::Array>> Complete(const std::shared_ptr<arrow::Array>& part,
                                               const std::shared_ptr<arrow::DataType>& whole,
                                               const std::shared_ptr<arrow::Array>& before,
                                               arrow::MemoryPool* pool) {
  if (IsWhole(*part->type(), *whole)) return part;
  const auto& own = static_cast<const arrow::StructArray&>(*part);
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (const auto& field : whole->fields()) {
    std::shared_ptr<arrow::Array> rest;
    if (before != nullptr) {
      const int place = IndexOf(*before->type(), field->name());
      ARROW_ASSIGN_OR_RAISE(
          rest, static_cast<const arrow::StructArray&>(*before).GetFlattenedField(place, pool));
    }
    const int index = IndexOf(*part->type(), field->name());
    if (index >= 0) {
      ARROW_ASSIGN_OR_RAISE(const auto values, own.GetFlattenedField(index, pool));
      ARROW_ASSIGN_OR_RAISE(rest, Complete(values, field->type(), rest, pool));
    } else if (rest == nullptr) {
      ARROW_ASSIGN_OR_RAISE(rest, arrow::MakeArrayOfNull(field->type(), part->length(), pool));
    }
    children.push_back(rest->data());
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (before != nullptr) {
    ARROW_ASSIGN_OR_RAISE(validity, EitherValidity(*part, *before, pool));
  } else {
    ARROW_ASSIGN_OR_RAISE(validity, Validity(*part, pool));
  }
  return arrow::MakeArray(arrow::ArrayData::Make(CompletedType(*part->type(), whole),
                                                 part->length(), {std::move(validity)},
                                                 std::move(children)));
}

}  // namespace tusk::lance
