#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"

namespace tusk::io {

/// The `length` bytes of a file from `offset` on, which are to go to `into`. `done` of them are
/// there already.
struct FileRead {
  int64_t offset = 0;
  int64_t length = 0;
  uint8_t* into = nullptr;
  int64_t done = 0;

  int64_t left() const { return length - done; }
};

/// Does all reads of the open file `fd`, whose name is `path`: those in the page cache by several
/// threads if they are many, others on the calling thread, where the disk has many of them at once
/// (docs/decisions/012-local-reads.md). Looks at the stop token between reads. IoError if the file
/// ends within one.
Status ReadAll(int fd, std::string_view path, std::span<FileRead> reads,
               const OperationContext& context);

/// Why the call `call` on the file `path` failed with the error `number`: NotFound for ENOENT, else
/// IoError.
Status FailedCall(std::string_view call, std::string_view path, int number);

}  // namespace tusk::io
