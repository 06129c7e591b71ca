#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/buffer.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"

namespace tusk::io {

/// Bytes [offset, offset + length) of an object.
struct ByteRange {
  int64_t offset = 0;
  int64_t length = 0;
};

/// What a listing or a look at one object tells.
struct ObjectInfo {
  std::string path;
  int64_t size = 0;
  int64_t modified_ms = 0;  ///< milliseconds since the epoch, by the store's clock
  std::string tag = {};     ///< another one once the object was replaced; opaque
};

/// Reads that were submitted together. Buffers stay valid after the handle is gone.
class TUSK_EXPORT ReadHandle {
 public:
  virtual ~ReadHandle() = default;
  /// The bytes of the i-th range, exactly as many as asked; waits for them. Each i once.
  virtual Result<std::shared_ptr<arrow::Buffer>> Wait(size_t i) = 0;
  /// Gives up what has not arrived; later calls of Wait fail with Cancelled.
  virtual void Cancel() = 0;
};

/// An object opened for reading. Objects are immutable, so its size is known once. Thread-safe.
class TUSK_EXPORT ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual const std::string& path() const = 0;
  virtual int64_t size() const = 0;
  /// Submits all ranges of one step; the store coalesces neighbours and keeps many in flight. Local
  /// stores may complete inline. Corrupt if a range does not lie inside the object, before any I/O.
  virtual Result<std::unique_ptr<ReadHandle>> Read(std::span<const ByteRange> ranges,
                                                   const OperationContext& context) const = 0;

  /// One range, waited for.
  Result<std::shared_ptr<arrow::Buffer>> ReadOne(ByteRange range,
                                                 const OperationContext& context) const;
};

/// An opened object with its last bytes, got in one request where the store can.
struct OpenedObject {
  std::shared_ptr<const ObjectReader> reader;
  std::shared_ptr<arrow::Buffer> tail;  ///< the last min(size, asked) bytes
};

/// Writes one object in order. It becomes visible at Finish, whole, or not at all. A writer that is
/// destroyed before Finish leaves nothing visible.
class TUSK_EXPORT ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Status Append(std::span<const uint8_t> bytes) = 0;
  virtual int64_t bytes_written() const = 0;
  /// Makes the object visible and durable under its name, replacing one that was there.
  virtual Status Finish() = 0;
};

/// Named immutable objects. A path is a key within the store: for the local store a file-system
/// path, for others the part behind the bucket. Thread-safe. Every call counts into context.io.
class TUSK_EXPORT ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// Opens for reading and reads the last `tail_length` bytes (may be 0). NotFound.
  virtual Result<OpenedObject> Open(std::string_view path, int64_t tail_length,
                                    const OperationContext& context) = 0;
  /// A streaming writer; parent folders come into being.
  virtual Result<std::unique_ptr<ObjectWriter>> Create(std::string_view path,
                                                       const OperationContext& context) = 0;
  /// The whole object in one request, durable on return. Replaces one that is there.
  virtual Status Put(std::string_view path, std::string_view bytes,
                     const OperationContext& context) = 0;
  /// As Put, but AlreadyExists if the name is taken; of racing callers exactly one succeeds.
  virtual Status PutIfAbsent(std::string_view path, std::string_view bytes,
                             const OperationContext& context) = 0;
  /// Gives the object `source` the further name `path`, atomically: AlreadyExists if the name is
  /// taken, NotFound if there is no source. The source may stay or go.
  virtual Status LinkIfAbsent(std::string_view source, std::string_view path,
                              const OperationContext& context) = 0;
  /// Everything below the folder `prefix`, at any depth, ascending by path; empty if there is none.
  virtual Result<std::vector<ObjectInfo>> List(std::string_view prefix,
                                               const OperationContext& context) = 0;
  /// The names of the objects right in a folder, not of those below its own folders, in any order;
  /// empty if there is none. Less work than List where there are many.
  virtual Result<std::vector<std::string>> ListNames(std::string_view folder,
                                                     const OperationContext& context) = 0;
  /// As List for objects that are not whole: of writers at work, or of some that were killed. To
  /// delete one is no error; a writer that was at work then fails.
  virtual Result<std::vector<ObjectInfo>> ListUnfinished(std::string_view prefix,
                                                         const OperationContext& context) = 0;
  /// NotFound if it is not there.
  virtual Result<ObjectInfo> Head(std::string_view path, const OperationContext& context) = 0;
  /// No error if it is not there.
  virtual Status Delete(std::string_view path, const OperationContext& context) = 0;

  /// The whole object. NotFound.
  Result<std::shared_ptr<arrow::Buffer>> Get(std::string_view path,
                                             const OperationContext& context);
};

struct LocalStoreOptions {
  /// Files and their folders are fsynced: what is written survives a loss of power. Without it,
  /// writing is as fast as the page cache, and a loss of power may take what was written last, even
  /// leave a table whose newest version has files without their bytes.
  bool durable = true;
  /// Files are mapped into memory when they are opened, and reads give their bytes without a copy,
  /// outside of any memory pool. Whoever shortens or overwrites a file that is open this way ends
  /// the process (SIGBUS) or changes arrays that were read.
  bool memory_map = false;
};

/// The file system of this machine. Writes go to a hidden file beside the target and are linked or
/// renamed when complete. Ranges of one read that nearly touch count as one request, with the
/// bytes between them; of a mapped file, each range counts.
TUSK_EXPORT std::shared_ptr<ObjectStore> MakeLocalStore(const LocalStoreOptions& options = {});

/// Objects in this process's memory, ordered by path; gone with the last reference.
TUSK_EXPORT std::shared_ptr<ObjectStore> MakeMemoryStore();

/// A store and the path within it that a URI names.
struct StorePath {
  std::shared_ptr<ObjectStore> store;
  std::string path;
};

/// How a store is to be used, in the words of a user.
using StorageOptions = std::map<std::string, std::string>;

/// Resolves a URI: a path (made absolute against the working directory) or file:///path gives the
/// local store. s3, gs, az and others are refused by name as not supported yet. The local store
/// knows the options "durable" and "memory_map" ("true" or "false"); others are refused by name
/// (Unsupported).
TUSK_EXPORT Result<StorePath> ResolveUri(std::string_view uri, const StorageOptions& options = {});

/// The object `path` below the folder `base`; slashes around `path` count for nothing.
/// InvalidArgument for one that would leave the folder.
TUSK_EXPORT Result<StorePath> ResolveBelow(const StorePath& base, std::string_view path);

/// Copies one object, in pieces, over one that may be at `target`. NotFound.
TUSK_EXPORT Status CopyObject(const StorePath& source, const StorePath& target,
                              const OperationContext& context);

/// `base` and `name` with one slash between them.
TUSK_EXPORT std::string JoinPath(std::string_view base, std::string_view name);

/// Refuses a relative path from a file or manifest that would leave its folder: empty, absolute,
/// with a scheme, a backslash, a NUL or a `..` segment. Corrupt.
TUSK_EXPORT Status CheckRelativePath(std::string_view path);

}  // namespace tusk::io
