#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/buffer.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/direct_read.h"
#include "tusk/io/object_store.h"

namespace tusk::lance {

/// The last bytes of a file, and the rest of it behind a request.
class FileTail {
 public:
  FileTail(std::shared_ptr<const io::ObjectReader> reader, std::shared_ptr<arrow::Buffer> bytes);

  const std::string& path() const { return path_; }
  int64_t file_size() const { return file_size_; }
  std::string_view bytes() const { return std::string_view(*bytes_); }
  int64_t begin() const { return file_size_ - bytes_->size(); }

  /// The bytes of the ranges, and those of the targets to their places, without I/O for those in
  /// the tail and in one step for the others. Corrupt for what is not inside the file.
  Result<std::vector<std::shared_ptr<arrow::Buffer>>> Read(
      std::span<const io::ByteRange> ranges, const OperationContext& context,
      std::span<const io::ReadTarget> targets = {}) const;
  /// Keeps what stands from `offset` on, in memory of its own, and forgets the rest. If that is all
  /// of the file, the object is not needed any more.
  Status DropBefore(int64_t offset);

 private:
  bool Contains(int64_t offset, int64_t length) const {
    return offset >= begin() && length <= file_size_ - offset;
  }

  std::string path_;
  int64_t file_size_;
  std::shared_ptr<const io::ObjectReader> reader_;  ///< null once all of the file is kept
  std::shared_ptr<arrow::Buffer> bytes_;
};

}  // namespace tusk::lance
