#include "tusk/io/direct_read.h"

#include <algorithm>
#include <vector>

namespace tusk::io {

Status ReadInto(const ObjectReader& reader, std::span<const ReadTarget> targets,
                const OperationContext& context) {
  if (const auto* direct = dynamic_cast<const DirectReader*>(&reader)) {
    return direct->ReadDirect(targets, context);
  }
  std::vector<ByteRange> ranges;
  ranges.reserve(targets.size());
  for (const ReadTarget& target : targets) {
    ranges.push_back({.offset = target.offset, .length = std::ssize(target.into)});
  }
  ARROW_ASSIGN_OR_RAISE(const auto handle, reader.Read(ranges, context));
  for (size_t i = 0; i < targets.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, handle->Wait(i));
    std::copy_n(bytes->data(), bytes->size(), targets[i].into.data());
  }
  return Status::OK();
}

}  // namespace tusk::io
