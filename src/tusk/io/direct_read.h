#pragma once

#include <cstdint>
#include <span>

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
  virtual Status ReadDirect(std::span<const ReadTarget> targets,
                            const OperationContext& context) const = 0;
};

/// Reads all targets of one step and waits for them, without a copy where the store can do so. The
/// errors of ObjectReader::Read; what is in the memory after one is not told.
Status ReadInto(const ObjectReader& reader, std::span<const ReadTarget> targets,
                const OperationContext& context);

}  // namespace tusk::io
