#pragma once

#include <cstdint>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"

namespace tusk::lance {

/// The buffers that the metadata of a page or a column lists. Corrupt if one lies outside the file.
template <typename Message>
Result<std::vector<io::ByteRange>> ParseBuffers(const Message& from, int64_t file_size) {
  if (from.buffer_offsets_size() != from.buffer_sizes_size()) {
    return Corrupt("has ", from.buffer_offsets_size(), " buffer offsets and ",
                   from.buffer_sizes_size(), " buffer sizes");
  }
  std::vector<io::ByteRange> buffers;
  const auto size = static_cast<uint64_t>(file_size);
  for (int i = 0; i < from.buffer_offsets_size(); ++i) {
    const uint64_t offset = from.buffer_offsets(i);
    const uint64_t length = from.buffer_sizes(i);
    // Compared by subtraction: offset + length could wrap for hostile values.
    if (length > size || offset > size - length) {
      return Corrupt("has a buffer of ", length, " bytes at ", offset, " outside the file's ", size,
                     " bytes");
    }
    buffers.push_back(
        {.offset = static_cast<int64_t>(offset), .length = static_cast<int64_t>(length)});
  }
  return buffers;
}

}  // namespace tusk::lance
