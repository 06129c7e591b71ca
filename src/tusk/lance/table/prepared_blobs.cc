#include "tusk/lance/table/prepared_blobs.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_builders.h>

#include "tusk/lance/file/blob_values.h"

namespace tusk::lance {

PreparedBlobBuilder::PreparedBlobBuilder(arrow::MemoryPool* pool)
    : pool_(pool),
      kind_(pool),
      data_(pool),
      position_(pool),
      size_(pool),
      blob_id_(pool),
      uri_(pool) {}

Status PreparedBlobBuilder::AppendNull() {
  is_valid_.push_back(0);
  ARROW_RETURN_NOT_OK(data_.AppendEmptyValue());
  return AppendDescriptor(BlobKind::kInline, 0, 0, 0, {});
}

Status PreparedBlobBuilder::AppendInline(const BlobSource& source,
                                         const OperationContext& context) {
  is_valid_.push_back(1);
  ARROW_RETURN_NOT_OK(source.AppendTo(&data_, context));
  return AppendDescriptor(BlobKind::kInline, 0, 0, 0, {});
}

Status PreparedBlobBuilder::AppendStored(const StoredBlob& stored, uint64_t size) {
  is_valid_.push_back(1);
  ARROW_RETURN_NOT_OK(data_.AppendEmptyValue());
  return AppendDescriptor(stored.kind, stored.position, size, stored.blob_id, {});
}

Status PreparedBlobBuilder::AppendReference(const BlobPlace& place) {
  is_valid_.push_back(1);
  ARROW_RETURN_NOT_OK(data_.AppendEmptyValue());
  return AppendDescriptor(BlobKind::kExternal, place.position, place.size.value_or(0),
                          place.base_id, place.uri);
}

Result<std::shared_ptr<arrow::Array>> PreparedBlobBuilder::Finish() {
  arrow::ArrayVector parts(PreparedBlobType()->num_fields());
  ARROW_RETURN_NOT_OK(kind_.Finish(&parts[kPreparedKind]));
  ARROW_RETURN_NOT_OK(data_.Finish(&parts[kPreparedData]));
  ARROW_RETURN_NOT_OK(position_.Finish(&parts[kPreparedPosition]));
  ARROW_RETURN_NOT_OK(size_.Finish(&parts[kPreparedSize]));
  ARROW_RETURN_NOT_OK(blob_id_.Finish(&parts[kPreparedBlobId]));
  ARROW_RETURN_NOT_OK(uri_.Finish(&parts[kPreparedUri]));
  std::shared_ptr<arrow::Buffer> validity;
  if (std::ranges::find(is_valid_, 0) != is_valid_.end()) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::BytesToBits(is_valid_, pool_));
  }
  return std::make_shared<arrow::StructArray>(PreparedBlobType(), std::ssize(is_valid_),
                                              std::move(parts), std::move(validity));
}

Status PreparedBlobBuilder::AppendDescriptor(BlobKind kind, uint64_t position, uint64_t size,
                                             uint32_t blob_id, std::string_view uri) {
  ARROW_RETURN_NOT_OK(kind_.Append(static_cast<uint8_t>(kind)));
  ARROW_RETURN_NOT_OK(position_.Append(position));
  ARROW_RETURN_NOT_OK(size_.Append(size));
  ARROW_RETURN_NOT_OK(blob_id_.Append(blob_id));
  return uri_.Append(uri);
}

}  // namespace tusk::lance
