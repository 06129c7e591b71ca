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
  /// A page is cut when a column has gathered this many Arrow bytes.
  int64_t page_bytes = 8 << 20;
  uint16_t minor_version = 2;  ///< of data version 2.x: 1 or 2
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

/// OK if FileWriter writes what is below `schema`. Unsupported, naming the field, if not: nested
/// types, dictionaries, json, blobs, lists of bfloat16 and the null type are only read yet.
Status CheckWritable(const Schema& schema);

/// Writes one Lance file of data version 2.1 or 2.2 batch by batch, in memory bounded by one page
/// per column. Not thread-safe.
class FileWriter {
 public:
  /// `schema` carries the field ids. The errors of CheckWritable come before a byte is written.
  static Result<std::unique_ptr<FileWriter>> Open(io::ObjectStore* store, std::string_view path,
                                                  Schema schema, const FileWriterOptions& options,
                                                  const OperationContext& context);
  virtual ~FileWriter() = default;
  /// `batch` has the Arrow form of the schema, columns in its order. Slices are fine.
  virtual Status Write(const arrow::RecordBatch& batch) = 0;
  /// Puts bytes of the caller's own into the file and answers the number by which a reader gets
  /// them: 1, 2 and so on.
  virtual Result<int32_t> AddGlobalBuffer(std::span<const uint8_t> bytes) = 0;
  /// Sets a key of the schema's metadata; a later value replaces an earlier one.
  virtual Status AddSchemaMetadata(std::string key, std::string value) = 0;
  /// Bytes handed to the store so far.
  virtual int64_t bytes_written() const = 0;
  /// Writes the rest and makes the file visible. Destroying the writer before leaves nothing.
  virtual Result<FileSummary> Finish() = 0;
};

}  // namespace tusk::lance
