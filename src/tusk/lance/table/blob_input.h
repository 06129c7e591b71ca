#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <arrow/array.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/blob_source.h"

namespace tusk::lance {

/// Whether there are blobs in the column `field`, at any depth.
bool HasBlobs(const Field& field);

/// Whether values of `field` can be stored in a column of blobs of version 2: struct<data, uri,
/// position, size>, the first two of these, what describes inline blobs (described_blobs.h), or
/// bytes that are blobs of version 1.
bool IsBlobInput(const arrow::Field& field);

/// Whether values of `data` can be stored in the column `field` of a table, be it one of blobs or
/// not. The errors of ToArrowField.
Result<bool> CanBeStored(const arrow::Field& data, const Field& field);

/// `type`, or what an extension stores.
const arrow::DataType* StorageOf(const arrow::DataType* type);
std::shared_ptr<arrow::Array> StorageOf(const std::shared_ptr<arrow::Array>& array);

/// Takes values out of an array of blobs: those that a user gives (IsBlobInput), or of rows of a
/// version their descriptors, or some of both (JoinBlobRows).
class BlobInput {
 public:
  /// `path` is that of the column, for errors. Descriptors are taken if `has_version`.
  /// InvalidArgument for an array that has no blobs.
  static Result<BlobInput> Make(const std::shared_ptr<arrow::Array>& array, const std::string& path,
                                bool has_version);

  bool IsNull(int64_t row) const { return array_->IsNull(row); }
  /// Whether the value of a row that is not null is one of the version, with a descriptor.
  bool IsStored(int64_t row) const {
    return stored_ != nullptr && (given_ == nullptr || stored_->IsValid(row));
  }
  const arrow::StructArray& descriptors() const { return *stored_; }
  /// The value that a user gives for a row that is not null, but for the place of what `uri` names.
  /// InvalidArgument, saying what the blob has, if it is none.
  Result<BlobValue> At(int64_t row, std::string_view* uri) const;

 private:
  /// The children of a blob as a user gives it; the last two may be missing.
  enum Part { kData, kUri, kPosition, kSize };

  bool Has(Part part, int64_t row) const {
    return part < static_cast<int>(given_parts_.size()) && given_parts_[part]->IsValid(row);
  }
  Result<BlobValue> StructAt(int64_t row, std::string_view* uri) const;
  Result<BlobValue> DescribedAt(int64_t row) const;
  Status SetGiven(const std::shared_ptr<arrow::Array>& array, const std::string& path);

  std::shared_ptr<arrow::Array> array_;
  std::shared_ptr<arrow::Array> given_;  ///< null if there are only descriptors
  arrow::ArrayVector given_parts_;       ///< empty for bytes
  bool is_described_ = false;
  std::shared_ptr<arrow::StructArray> stored_;  ///< null if there are no descriptors
};

/// Rows of the column `field` as a scan gives them, and behind these rows that a user gives. At any
/// depth blobs become what BlobInput takes some of both from. `given` may be cast to the types of
/// `stored`. InvalidArgument if it cannot be.
Result<std::shared_ptr<arrow::Array>> JoinBlobRows(const Field& field,
                                                   const std::shared_ptr<arrow::Array>& stored,
                                                   const std::shared_ptr<arrow::Array>& given,
                                                   arrow::MemoryPool* pool);

}  // namespace tusk::lance
