#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"

namespace tusk::lance {

/// Writes a file of blobs beside a data file, for who writes data files himself (OutputFile) and
/// describes where their blobs lie. The file appears when it is finished, or not at all: destroyed
/// before, the object leaves nothing. Not thread-safe.
class TUSK_EXPORT BlobFileWriter {
 public:
  /// `data_file` need not be there yet. What `context` borrows must outlive the object.
  /// InvalidArgument for number 0 and for a path that does not end in .lance.
  static Result<std::unique_ptr<BlobFileWriter>> Open(const io::StorePath& data_file,
                                                      uint32_t blob_id,
                                                      const OperationContext& context);
  ~BlobFileWriter();

  /// Bytes of one blob or of many, which get to stand one behind the other.
  Status Append(std::span<const uint8_t> bytes);
  /// The file is durable under its name after this.
  Status Finish();

  int64_t bytes_written() const;
  /// Where the file is in its store.
  const std::string& path() const { return path_; }

  BlobFileWriter(std::string path, std::unique_ptr<io::ObjectWriter> file);

 private:
  const std::string path_;
  const std::unique_ptr<io::ObjectWriter> file_;
};

}  // namespace tusk::lance
