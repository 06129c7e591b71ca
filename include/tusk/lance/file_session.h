#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file.h"

namespace tusk::lance {

class FileCache;

/// How much a keeper of open files may keep. The files that were not used for longest go first.
struct FileCacheOptions {
  int64_t bytes = int64_t{256} << 20;  ///< footers, schemas, metadata of columns, page indices
  /// Each of a local store holds a file descriptor: fewer where all keepers of the process together
  /// would hold more than half of those that it may have.
  int64_t files = 8192;
  /// Values, as they are stored, that takes have asked for more than once, of all files together: a
  /// take of them makes no request. 0 keeps none. Beside `bytes`.
  int64_t range_bytes = int64_t{64} << 20;
};

/// Opens Lance files below one folder and keeps what it knows of them, so that a file that is
/// opened again needs no more metadata from the store. Thread-safe.
class TUSK_EXPORT FileSession {
 public:
  static Result<std::shared_ptr<const FileSession>> Open(std::string_view uri,
                                                         const FileCacheOptions& options = {});
  explicit FileSession(io::StorePath base, const FileCacheOptions& options = {});
  ~FileSession();

  const io::StorePath& base() const { return base_; }
  /// Opens the file `path` below the folder. A look at the object (one head request) tells whether
  /// it was replaced since it was opened before. InvalidArgument for a path that leaves the folder;
  /// errors as File::Open.
  Result<std::shared_ptr<const File>> OpenFile(std::string_view path,
                                               const OperationContext& context) const;

 private:
  const io::StorePath base_;
  const std::unique_ptr<FileCache> files_;
};

}  // namespace tusk::lance
