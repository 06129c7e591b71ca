#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <arrow/builder.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/table/blob_sidecars.h"
#include "tusk/lance/table/blob_source.h"

namespace tusk::lance {

/// Builds an array of PreparedBlobType (blob_values.h).
class PreparedBlobBuilder {
 public:
  explicit PreparedBlobBuilder(arrow::MemoryPool* pool);

  Status AppendNull();
  /// Bytes that shall lie in the data file.
  Status AppendInline(const BlobSource& source, const OperationContext& context);
  Status AppendStored(const StoredBlob& stored, uint64_t size);
  Status AppendReference(const BlobPlace& place);
  Result<std::shared_ptr<arrow::Array>> Finish();

 private:
  Status AppendDescriptor(BlobKind kind, uint64_t position, uint64_t size, uint32_t blob_id,
                          std::string_view uri);

  arrow::MemoryPool* pool_;
  std::vector<uint8_t> is_valid_;
  arrow::UInt8Builder kind_;
  arrow::LargeBinaryBuilder data_;
  arrow::UInt64Builder position_;
  arrow::UInt64Builder size_;
  arrow::UInt32Builder blob_id_;
  arrow::StringBuilder uri_;
};

}  // namespace tusk::lance
