#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/row_sizes.h"

namespace tusk::lance {

/// The rows that are merged into a table. A reader gives them once; here they can be read as often
/// as they are needed, in any order.
class MergeSource {
 public:
  /// Reads all rows of `data`, which has the columns of `schema` by name. They stay in memory
  /// unless they are more than `memory_bytes`: then they go to files among the table's data files,
  /// of data version 2.`minor_version`, which no manifest names and which go with this object.
  static Result<std::unique_ptr<MergeSource>> Read(arrow::RecordBatchReader* data,
                                                   const Schema& schema, const io::StorePath& table,
                                                   uint16_t minor_version, int64_t memory_bytes,
                                                   const OperationContext& context);
  virtual ~MergeSource() = default;

  /// All columns, as they are to be written.
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  virtual int64_t num_rows() const = 0;
  /// These columns of all rows, in order.
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> Scan(
      const std::vector<std::string>& columns, const OperationContext& context) const = 0;
  /// These columns of the rows with these numbers, in the order asked, duplicates kept.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Take(
      std::span<const int64_t> rows, const std::vector<std::string>& columns,
      const OperationContext& context) const = 0;
  /// How many of the rows with these numbers, from the first on, are to be taken at once: all, if
  /// they have no more than `bytes` by what is known of their sizes, else fewer, but at least one.
  int64_t CountWithin(std::span<const int64_t> rows, int64_t bytes) const {
    return sizes_.CountWithin(rows, bytes);
  }

 protected:
  explicit MergeSource(RowSizes sizes) : sizes_(std::move(sizes)) {}

 private:
  RowSizes sizes_;
};

}  // namespace tusk::lance
