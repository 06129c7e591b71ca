#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/blob.h"
#include "tusk/lance/table/blob_files.h"
#include "tusk/lance/table/blob_locator.h"

namespace tusk::lance {

/// Makes blobs of the descriptors of one column, once it has seen that they lie inside of their
/// files. Not thread-safe; all but the files must outlive it.
class BlobFinder {
 public:
  /// `name` is the column's, for errors.
  BlobFinder(const Dataset::State& dataset, const Field& field, std::string name,
             std::shared_ptr<BlobFiles> files, const OperationContext& context);

  /// The blob in row `row` of `descriptors`, whose address is `address`; null for a null value.
  /// Opens its file, whose bytes are not read. Errors of BlobLocator; Corrupt if it is not all in
  /// its file, NotFound if there is none.
  Result<std::shared_ptr<const Blob>> Find(const arrow::StructArray& descriptors, int64_t row,
                                           uint64_t address);

  /// Corrupt if blobs of different rows in `found` claim more bytes of one of the table's own files
  /// than it has: each byte belongs to one, and who reads all of them gets no more than the files.
  Status CheckClaims(std::span<const FoundBlob> found) const;

 private:
  Result<std::shared_ptr<const Blob>> Open(BlobPlace place);
  Result<uint64_t> SizeOf(const io::StorePath& object);

  const Dataset::State& dataset_;
  const std::string name_;
  const std::shared_ptr<BlobFiles> files_;
  const OperationContext& context_;
  BlobLocator locator_;
  std::unordered_map<std::string, uint64_t> sizes_;  ///< of files, by path
};

}  // namespace tusk::lance
