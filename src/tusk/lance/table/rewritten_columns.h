#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// Makes what a scan of a table gives into what is written to it again: texts of json are marked as
/// such, at any depth. A value that readers of batches share.
class RewrittenColumns {
 public:
  /// For these columns of the table. Unsupported, naming the column, if there are blobs in one:
  /// scans tell where these lie, not what they are; they can be written again, with the dataset as
  /// the source in BlobWriteScope, if the rows keep their addresses. `operation` is for that error.
  static Result<RewrittenColumns> Make(const Dataset::State& dataset,
                                       const std::vector<std::string>& names,
                                       std::string_view operation, bool keeps_addresses = false);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// Other columns stay as they are.
  Result<std::shared_ptr<arrow::RecordBatch>> Convert(const arrow::RecordBatch& batch) const;
  Result<std::shared_ptr<arrow::RecordBatchReader>> Convert(
      std::shared_ptr<arrow::RecordBatchReader> reader) const;

 private:
  std::shared_ptr<arrow::Schema> Convert(const arrow::Schema& schema) const;

  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace tusk::lance
