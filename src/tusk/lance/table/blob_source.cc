#include "tusk/lance/table/blob_source.h"

#include <algorithm>

#include <arrow/buffer.h>
#include <arrow/builder.h>

namespace tusk::lance {
namespace {

/// Bytes of a blob that is copied are in memory at once.
constexpr int64_t kCopyPiece = int64_t{8} << 20;

}  // namespace

Result<BlobSource> BlobSource::Open(const BlobValue& value, BlobFiles* files,
                                    const OperationContext& context) {
  BlobSource source;
  if (value.bytes) {
    source.bytes_ = *value.bytes;
    source.size_ = value.bytes->size();
    return source;
  }
  const BlobPlace& place = *value.copied;
  ARROW_ASSIGN_OR_RAISE(source.reader_, files->Open(place.object, context));
  const auto file_size = static_cast<uint64_t>(source.reader_->size());
  source.size_ = place.size.value_or(file_size - std::min(file_size, place.position));
  if (source.size_ > 0 && (source.size_ > file_size || place.position > file_size - source.size_)) {
    return Corrupt(source.size_, " bytes at ", place.position, " are not all in '",
                   place.object.path, "', which has ", file_size);
  }
  source.position_ = static_cast<int64_t>(place.position);
  return source;
}

Status BlobSource::AppendTo(io::ObjectWriter* file, const OperationContext& context) const {
  if (reader_ == nullptr) return file->Append(bytes_);
  const auto end = static_cast<int64_t>(size_);
  for (int64_t at = 0; at < end; at += kCopyPiece) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_ASSIGN_OR_RAISE(
        const auto piece,
        reader_->ReadOne({.offset = position_ + at, .length = std::min(kCopyPiece, end - at)},
                         context));
    ARROW_RETURN_NOT_OK(file->Append({piece->data(), static_cast<size_t>(piece->size())}));
  }
  return Status::OK();
}

Status BlobSource::AppendTo(arrow::LargeBinaryBuilder* values,
                            const OperationContext& context) const {
  if (reader_ == nullptr || size_ == 0) {
    return values->Append(bytes_.data(), static_cast<int64_t>(bytes_.size()));
  }
  ARROW_ASSIGN_OR_RAISE(
      const auto bytes,
      reader_->ReadOne({.offset = position_, .length = static_cast<int64_t>(size_)}, context));
  return values->Append(bytes->data(), bytes->size());
}

}  // namespace tusk::lance
