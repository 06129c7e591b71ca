#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/annex.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/file/writer.h"

namespace tusk::lance {

/// The bytes of a text.
std::span<const uint8_t> BytesOf(std::string_view text);

/// What stands in a file between bytes that end at `position` and the next buffer.
std::span<const uint8_t> PaddingAt(int64_t position);

/// A Lance file that is being written, of data version 2.1 or 2.2: buffers at multiples of 64, and
/// in the end all that tells where they are. One thread at a time, but for bytes_written. Source:
/// docs/format/lance_file.md, "Container".
class FileContainer {
 public:
  static Result<std::unique_ptr<FileContainer>> Create(io::ObjectStore* store,
                                                       std::string_view path,
                                                       uint16_t minor_version,
                                                       const OperationContext& context);

  /// Bytes so far: where the next buffer will be. Any thread may ask.
  int64_t bytes_written() const { return bytes_written_; }
  /// Appends a buffer and what stands behind it.
  Result<io::ByteRange> Append(std::span<const uint8_t> buffer);
  /// Appends a buffer of the user's own; its number.
  Result<int32_t> AddGlobalBuffer(std::span<const uint8_t> bytes);

  /// A column as the end of the file has it.
  struct Column {
    std::string metadata;
    Annex::Column annex;
  };
  /// Writes the annex, the descriptor (`schema` is of stored fields), metadata, tables and footer,
  /// and makes the file visible. `columns` are those of the fields, in order.
  Result<FileSummary> Finish(const Schema& schema, int64_t num_rows, std::vector<Column> columns);

 private:
  FileContainer(std::unique_ptr<io::ObjectWriter> file, uint16_t minor_version)
      : file_(std::move(file)), minor_version_(minor_version) {}

  Status AppendBytes(std::span<const uint8_t> bytes);
  /// Hands what is pending to the store.
  Status Flush();
  /// The annex, as the last global buffer; `descriptor` is the first.
  Status WriteAnnex(std::string_view descriptor, std::vector<Column>* columns);

  std::unique_ptr<io::ObjectWriter> file_;
  const uint16_t minor_version_;
  std::atomic<int64_t> bytes_written_ = 0;  ///< with those that are pending
  std::string pending_;
  std::vector<io::ByteRange> global_buffers_;  ///< but for number 0
  std::vector<uint64_t> global_buffer_checksums_;
};

}  // namespace tusk::lance
