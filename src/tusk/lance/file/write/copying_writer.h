#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/file/stored_column.h"
#include "tusk/lance/file/write/file_container.h"
#include "tusk/lance/file/writer.h"

namespace tusk::lance {

/// Writes one Lance file of the pages of others, byte by byte as they are there. Whether they are
/// what the file's schema says is for the caller to know. Not thread-safe.
class CopyingWriter {
 public:
  /// `schema` has no blobs. Reads about `read_bytes` at a time, or one page if that is larger.
  static Result<std::unique_ptr<CopyingWriter>> Open(io::ObjectStore* store, std::string_view path,
                                                     Schema schema, uint16_t minor_version,
                                                     int64_t read_bytes,
                                                     const OperationContext& context);

  /// Pages of a file that come behind those which a column has so far.
  struct Part {
    size_t column = 0;
    const StoredColumn* pages = nullptr;
  };
  /// Copies pages of `source`. Corrupt, with path and page, for one that does not have the checksum
  /// with which it was written.
  Status Append(const io::ObjectReader& source, std::span<const Part> parts);
  int64_t bytes_written() const { return file_->bytes_written(); }
  /// Writes the rest and makes the file visible; it has `num_rows` rows. Destroying the writer
  /// before leaves nothing.
  Result<FileSummary> Finish(int64_t num_rows);

 private:
  struct Column {
    StoredColumn pages;
    Annex::Column annex;
  };
  struct PageToCopy {
    size_t column = 0;
    size_t number = 0;  ///< in its file
    const StoredPage* page = nullptr;
  };

  CopyingWriter(std::unique_ptr<FileContainer> file, Schema schema, size_t num_columns,
                int64_t read_bytes, OperationContext context)
      : file_(std::move(file)),
        schema_(std::move(schema)),
        columns_(num_columns),
        read_bytes_(read_bytes),
        context_(std::move(context)) {}

  Status Copy(const io::ObjectReader& source, std::span<const PageToCopy> pages);

  std::unique_ptr<FileContainer> file_;
  const Schema schema_;
  std::vector<Column> columns_;
  const int64_t read_bytes_;
  const OperationContext context_;
};

}  // namespace tusk::lance
