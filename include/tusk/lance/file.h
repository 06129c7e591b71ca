#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file_description.h"
#include "tusk/lance/file_verification.h"

namespace tusk::lance {

/// What a read of a file gives, in what pieces.
struct FileReadOptions {
  /// Columns by name, in the order of the result; all of them if absent.
  std::optional<std::vector<std::string>> columns = {};
  int64_t batch_rows = 8192;       ///< in every batch but the last, if their bytes allow it
  int64_t batch_bytes = 64 << 20;  ///< batches are cut smaller than batch_rows to stay near this
  int64_t read_ahead_bytes = int64_t{256} << 20;  ///< decoded ahead of the caller
};

/// One Lance file, open for reading. Immutable and thread-safe; keeps what it has read of the
/// file's metadata, so that a later read of the same columns asks for values alone.
class TUSK_EXPORT File {
 public:
  /// NotFound if there is none; Corrupt if it is no Lance file; Unsupported, by name, for a data
  /// version that is not covered.
  static Result<std::shared_ptr<const File>> Open(std::string_view uri,
                                                  const OperationContext& context);
  static Result<std::shared_ptr<const File>> Open(const io::StorePath& location,
                                                  const OperationContext& context);
  ~File();

  const std::string& path() const;
  const std::string& data_storage_version() const;  ///< "2.2"
  int64_t num_rows() const;
  const std::shared_ptr<arrow::Schema>& schema() const;
  /// Of the columns that `options` name, as the readers below give them. NotFound if there is no
  /// such column.
  Result<std::shared_ptr<arrow::Schema>> ProjectedSchema(const FileReadOptions& options) const;

  /// Streams the rows [first_row, first_row + num_rows) in order, with read-ahead. The reader keeps
  /// the file open; what `context` borrows must outlive it. InvalidArgument if the rows are not
  /// inside the file.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(int64_t first_row, int64_t num_rows,
                                                         const FileReadOptions& options,
                                                         const OperationContext& context) const;
  /// Streams single rows in the order asked, duplicates kept; touches only the parts of pages that
  /// hold them. InvalidArgument if one is not in the file.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Take(std::vector<int64_t> rows,
                                                         const FileReadOptions& options,
                                                         const OperationContext& context) const;

  /// Global buffer `index`; number 0 is the file's descriptor, others are the user's. Asks the
  /// store anew. InvalidArgument if there are not so many.
  Result<std::shared_ptr<arrow::Buffer>> ReadGlobalBuffer(int64_t index,
                                                          const OperationContext& context) const;
  /// What the metadata of all columns says. Asks the store anew and keeps nothing.
  Result<FileDescription> Describe(const OperationContext& context) const;
  /// Reads all of the file anew and compares it with the checksums that files of tusk's have;
  /// others are decoded. Damage is in the answer; errors are the store's, and Unsupported if
  /// something cannot be decoded.
  Result<FileVerification> Verify(const OperationContext& context) const;

  struct State;
  explicit File(std::shared_ptr<const State> state);

 private:
  std::shared_ptr<const State> state_;  // shared with the readers
};

}  // namespace tusk::lance
