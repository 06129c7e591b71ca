#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

struct FileWriterOptions {
  uint16_t minor_version = 2;  ///< of the data version: 1 or 2
  /// A column's pages are written once it has gathered more Arrow bytes than this; of many columns
  /// sooner, so that all of them together wait with no more than 256 MiB.
  int64_t page_bytes = 8 << 20;
  int64_t max_page_bytes = 32 << 20;  ///< of pages that are wide vectors as they stand
};

/// What a finished file is; becomes a DataFile of a manifest.
struct FileSummary {
  int64_t num_rows = 0;
  int64_t size_bytes = 0;
  uint16_t major_version = 2;
  uint16_t minor_version = 2;
  /// Ids of the fields that own a physical column, and the column of each.
  std::vector<int32_t> field_ids;
  std::vector<int32_t> column_indices;
};

/// OK if FileWriter writes what is below `schema`. Unsupported, naming the field, if not;
/// InvalidArgument for encodings that the metadata of a field asks for and that there are not.
Status CheckWritable(const Schema& schema, uint16_t minor_version);

/// Writes one Lance file of data version 2.1 or 2.2 batch by batch. Pages are encoded by the
/// threads of the executor while the caller brings the next batch, and stand in the file in the
/// order of the rows. Memory is bounded: by what waits for its page, see FileWriterOptions, and by
/// pages on their way, twice 16 MiB for each thread and 128 MiB at most. Not thread-safe.
class FileWriter {
 public:
  /// `schema` carries the field ids. The errors of CheckWritable come before a byte is written.
  static Result<std::unique_ptr<FileWriter>> Open(io::ObjectStore* store, std::string_view path,
                                                  Schema schema, const FileWriterOptions& options,
                                                  const OperationContext& context);
  virtual ~FileWriter() = default;
  /// `batch` has the Arrow form of the schema, columns in its order. Slices are fine.
  virtual Status Write(const arrow::RecordBatch& batch) = 0;
  /// Bytes of the file so far.
  virtual int64_t bytes_written() const = 0;
  /// Arrow bytes of the pages that are whole, but not all written yet.
  virtual int64_t bytes_in_flight() const = 0;
  /// Waits until all pages that are whole are written.
  virtual Status Drain() = 0;
  /// Sets a key of the schema's metadata; a later value replaces an earlier one.
  virtual Status AddSchemaMetadata(std::string key, std::string value) = 0;
  /// Puts bytes of the caller's own into the file and answers the number by which a reader gets
  /// them: 1, 2 and so on.
  virtual Result<int32_t> AddGlobalBuffer(std::span<const uint8_t> bytes) = 0;
  /// Writes the rest and makes the file visible. Destroying the writer before leaves nothing.
  virtual Result<FileSummary> Finish() = 0;
};

}  // namespace tusk::lance
