#include "tusk/io/direct_read.h"

#include <algorithm>

namespace tusk::io {
namespace {

/// Targets that touch are one request up to so many bytes: what stands in front of a value is not
/// worth one of its own.
constexpr int64_t kMostJoined = 1 << 20;

}  // namespace

Result<std::vector<std::shared_ptr<arrow::Buffer>>> ReadStep(const ObjectReader& reader,
                                                             std::span<const ByteRange> ranges,
                                                             std::span<const ReadTarget> targets,
                                                             const OperationContext& context) {
  if (const auto* direct = dynamic_cast<const DirectReader*>(&reader)) {
    return direct->ReadDirect(ranges, targets, context);
  }
  std::vector<ByteRange> all(ranges.begin(), ranges.end());
  all.reserve(ranges.size() + targets.size());
  std::vector<std::span<const ReadTarget>> joined;  // what each request behind the ranges fills
  for (size_t i = 0; i < targets.size(); ++i) {
    const auto& [offset, into] = targets[i];
    const bool continues = !joined.empty() && all.back().length < kMostJoined &&
                           all.back().offset + all.back().length == offset;
    if (continues) {
      all.back().length += std::ssize(into);
      joined.back() = {joined.back().data(), joined.back().size() + 1};
    } else {
      all.push_back({.offset = offset, .length = std::ssize(into)});
      joined.push_back(targets.subspan(i, 1));
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto handle, reader.Read(all, context));
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(buffers[i], handle->Wait(i));
  }
  for (size_t i = 0; i < joined.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, handle->Wait(ranges.size() + i));
    const uint8_t* from = bytes->data();
    for (const ReadTarget& target : joined[i]) {
      std::copy_n(from, target.into.size(), target.into.data());
      from += target.into.size();
    }
  }
  return buffers;
}

}  // namespace tusk::io
