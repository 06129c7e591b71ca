#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::lance {

/// The children of a blob of version 2 as who has written its bytes himself describes it, in the
/// form of pylance's BlobDescriptorArrayBuilder. A child is null where its kind has no use for it.
enum DescribedBlobPart {
  kDescribedKind,      ///< uint8
  kDescribedData,      ///< large_binary; of kind 0 (inline)
  kDescribedUri,       ///< string
  kDescribedBlobId,    ///< uint32
  kDescribedSize,      ///< uint64
  kDescribedPosition,  ///< uint64
};

/// The struct of these parts: kind, data, uri, blob_id, blob_size, position.
const std::shared_ptr<arrow::DataType>& DescribedBlobType();

/// Whether `type` is that, be its children nullable or not. A field of it is one of blobs if its
/// metadata has the extension lance.blob.v2, or, for readers that know this extension with another
/// type, lance-encoding:blob.
bool IsDescribedBlob(const arrow::DataType& type);

/// The struct that a table has for blobs of version 2: data, uri, position, size.
const std::shared_ptr<arrow::DataType>& LogicalBlobType();

/// Blobs of the data file that is written, some of them in files beside it, as PreparedBlobType
/// (blob_values.h). `rows` is of DescribedBlobType. InvalidArgument, naming the row, for what
/// describes no blob; Unsupported for managed ones.
Result<std::shared_ptr<arrow::Array>> PrepareDescribedBlobs(const arrow::StructArray& rows,
                                                            arrow::MemoryPool* pool);

}  // namespace tusk::lance
