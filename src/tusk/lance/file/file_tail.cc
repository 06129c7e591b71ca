#include "tusk/lance/file/file_tail.h"

#include <algorithm>
#include <utility>

#include "tusk/lance/file/page.h"

namespace tusk::lance {

FileTail::FileTail(std::shared_ptr<const io::ObjectReader> reader,
                   std::shared_ptr<arrow::Buffer> bytes)
    : path_(reader->path()),
      file_size_(reader->size()),
      reader_(std::move(reader)),
      bytes_(std::move(bytes)) {}

Result<std::vector<std::shared_ptr<arrow::Buffer>>> FileTail::Read(
    std::span<const io::ByteRange> ranges, const OperationContext& context,
    std::span<const io::ReadTarget> targets) const {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(ranges.size());
  std::vector<io::ByteRange> missing;
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (Contains(ranges[i].offset, ranges[i].length)) {
      buffers[i] = arrow::SliceBuffer(bytes_, ranges[i].offset - begin(), ranges[i].length);
    } else {
      missing.push_back(ranges[i]);
    }
  }
  std::vector<io::ReadTarget> missing_targets;
  missing_targets.reserve(targets.size());
  for (const io::ReadTarget& target : targets) {
    if (Contains(target.offset, std::ssize(target.into))) {
      std::copy_n(bytes_->data() + target.offset - begin(), target.into.size(), target.into.data());
    } else {
      missing_targets.push_back(target);
    }
  }
  if (missing.empty() && missing_targets.empty()) return buffers;
  if (reader_ == nullptr) {
    const int64_t offset = missing.empty() ? missing_targets[0].offset : missing[0].offset;
    return Corrupt(path_, ": what begins at ", offset, " is not inside the file's ", file_size_,
                   " bytes");
  }
  ARROW_ASSIGN_OR_RAISE(auto read, io::ReadStep(*reader_, missing, missing_targets, context));
  size_t next = 0;
  for (auto& buffer : buffers) {
    if (buffer == nullptr) buffer = std::move(read[next++]);
  }
  return buffers;
}

Status FileTail::DropBefore(int64_t offset) {
  const int64_t keep = file_size_ - std::max(offset, begin());
  ARROW_ASSIGN_OR_RAISE(bytes_, bytes_->CopySlice(bytes_->size() - keep, keep, KeptPool()));
  if (keep == file_size_) reader_.reset();
  return Status::OK();
}

}  // namespace tusk::lance
