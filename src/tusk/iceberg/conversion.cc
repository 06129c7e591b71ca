#include "tusk/iceberg/conversion.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/extension_type.h>
#include <arrow/util/bit_util.h>

#include "tusk/iceberg/schema.h"

namespace tusk::iceberg {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// Rows [begin, end) of the child of a list.
struct Run {
  int64_t begin;
  int64_t end;
};

/// The live items of a list array: what its valid rows hold, in order, and the offsets of rows into
/// that. Items of null rows and items before or behind a slice are left out, so that their values,
/// which nobody wrote, cannot fail a conversion.
struct LiveItems {
  std::vector<Run> runs;
  std::shared_ptr<arrow::Buffer> offsets;   ///< int32 [rows + 1]
  std::shared_ptr<arrow::Buffer> validity;  ///< null if no row is null
};

template <typename ListLike>
Result<LiveItems> FindLiveItems(const ListLike& list, const OperationContext& context) {
  LiveItems items;
  const int64_t rows = list.length();
  ARROW_ASSIGN_OR_RAISE(items.offsets,
                        arrow::AllocateBuffer((rows + 1) * sizeof(int32_t), context.pool));
  auto* offsets = reinterpret_cast<int32_t*>(items.offsets->mutable_data());
  if (list.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(items.validity, arrow::AllocateEmptyBitmap(rows, context.pool));
  }
  int64_t total = 0;
  for (int64_t row = 0; row < rows; ++row) {
    offsets[row] = static_cast<int32_t>(total);
    if (list.IsNull(row)) continue;
    if (items.validity != nullptr) arrow::bit_util::SetBit(items.validity->mutable_data(), row);
    const int64_t begin = list.value_offset(row);
    const int64_t length = list.value_length(row);
    if (length == 0) continue;
    total += length;
    if (total > std::numeric_limits<int32_t>::max()) {
      return InvalidArgument("lists of one batch hold more than 2^31 - 1 items");
    }
    if (!items.runs.empty() && items.runs.back().end == begin) {
      items.runs.back().end = begin + length;
    } else {
      items.runs.push_back({.begin = begin, .end = begin + length});
    }
  }
  offsets[rows] = static_cast<int32_t>(total);
  return items;
}

Result<ArrayPtr> Gather(const ArrayPtr& child, const std::vector<Run>& runs,
                        const OperationContext& context) {
  if (runs.empty()) return child->Slice(0, 0);
  arrow::ArrayVector slices;
  for (const Run& run : runs) slices.push_back(child->Slice(run.begin, run.end - run.begin));
  return slices.size() == 1 ? Result<ArrayPtr>(slices[0])
                            : arrow::Concatenate(slices, context.pool);
}

template <typename ListLike>
Result<ArrayPtr> ConvertList(const ArrayPtr& array, const arrow::Field& field, bool by_id,
                             const OperationContext& context) {
  const auto& list = static_cast<const ListLike&>(*array);
  ARROW_ASSIGN_OR_RAISE(const LiveItems items, FindLiveItems(list, context));
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr live, Gather(list.values(), items.runs, context));
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr elements,
                        ConvertArray(live, *field.type()->field(0), by_id, context));
  return arrow::MakeArray(arrow::ArrayData::Make(field.type(), list.length(),
                                                 {items.validity, items.offsets},
                                                 {elements->data()}, list.null_count()));
}

Result<ArrayPtr> ConvertMap(const ArrayPtr& array, const arrow::Field& field, bool by_id,
                            const OperationContext& context) {
  const auto& map = static_cast<const arrow::MapArray&>(*array);
  const auto& type = static_cast<const arrow::MapType&>(*field.type());
  ARROW_ASSIGN_OR_RAISE(const LiveItems items, FindLiveItems(map, context));
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr live_keys, Gather(map.keys(), items.runs, context));
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr live_values, Gather(map.items(), items.runs, context));
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr keys,
                        ConvertArray(live_keys, *type.key_field(), by_id, context));
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr values,
                        ConvertArray(live_values, *type.item_field(), by_id, context));
  auto entries = arrow::ArrayData::Make(type.value_type(), keys->length(), {nullptr},
                                        {keys->data(), values->data()}, /*null_count=*/0);
  return arrow::MakeArray(arrow::ArrayData::Make(field.type(), map.length(),
                                                 {items.validity, items.offsets},
                                                 {std::move(entries)}, map.null_count()));
}

/// The child of `array` for the field number `index` of `type`; null if a file does not have it.
ArrayPtr FindChild(const arrow::StructArray& array, const arrow::DataType& type, int index,
                   bool by_id) {
  if (!by_id) return index < array.num_fields() ? array.field(index) : nullptr;
  const std::optional<int32_t> wanted = FieldId(*type.field(index));
  for (int i = 0; i < array.num_fields(); ++i) {
    if (wanted.has_value() && FieldId(*array.type()->field(i)) == wanted) return array.field(i);
  }
  return nullptr;
}

/// InvalidArgument if a row that is there (not null itself) has a null in a required child.
Status CheckRequiredChild(const arrow::StructArray& parent, const arrow::Array& child,
                          const arrow::Field& field) {
  if (field.nullable() || child.null_count() == 0) return Status::OK();
  for (int64_t row = 0; row < parent.length(); ++row) {
    if (parent.IsValid(row) && child.IsNull(row)) {
      return InvalidArgument("required field '", field.name(), "' is null in row ", row,
                             " of the batch");
    }
  }
  return Status::OK();
}

Result<ArrayPtr> ConvertStruct(const ArrayPtr& array, const arrow::Field& field, bool by_id,
                               const OperationContext& context) {
  const auto& source = static_cast<const arrow::StructArray&>(*array);
  const arrow::DataType& type = *field.type();
  arrow::ArrayVector children;
  for (int i = 0; i < type.num_fields(); ++i) {
    const arrow::Field& target = *type.field(i);
    const ArrayPtr child = FindChild(source, type, i, by_id);
    if (child == nullptr && !target.nullable()) {
      return Corrupt("required field '", target.name(), "' is not in the file");
    }
    ArrayPtr converted;
    if (child == nullptr) {
      ARROW_ASSIGN_OR_RAISE(converted,
                            arrow::MakeArrayOfNull(target.type(), source.length(), context.pool));
    } else {
      ARROW_RETURN_NOT_OK(CheckRequiredChild(source, *child, target));
      // Nulls of a required child below null rows are fine, so they are not looked at again.
      ARROW_ASSIGN_OR_RAISE(converted,
                            ConvertArray(child, *target.WithNullable(true), by_id, context));
    }
    children.push_back(std::move(converted));
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (source.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateEmptyBitmap(source.length(), context.pool));
    for (int64_t row = 0; row < source.length(); ++row) {
      if (source.IsValid(row)) arrow::bit_util::SetBit(validity->mutable_data(), row);
    }
  }
  return std::make_shared<arrow::StructArray>(field.type(), source.length(), std::move(children),
                                              std::move(validity), source.null_count());
}

Result<ArrayPtr> Cast(const ArrayPtr& array, const std::shared_ptr<arrow::DataType>& type,
                      const OperationContext& context) {
  static const Status initialized = arrow::compute::Initialize();
  ARROW_RETURN_NOT_OK(initialized);
  arrow::compute::ExecContext exec(context.pool);
  return arrow::compute::Cast(*array, type, arrow::compute::CastOptions::Safe(), &exec);
}

/// A slice of a large array may begin beyond what 32-bit offsets reach: moved to the front then.
template <typename LargeArray>
Result<ArrayPtr> Rebased(const ArrayPtr& array, const OperationContext& context) {
  const auto& large = static_cast<const LargeArray&>(*array);
  if (large.value_offset(large.length()) <= std::numeric_limits<int32_t>::max()) return array;
  return arrow::Concatenate({array}, context.pool);
}

Result<ArrayPtr> ConvertPrimitive(const ArrayPtr& array,
                                  const std::shared_ptr<arrow::DataType>& type,
                                  const OperationContext& context) {
  if (array->type()->Equals(*type)) return array;
  ArrayPtr source = array;
  if (array->type_id() == arrow::Type::LARGE_STRING) {
    ARROW_ASSIGN_OR_RAISE(source, Rebased<arrow::LargeStringArray>(array, context));
  } else if (array->type_id() == arrow::Type::LARGE_BINARY) {
    ARROW_ASSIGN_OR_RAISE(source, Rebased<arrow::LargeBinaryArray>(array, context));
  }
  return Cast(source, type, context);
}

Result<ArrayPtr> ConvertAny(const ArrayPtr& array, const arrow::Field& field, bool by_id,
                            const OperationContext& context) {
  const arrow::Type::type from = array->type_id();
  if (from == arrow::Type::EXTENSION) {
    return ConvertAny(static_cast<const arrow::ExtensionArray&>(*array).storage(), field, by_id,
                      context);
  }
  if (from == arrow::Type::DICTIONARY) {
    const auto& type = static_cast<const arrow::DictionaryType&>(*array->type());
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr values, Cast(array, type.value_type(), context));
    return ConvertAny(values, field, by_id, context);
  }
  switch (field.type()->id()) {
    case arrow::Type::STRUCT:
      if (from == arrow::Type::STRUCT) return ConvertStruct(array, field, by_id, context);
      break;
    case arrow::Type::MAP:
      if (from == arrow::Type::MAP) return ConvertMap(array, field, by_id, context);
      break;
    case arrow::Type::LIST:
      if (from == arrow::Type::LIST) {
        return ConvertList<arrow::ListArray>(array, field, by_id, context);
      }
      if (from == arrow::Type::LARGE_LIST) {
        return ConvertList<arrow::LargeListArray>(array, field, by_id, context);
      }
      if (from == arrow::Type::FIXED_SIZE_LIST) {
        return ConvertList<arrow::FixedSizeListArray>(array, field, by_id, context);
      }
      break;
    default:
      if (!arrow::is_nested(from)) return ConvertPrimitive(array, field.type(), context);
  }
  return Unsupported("type ", array->type()->ToString(), " where ", field.type()->ToString(),
                     " is expected");
}

}  // namespace

Result<ArrayPtr> ConvertArray(const ArrayPtr& array, const arrow::Field& field, bool by_id,
                              const OperationContext& context) {
  if (!field.nullable() && array->null_count() > 0) {
    return InvalidArgument("required field '", field.name(), "' has ", array->null_count(),
                           " nulls in a batch of ", array->length(), " rows");
  }
  auto converted = ConvertAny(array, field, by_id, context);
  if (!converted.ok()) return WithContext(converted.status(), "field '" + field.name() + "'");
  if (field.type()->id() == arrow::Type::STRING) {
    if (!static_cast<const arrow::StringArray&>(**converted).ValidateUTF8().ok()) {
      return InvalidArgument("field '", field.name(), "' holds text that is not UTF-8");
    }
  }
  return converted;
}

}  // namespace tusk::iceberg
