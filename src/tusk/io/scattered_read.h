#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/direct_read.h"

namespace tusk::io {

/// What was asked of the disk, with the bytes between targets that were read along.
struct ReadVolume {
  size_t requests = 0;
  int64_t bytes = 0;
};

/// Reads all targets, which lie inside the open file `fd` with the name `path`. One call reads
/// those that nearly touch (see ReadPlan), each to its own place; those in the page cache are read
/// by several threads if they are many, others as by ReadAll. IoError if the file ends within one.
Result<ReadVolume> ReadScattered(int fd, std::string_view path, std::span<const ReadTarget> targets,
                                 const OperationContext& context);

}  // namespace tusk::io
