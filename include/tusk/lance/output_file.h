#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"

namespace tusk::lance {

/// How much of a file is gathered before it is written, in bytes of Arrow memory. A column's rows
/// become a page when they have gathered that column's share of `data_cache_bytes`, but 64 KiB at
/// least, or `max_page_bytes`. A row that is larger makes a page by itself.
struct PageOptions {
  std::optional<int64_t> data_cache_bytes = {};  ///< over all columns; absent: 8 MiB for each
  std::optional<int64_t> max_page_bytes = {};    ///< absent: 32 MiB
};

struct OutputFileOptions {
  std::string data_storage_version =
      "2.2";  ///< "2.1", "2.2" or "stable", which is 2.2; in any case
  PageOptions pages = {};
};

/// A Lance file while it is written, batch by batch, in memory bounded by a page per column. It
/// becomes visible when it is finished, whole, or not at all: destroyed before, it leaves nothing.
/// Not thread-safe.
class TUSK_EXPORT OutputFile {
 public:
  /// Begins a file of the columns of `schema`, or of the first batch if that is null; writes over
  /// one that is there. What `context` borrows must outlive the object. Before a byte is written:
  /// Unsupported, naming the column, for a type that cannot be stored, and, naming it, for a data
  /// version that is not written; InvalidArgument for an unknown one, for sizes that are not
  /// positive (data_cache_bytes may be 0) and for a column that a file cannot have.
  static Result<std::unique_ptr<OutputFile>> Open(io::StorePath location,
                                                  const std::shared_ptr<arrow::Schema>& schema,
                                                  const OutputFileOptions& options,
                                                  const OperationContext& context);
  ~OutputFile();

  /// Takes columns by name, in any order; those that the file does not have are left out, and view
  /// types are stored as the types with offsets. InvalidArgument, naming the column, for one that
  /// is missing, has another type, or has nulls and must not: the batch is not taken then. After
  /// any other error, such as one of the store, the file is given up and every call fails.
  Status Write(const arrow::RecordBatch& batch);
  /// Takes all batches of `data`; its columns count even if there is none. Errors of `data` as they
  /// come: the file can go on after them.
  Status WriteAll(arrow::RecordBatchReader* data);
  /// Puts bytes of the caller's own into the file and answers the number by which
  /// File::ReadGlobalBuffer gives them: 1, 2 and so on. Until the columns are known they are kept
  /// in memory.
  Result<int32_t> AddGlobalBuffer(std::span<const uint8_t> bytes);
  /// Sets a key of the schema's metadata; the last value stays.
  Status AddSchemaMetadata(std::string key, std::string value);
  /// Writes the rest and makes the file visible. InvalidArgument if the columns are still not
  /// known.
  Status Finish();
  /// Gives the file up, unless it is finished: nothing of it stays, and every further call fails.
  void Abandon();

  int64_t num_rows() const;    ///< taken so far
  int64_t size_bytes() const;  ///< given to the store so far; of the file, once it is finished

  struct State;
  explicit OutputFile(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tusk::lance
