#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

class BlobFiles;

/// Where the bytes of a blob lie. The numbers are the format's (docs/format/lance_blobs.md).
enum class BlobKind : uint8_t {
  kInline = 0,     ///< in the data file
  kPacked = 1,     ///< with others in a file beside the data file
  kDedicated = 2,  ///< alone in a file beside the data file
  kExternal = 3,   ///< in an object that is not the table's own
};

/// The bytes of a blob, which are read when they are asked for. Immutable and thread-safe; its file
/// is opened again if too many others were used since.
class TUSK_EXPORT Blob {
 public:
  BlobKind kind() const { return kind_; }
  int64_t size() const { return size_; }
  /// Of an external one, as it is stored: a URI, or a path below a base path of the table.
  const std::string& uri() const { return uri_; }
  /// The object that holds the bytes, and where they begin in it.
  const io::StorePath& place() const { return place_; }
  int64_t position() const { return position_; }

  /// Bytes of the blob. InvalidArgument if they are not all in it.
  Result<std::shared_ptr<arrow::Buffer>> Read(io::ByteRange range,
                                              const OperationContext& context) const;

  /// What `files` has, or will open, at `place`.
  Blob(std::shared_ptr<BlobFiles> files, io::StorePath place, int64_t position, int64_t size,
       BlobKind kind, std::string uri);
  BlobFiles* files() const { return files_.get(); }

 private:
  std::shared_ptr<BlobFiles> files_;
  io::StorePath place_;
  int64_t position_;
  int64_t size_;
  BlobKind kind_;
  std::string uri_;
};

/// How rows are numbered.
enum class RowNumbers {
  kIds,
  kAddresses,
  kPositions,  ///< in scan order
};

/// The blob of a row.
struct FoundBlob {
  uint64_t row_address = 0;
  std::shared_ptr<const Blob> blob;  ///< null if the value is
};

/// Finds the blobs that column `column` (the path of a field) has in `rows`, in the order asked.
/// Reads where they lie, and opens the files that hold them, but reads no byte of one.
/// InvalidArgument if the column has no blobs, and for a row that is not there or is deleted;
/// NotFound if there is no such column or an external object is gone; Corrupt if a blob does not
/// lie inside of its file, naming column, row and file, or if several claim the same bytes.
TUSK_EXPORT Result<std::vector<FoundBlob>> FindBlobs(const Dataset& dataset,
                                                     const std::string& column, RowNumbers numbers,
                                                     std::span<const uint64_t> rows,
                                                     const OperationContext& context);

/// As Dataset::Scan, but where columns have blobs, their bytes come, as large_binary. Batches end
/// before these would have more than `options.batch_bytes`, but have one row at least. Unsupported
/// for blobs in maps and with deleted rows.
TUSK_EXPORT Result<std::shared_ptr<arrow::RecordBatchReader>> ScanBlobBytes(
    std::shared_ptr<const Dataset> dataset, const ScanOptions& options,
    const OperationContext& context);

/// As Dataset::Take, but where columns have blobs, their bytes come, as large_binary. All of them
/// are in memory at once, and are read at once. Corrupt if rows claim the same bytes of a file.
TUSK_EXPORT Result<std::shared_ptr<arrow::RecordBatch>> TakeBlobBytes(
    const Dataset& dataset, std::span<const int64_t> rows, const TakeOptions& options,
    const OperationContext& context);

/// Bytes of a blob from `offset` on, and the memory of the caller's that they go to.
struct BlobRead {
  const Blob* blob = nullptr;
  int64_t offset = 0;
  std::span<uint8_t> into;
};

/// Reads from several blobs at once, each file from its begin to its end, much of it by several
/// threads. InvalidArgument, before any byte is read, if what one asks for is not all in its blob.
TUSK_EXPORT Status ReadBlobs(std::span<const BlobRead> reads, const OperationContext& context);

}  // namespace tusk::lance
