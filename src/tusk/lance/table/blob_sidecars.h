#pragma once

#include <cstdint>
#include <memory>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/blob.h"
#include "tusk/lance/table/blob_source.h"

namespace tusk::lance {

/// Where bytes went that do not lie in the data file.
struct StoredBlob {
  BlobKind kind = BlobKind::kInline;
  uint64_t position = 0;
  uint32_t blob_id = 0;
};

/// Writes the files beside one data file.
class BlobSidecars {
 public:
  /// `context` is borrowed.
  BlobSidecars(io::StorePath data_file, const OperationContext& context)
      : data_file_(std::move(data_file)), context_(context) {}

  /// To a file of its own.
  Result<StoredBlob> StoreAlone(const BlobSource& source);
  /// To a file of several, which ends before it would have more than `most_bytes`.
  Result<StoredBlob> StoreWithOthers(const BlobSource& source, uint64_t most_bytes);
  /// All files are durable under their names after this.
  Status Finish();

 private:
  Result<std::unique_ptr<io::ObjectWriter>> Create(uint32_t* id);
  Status FinishPack();

  const io::StorePath data_file_;
  const OperationContext& context_;
  uint32_t next_id_ = 1;
  std::unique_ptr<io::ObjectWriter> pack_;  ///< null if none is begun
  uint32_t pack_id_ = 0;
  uint64_t pack_limit_ = 0;
  uint64_t pack_bytes_ = 0;
};

/// Removes the files beside a data file. Best effort.
void RemoveSidecars(const io::StorePath& data_file, const OperationContext& context);

}  // namespace tusk::lance
