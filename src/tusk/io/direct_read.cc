#include "tusk/io/direct_read.h"

#include <algorithm>

namespace tusk::io {

Result<std::vector<std::shared_ptr<arrow::Buffer>>> ReadStep(const ObjectReader& reader,
                                                             std::span<const ByteRange> ranges,
                                                             std::span<const ReadTarget> targets,
                                                             const OperationContext& context) {
  if (const auto* direct = dynamic_cast<const DirectReader*>(&reader)) {
    return direct->ReadDirect(ranges, targets, context);
  }
  std::vector<ByteRange> all(ranges.begin(), ranges.end());
  all.reserve(ranges.size() + targets.size());
  for (const ReadTarget& target : targets) {
    all.push_back({.offset = target.offset, .length = std::ssize(target.into)});
  }
  ARROW_ASSIGN_OR_RAISE(const auto handle, reader.Read(all, context));
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(buffers[i], handle->Wait(i));
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, handle->Wait(ranges.size() + i));
    std::copy_n(bytes->data(), bytes->size(), targets[i].into.data());
  }
  return buffers;
}

}  // namespace tusk::io
