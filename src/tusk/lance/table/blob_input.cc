#include "tusk/lance/table/blob_input.h"

#include <algorithm>
#include <optional>

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/file/batch_shaper.h"
#include "tusk/lance/file/described_blobs.h"

namespace tusk::lance {
namespace {

/// The children of a value that is either given or stored.
constexpr const char* kGiven = "given";
constexpr const char* kStored = "stored";

bool HasFields(const arrow::DataType& type, const arrow::FieldVector& fields) {
  if (type.num_fields() != static_cast<int>(fields.size())) return false;
  for (int i = 0; i < type.num_fields(); ++i) {
    if (type.field(i)->name() != fields[i]->name()) return false;
    if (!type.field(i)->type()->Equals(*fields[i]->type())) return false;
  }
  return true;
}

/// Whether `type` is that of values that a user gives.
bool IsLogicalBlob(const arrow::DataType& type) {
  if (type.id() != arrow::Type::STRUCT) return false;
  arrow::FieldVector fields = LogicalBlobType()->fields();
  if (HasFields(type, fields)) return true;
  fields.resize(2);
  return HasFields(type, fields);
}

bool IsBytes(const arrow::DataType& type) {
  return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY;
}

bool IsMixed(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRUCT && type.num_fields() == 2 &&
         type.field(0)->name() == kGiven && type.field(1)->name() == kStored;
}

std::span<const uint8_t> BytesAt(const arrow::Array& array, int64_t row) {
  const auto of = [&](std::string_view text) {
    return std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  };
  if (array.type_id() == arrow::Type::BINARY) {
    return of(static_cast<const arrow::BinaryArray&>(array).GetView(row));
  }
  return of(static_cast<const arrow::LargeBinaryArray&>(array).GetView(row));
}

std::shared_ptr<arrow::ArrayData> WithStorageType(const std::shared_ptr<arrow::ArrayData>& data) {
  if (data->type->id() != arrow::Type::EXTENSION) return data;
  auto storage = data->Copy();
  storage->type = static_cast<const arrow::ExtensionType&>(*data->type).storage_type();
  return storage;
}

/// `data` and the values of its buffers that stand before it: a child of what has its offset.
std::shared_ptr<arrow::ArrayData> FromStart(const std::shared_ptr<arrow::ArrayData>& data) {
  auto all = data->Copy();
  all->length += all->offset;
  all->offset = 0;
  all->null_count = arrow::kUnknownNullCount;
  return all;
}

/// Both sides of columns with the same shape.
class MixedSides {
 public:
  explicit MixedSides(arrow::MemoryPool* pool) : pool_(pool) {}

  /// Makes both of one type, in which blobs are mixed values.
  Status Unite(const Field& field, std::shared_ptr<arrow::ArrayData>* stored,
               std::shared_ptr<arrow::ArrayData>* given) {
    *given = WithStorageType(*given);
    if (!HasBlobs(field)) {
      const auto& type = (*stored)->type;
      if ((*given)->type->Equals(*StorageOf(type.get()))) {
        *given = (*given)->Copy();
        (*given)->type = type;
      }
      if ((*given)->type->Equals(*type)) return Status::OK();
      return CastTo(*given, type, pool_).Value(given);
    }
    if (field.is_blob()) return Mix(stored, given);
    const auto& children = (*stored)->child_data;
    if ((*given)->type->id() != (*stored)->type->id() ||
        (*given)->child_data.size() != children.size() ||
        children.size() != field.children.size()) {
      return InvalidArgument("field '", field.name, "' is of ", (*given)->type->ToString(),
                             ", which is not what the table has");
    }
    *stored = (*stored)->Copy();
    *given = (*given)->Copy();
    arrow::FieldVector fields;
    for (size_t i = 0; i < children.size(); ++i) {
      ARROW_RETURN_NOT_OK(
          Unite(field.children[i], &(*stored)->child_data[i], &(*given)->child_data[i]));
      fields.push_back((*stored)
                           ->type->field(static_cast<int>(i))
                           ->WithType((*stored)->child_data[i]->type)
                           ->WithNullable(true));
    }
    ARROW_ASSIGN_OR_RAISE((*stored)->type, WithFields(*(*stored)->type, std::move(fields)));
    (*given)->type = (*stored)->type;
    return Status::OK();
  }

 private:
  static Result<std::shared_ptr<arrow::DataType>> WithFields(const arrow::DataType& type,
                                                             arrow::FieldVector fields) {
    switch (type.id()) {
      case arrow::Type::STRUCT:
        return arrow::struct_(fields);
      case arrow::Type::LIST:
        return arrow::list(std::move(fields[0]));
      case arrow::Type::LARGE_LIST:
        return arrow::large_list(std::move(fields[0]));
      default:
        return Unsupported("blobs in ", type.ToString(), " cannot be written again");
    }
  }

  Status Mix(std::shared_ptr<arrow::ArrayData>* stored, std::shared_ptr<arrow::ArrayData>* given) {
    const auto type = arrow::struct_(
        {arrow::field(kGiven, (*given)->type), arrow::field(kStored, (*stored)->type)});
    ARROW_ASSIGN_OR_RAISE(
        const auto not_given,
        arrow::MakeArrayOfNull((*given)->type, (*stored)->offset + (*stored)->length, pool_));
    ARROW_ASSIGN_OR_RAISE(
        const auto not_stored,
        arrow::MakeArrayOfNull((*stored)->type, (*given)->offset + (*given)->length, pool_));
    *stored = arrow::ArrayData::Make(type, (*stored)->length, {(*stored)->buffers[0]},
                                     {not_given->data(), FromStart(*stored)},
                                     arrow::kUnknownNullCount, (*stored)->offset);
    *given = arrow::ArrayData::Make(type, (*given)->length, {(*given)->buffers[0]},
                                    {FromStart(*given), not_stored->data()},
                                    arrow::kUnknownNullCount, (*given)->offset);
    return Status::OK();
  }

  arrow::MemoryPool* pool_;
};

}  // namespace

bool HasBlobs(const Field& field) {
  return field.is_blob() || std::ranges::any_of(field.children, HasBlobs);
}

const arrow::DataType* StorageOf(const arrow::DataType* type) {
  if (type->id() != arrow::Type::EXTENSION) return type;
  return static_cast<const arrow::ExtensionType*>(type)->storage_type().get();
}

std::shared_ptr<arrow::Array> StorageOf(const std::shared_ptr<arrow::Array>& array) {
  if (array->type_id() != arrow::Type::EXTENSION) return array;
  return static_cast<const arrow::ExtensionArray&>(*array).storage();
}

bool IsBlobInput(const arrow::Field& field) {
  const arrow::DataType& storage = *StorageOf(field.type().get());
  const bool is_marked = field.HasMetadata() && field.metadata()->Contains("lance-encoding:blob");
  if (IsBytes(storage)) return is_marked;
  return IsLogicalBlob(storage) || IsDescribedBlob(storage);
}

Result<bool> CanBeStored(const arrow::Field& data, const Field& field) {
  if (field.is_blob_v2()) return IsBlobInput(data);
  ARROW_ASSIGN_OR_RAISE(const auto stored, ToArrowField(field));
  return IsStoredAs(*WithoutViews(data.type()), *stored->type());
}

Result<BlobInput> BlobInput::Make(const std::shared_ptr<arrow::Array>& array,
                                  const std::string& path, bool has_version) {
  BlobInput input;
  input.array_ = StorageOf(array);
  const arrow::DataType& type = *input.array_->type();
  if (has_version && IsMixed(type)) {
    const auto& mixed = static_cast<const arrow::StructArray&>(*input.array_);
    ARROW_RETURN_NOT_OK(input.SetGiven(mixed.field(0), path));
    input.stored_ = std::static_pointer_cast<arrow::StructArray>(mixed.field(1));
    return input;
  }
  // A column that is set anew has values of a user's even where rows come from a version.
  if (IsBytes(type) || IsLogicalBlob(type) || IsDescribedBlob(type)) {
    ARROW_RETURN_NOT_OK(input.SetGiven(input.array_, path));
    return input;
  }
  if (!has_version || type.id() != arrow::Type::STRUCT) {
    return InvalidArgument("column '", path, "' is of ", array->type()->ToString(),
                           ", which has no blobs");
  }
  input.stored_ = std::static_pointer_cast<arrow::StructArray>(input.array_);
  return input;
}

Status BlobInput::SetGiven(const std::shared_ptr<arrow::Array>& array, const std::string& path) {
  given_ = StorageOf(array);
  if (IsBytes(*given_->type())) return Status::OK();
  is_described_ = IsDescribedBlob(*given_->type());
  if (!is_described_ && !IsLogicalBlob(*given_->type())) {
    return InvalidArgument("column '", path, "' is of ", given_->type()->ToString(),
                           ", which has no blobs");
  }
  // The children as they are in a slice.
  given_parts_ = static_cast<const arrow::StructArray&>(*given_).fields();
  return Status::OK();
}

Result<BlobValue> BlobInput::At(int64_t row, std::string_view* uri) const {
  if (given_parts_.empty()) return BlobValue{.bytes = BytesAt(*given_, row)};
  return is_described_ ? DescribedAt(row) : StructAt(row, uri);
}

Result<BlobValue> BlobInput::DescribedAt(int64_t row) const {
  if (given_parts_[kDescribedKind]->IsNull(row)) return InvalidArgument("has no kind");
  const auto kind = static_cast<const arrow::UInt8Array&>(*given_parts_[kDescribedKind]).Value(row);
  if (kind != static_cast<uint8_t>(BlobKind::kInline)) {
    return InvalidArgument("is described as one of kind ", kind,
                           ", which lies beside another data file: write that file itself "
                           "(LanceFileWriter), or give the bytes");
  }
  if (given_parts_[kDescribedData]->IsNull(row))
    return InvalidArgument("is inline, but has no data");
  return BlobValue{.bytes = BytesAt(*given_parts_[kDescribedData], row)};
}

Result<BlobValue> BlobInput::StructAt(int64_t row, std::string_view* uri) const {
  const bool has_data = Has(kData, row);
  const bool has_uri = Has(kUri, row);
  const bool has_position = Has(kPosition, row);
  if (has_data == has_uri) {
    return InvalidArgument("has ", has_data ? "both data and a uri" : "neither data nor a uri");
  }
  if (has_position != Has(kSize, row)) return InvalidArgument("has one of position and size only");
  if (has_position && !has_uri) return InvalidArgument("has position and size, but no uri");
  if (has_data) return BlobValue{.bytes = BytesAt(*given_parts_[kData], row)};
  BlobPlace place{.kind = BlobKind::kExternal, .object = {}, .size = std::nullopt, .uri = {}};
  *uri = static_cast<const arrow::StringArray&>(*given_parts_[kUri]).GetView(row);
  if (has_position) {
    place.position = static_cast<const arrow::UInt64Array&>(*given_parts_[kPosition]).Value(row);
    place.size = static_cast<const arrow::UInt64Array&>(*given_parts_[kSize]).Value(row);
    if (*place.size == 0) return InvalidArgument("has a range of no bytes");
  }
  return BlobValue{.reference = std::move(place)};
}

Result<std::shared_ptr<arrow::Array>> JoinBlobRows(const Field& field,
                                                   const std::shared_ptr<arrow::Array>& stored,
                                                   const std::shared_ptr<arrow::Array>& given,
                                                   arrow::MemoryPool* pool) {
  auto stored_data = stored->data();
  auto given_data = given->data();
  ARROW_RETURN_NOT_OK(MixedSides(pool).Unite(field, &stored_data, &given_data));
  return arrow::Concatenate({arrow::MakeArray(stored_data), arrow::MakeArray(given_data)}, pool);
}

}  // namespace tusk::lance
