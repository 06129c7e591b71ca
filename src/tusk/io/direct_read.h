#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/buffer.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"

namespace tusk::io {

/// Bytes of an object from `offset` on, and the memory of the caller's that they go to.
struct ReadTarget {
  int64_t offset = 0;
  std::span<uint8_t> into;
};

/// What a reader is, too, that reads right into memory of the caller's.
class DirectReader {
 public:
  virtual ~DirectReader() = default;
  /// As ReadStep.
  virtual Result<std::vector<std::shared_ptr<arrow::Buffer>>> ReadDirect(
      std::span<const ByteRange> ranges, std::span<const ReadTarget> targets,
      const OperationContext& context) const = 0;
};

/// Reads all ranges and targets of one step and waits for them; those of the targets without a copy
/// where the store can do so. The buffers of the ranges. The errors of ObjectReader::Read; what is
/// in the memory of the targets after one is not told.
Result<std::vector<std::shared_ptr<arrow::Buffer>>> ReadStep(const ObjectReader& reader,
                                                             std::span<const ByteRange> ranges,
                                                             std::span<const ReadTarget> targets,
                                                             const OperationContext& context);

}  // namespace tusk::io
