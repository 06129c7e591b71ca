#include "tusk/lance/file/batch_shaper.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer_builder.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/arrow_compute.h"

namespace tusk::lance {
namespace {

using arrow::Type;

const arrow::DataType* StorageType(const arrow::DataType* type) {
  if (type->id() != Type::EXTENSION) return type;
  return static_cast<const arrow::ExtensionType*>(type)->storage_type().get();
}

std::shared_ptr<arrow::Field> FieldWithoutViews(const std::shared_ptr<arrow::Field>& field) {
  return field->WithType(WithoutViews(field->type()));
}

arrow::FieldVector FieldsWithoutViews(const arrow::FieldVector& fields) {
  arrow::FieldVector converted;
  for (const auto& field : fields) converted.push_back(FieldWithoutViews(field));
  return converted;
}

/// The lists of list views, one after the other. Arrow 26 has two ways to do so, of which a cast
/// leaves out the last offset, and FromListView loses rows of slices.
template <typename Offset>
Result<std::shared_ptr<arrow::ArrayData>> ListsOf(const arrow::ArrayData& views,
                                                  arrow::MemoryPool* pool) {
  const auto* offsets = views.GetValues<Offset>(1);
  const auto* sizes = views.GetValues<Offset>(2);
  arrow::TypedBufferBuilder<bool> validity(pool);
  arrow::TypedBufferBuilder<Offset> ends(pool);
  arrow::Int64Builder items(pool);
  ARROW_RETURN_NOT_OK(ends.Append(0));
  for (int64_t row = 0; row < views.length; ++row) {
    const bool is_valid = views.IsValid(row);
    ARROW_RETURN_NOT_OK(validity.Append(is_valid));
    for (Offset i = 0; is_valid && i < sizes[row]; ++i) {
      ARROW_RETURN_NOT_OK(items.Append(int64_t{offsets[row]} + i));
    }
    if (items.length() > std::numeric_limits<Offset>::max()) {
      return Status::CapacityError("more than ", std::numeric_limits<Offset>::max(), " items");
    }
    ARROW_RETURN_NOT_OK(ends.Append(static_cast<Offset>(items.length())));
  }
  ARROW_ASSIGN_OR_RAISE(const auto numbers, items.Finish());
  ARROW_ASSIGN_OR_RAISE(auto taken, TakeRows(views.child_data[0], numbers->data(), pool));
  auto lists = std::make_shared<arrow::ArrayData>(nullptr, views.length);
  const int64_t null_count = validity.false_count();
  ARROW_ASSIGN_OR_RAISE(auto validity_buffer, validity.Finish());
  ARROW_ASSIGN_OR_RAISE(auto ends_buffer, ends.Finish());
  if (null_count == 0) validity_buffer = nullptr;
  lists->null_count = null_count;
  lists->buffers = {std::move(validity_buffer), std::move(ends_buffer)};
  lists->child_data = {std::move(taken)};
  return lists;
}

Result<std::shared_ptr<arrow::ArrayData>> StoreViews(const std::shared_ptr<arrow::ArrayData>& array,
                                                     const std::shared_ptr<arrow::DataType>& type,
                                                     arrow::MemoryPool* pool) {
  if (array->type->Equals(*type)) return array;
  // Arrow 26 casts items of the null type, in lists, to fewer than the offsets say.
  if (array->child_data.empty()) return CastTo(array, type, pool);
  std::shared_ptr<arrow::ArrayData> stored = array->Copy();
  for (size_t i = 0; i < stored->child_data.size(); ++i) {
    const auto& child_type = type->field(static_cast<int>(i))->type();
    ARROW_ASSIGN_OR_RAISE(stored->child_data[i],
                          StoreViews(stored->child_data[i], child_type, pool));
  }
  if (array->type->id() == Type::LIST_VIEW) {
    ARROW_ASSIGN_OR_RAISE(stored, ListsOf<int32_t>(*stored, pool));
  } else if (array->type->id() == Type::LARGE_LIST_VIEW) {
    ARROW_ASSIGN_OR_RAISE(stored, ListsOf<int64_t>(*stored, pool));
  }
  stored->type = type;
  return stored;
}

bool ChildrenAreStoredAs(const arrow::DataType& data, const arrow::DataType& stored, bool by_name) {
  if (data.num_fields() != stored.num_fields()) return false;
  for (int i = 0; i < data.num_fields(); ++i) {
    const arrow::Field& child = *data.field(i);
    const arrow::Field& stored_child = *stored.field(i);
    if (by_name && child.name() != stored_child.name()) return false;
    if (!IsStoredAs(*child.type(), *stored_child.type())) return false;
  }
  return true;
}

}  // namespace

std::shared_ptr<arrow::DataType> WithoutViews(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case Type::STRING_VIEW:
      return arrow::utf8();
    case Type::BINARY_VIEW:
      return arrow::binary();
    case Type::LIST:
    case Type::LIST_VIEW:
      return arrow::list(FieldWithoutViews(type->field(0)));
    case Type::LARGE_LIST:
    case Type::LARGE_LIST_VIEW:
      return arrow::large_list(FieldWithoutViews(type->field(0)));
    case Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(
          FieldWithoutViews(type->field(0)),
          static_cast<const arrow::FixedSizeListType&>(*type).list_size());
    case Type::STRUCT:
      return arrow::struct_(FieldsWithoutViews(type->fields()));
    case Type::MAP:
      return std::make_shared<arrow::MapType>(
          FieldWithoutViews(type->field(0)),
          static_cast<const arrow::MapType&>(*type).keys_sorted());
    default:
      return type;
  }
}

std::shared_ptr<arrow::Schema> WithoutViews(const std::shared_ptr<arrow::Schema>& schema) {
  return arrow::schema(FieldsWithoutViews(schema->fields()), schema->metadata());
}

Result<std::shared_ptr<arrow::ArrayData>> CopyViews(const std::shared_ptr<arrow::ArrayData>& array,
                                                    arrow::MemoryPool* pool) {
  return StoreViews(array, WithoutViews(array->type), pool);
}

bool IsStoredAs(const arrow::DataType& data, const arrow::DataType& stored) {
  // JSON text is stored as JSONB.
  if (data.id() == Type::EXTENSION && stored.id() == Type::LARGE_BINARY &&
      static_cast<const arrow::ExtensionType&>(data).extension_name() == "arrow.json") {
    return true;
  }
  const arrow::DataType& from = *StorageType(&data);
  const arrow::DataType& to = *StorageType(&stored);
  if (from.id() != to.id()) return false;
  switch (from.id()) {
    case Type::FIXED_SIZE_LIST:
      if (static_cast<const arrow::FixedSizeListType&>(from).list_size() !=
          static_cast<const arrow::FixedSizeListType&>(to).list_size()) {
        return false;
      }
      return ChildrenAreStoredAs(from, to, /*by_name=*/false);
    case Type::LIST:
    case Type::LARGE_LIST:
      return ChildrenAreStoredAs(from, to, /*by_name=*/false);
    case Type::STRUCT:
      return ChildrenAreStoredAs(from, to, /*by_name=*/true);
    case Type::MAP:
      // Keys and values, whatever their names are.
      return ChildrenAreStoredAs(*from.field(0)->type(), *to.field(0)->type(), /*by_name=*/false);
    case Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(from);
      const auto& stored_dictionary = static_cast<const arrow::DictionaryType&>(to);
      return dictionary.index_type()->Equals(stored_dictionary.index_type()) &&
             IsStoredAs(*dictionary.value_type(), *stored_dictionary.value_type());
    }
    default:
      return from.Equals(to);
  }
}

Result<BatchShaper> BatchShaper::Make(const arrow::Schema& data, const Schema& schema) {
  BatchShaper shaper;
  ARROW_ASSIGN_OR_RAISE(shaper.schema_, schema.ToArrow());
  for (const auto& field : shaper.schema_->fields()) {
    const std::vector<int> indices = data.GetAllFieldIndices(field->name());
    if (indices.size() != 1) {
      return InvalidArgument("the data has ", indices.size(), " columns named '", field->name(),
                             "', not one");
    }
    const auto& type = data.field(indices[0])->type();
    const auto without_views = WithoutViews(type);
    if (!IsStoredAs(*without_views, *field->type())) {
      return InvalidArgument("column '", field->name(), "' has type ", type->ToString(),
                             ", but is stored as ", field->type()->ToString());
    }
    shaper.indices_.push_back(indices[0]);
    shaper.casts_.push_back(without_views->Equals(type) ? nullptr : without_views);
  }
  return shaper;
}

Result<std::shared_ptr<arrow::RecordBatch>> BatchShaper::Convert(
    const arrow::RecordBatch& batch, const OperationContext& context) const {
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  for (int i = 0; i < schema_->num_fields(); ++i) {
    const arrow::Field& field = *schema_->field(i);
    std::shared_ptr<arrow::ArrayData> column = batch.column_data(indices_[i]);
    if (!field.nullable() && column->GetNullCount() > 0) {
      return InvalidArgument("column '", field.name(), "' must not be null, but ",
                             column->GetNullCount(), " of ", batch.num_rows(),
                             " rows in a batch are");
    }
    if (casts_[i] != nullptr) {
      auto stored = StoreViews(column, casts_[i], context.pool);
      if (!stored.ok()) return WithContext(stored.status(), "column '" + field.name() + "'");
      column = *std::move(stored);
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
}

Status BatchShaper::Shape(const arrow::RecordBatch& batch, const OperationContext& context,
                          const std::function<Status(const arrow::RecordBatch&)>& write) const {
  auto converted = Convert(batch, context);
  if (converted.ok()) return write(**converted);
  if (!converted.status().IsCapacityError() || batch.num_rows() < 2) return converted.status();
  const int64_t half = batch.num_rows() / 2;
  ARROW_RETURN_NOT_OK(Shape(*batch.Slice(0, half), context, write));
  return Shape(*batch.Slice(half), context, write);
}

}  // namespace tusk::lance
