#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/base_targets.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// Where data files go, and what of the table the writer of their blobs has to know.
struct BlobWriteScope {
  std::vector<BasePath> base_paths = {};
  /// The version from whose scan the rows come, unless they are new ones. Its blobs come as
  /// descriptors, and each row with its `_rowaddr`. Borrowed.
  const Dataset::State* source = nullptr;
  BaseTargets targets = {};  ///< where the data files go
};

/// Makes the rows of a data file into what a FileWriter takes: the blobs of version 2 that shall
/// not lie in the file go to files beside it, and descriptors of version 1 become bytes. Large
/// values that are copied to a file beside the data file pass through in pieces. Not thread-safe.
class BlobWriter {
 public:
  /// For rows with the fields of `schema`. InvalidArgument for thresholds that are no numbers and
  /// options that contradict each other; Unsupported, naming the field, for blobs in maps and
  /// fixed-size lists.
  static Result<BlobWriter> Make(const Schema& schema, const BlobWriteOptions& options,
                                 BlobWriteScope scope, const OperationContext& context);

  BlobWriter(BlobWriter&&) noexcept;
  ~BlobWriter();

  /// Whether there is anything to do. If not, rows can go to the file as they are.
  bool has_blobs() const;
  /// What the fields of the file are in the rows that Write gives, and the schema of these for rows
  /// of schema `data`.
  Schema prepared_schema() const;
  Result<std::shared_ptr<arrow::Schema>> PreparedSchema(const arrow::Schema& data) const;

  /// The rows that follow are those of `data_file`.
  void BeginFile(io::StorePath data_file);
  /// Hands `rows` to `write`, in one or more pieces. InvalidArgument, naming column and row, for
  /// values that are no blobs, and for external ones outside of the base paths.
  Status Write(const arrow::RecordBatch& rows,
               const std::function<Status(const arrow::RecordBatch&)>& write);
  /// All files beside the data file are durable under their names after this.
  Status FinishFile();

 private:
  struct State;
  explicit BlobWriter(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

/// WriteFragments (write_fragments.h) for blobs that are written as `scope` says. What it removes
/// after a failure, and what RemoveDataFiles does, includes the files beside data files.
Result<std::vector<Fragment>> WriteFragments(arrow::RecordBatchReader* data,
                                             const io::StorePath& table, const Schema& schema,
                                             uint16_t minor_version, const WriteOptions& options,
                                             const BlobWriteScope& scope,
                                             const OperationContext& context);

}  // namespace tusk::lance
