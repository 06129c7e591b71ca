#include "tusk/io/completed_reads.h"

#include <utility>

namespace tusk::io {

Result<std::shared_ptr<arrow::Buffer>> CompletedReads::Wait(size_t i) {
  if (cancelled_) return Cancelled("read was cancelled");
  return std::move(buffers_[i]);
}

Status CheckRanges(std::span<const ByteRange> ranges, std::string_view path, int64_t size) {
  for (const ByteRange& range : ranges) {
    // Compared by subtraction: offset + length could wrap for hostile values.
    if (range.offset < 0 || range.length < 0 || range.offset > size ||
        range.length > size - range.offset) {
      return Corrupt(path, ": a range of ", range.length, " bytes at ", range.offset,
                     " is outside the object's ", size, " bytes");
    }
  }
  return Status::OK();
}

}  // namespace tusk::io
