#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/filter.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// Says which rows of a scan to keep. Immutable: threads share one.
class RowTest {
 public:
  virtual ~RowTest() = default;
  /// Whether to keep each row of `batch`, no nulls. A column may come as a dictionary array of its
  /// type.
  virtual Result<std::shared_ptr<arrow::BooleanArray>> Judge(
      const arrow::RecordBatch& batch, const OperationContext& context) const = 0;
  /// False only if it keeps no row whose columns lie in `ranges`, as Filter::Bound has it.
  virtual Result<bool> MayMatch(const std::map<std::string, expr::ColumnRange>& ranges) const = 0;
};

/// Makes other rows of those that a scan reads, on the threads that read them. Immutable: threads
/// share one.
class RowMap {
 public:
  virtual ~RowMap() = default;
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  /// What comes of these rows, which follow each other in one fragment; null for none.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Map(
      const arrow::RecordBatch& rows, const OperationContext& context) const = 0;
};

/// What a scan does with the rows that it reads.
struct RowMapping {
  std::shared_ptr<const RowTest> test = {};    ///< which to keep; null keeps all
  std::vector<std::string> test_columns = {};  ///< that the test reads
  std::shared_ptr<const RowMap> map = {};      ///< of those that are kept; null: as they are
};

/// So many bytes are decoded ahead where rows that are read are written again: what a writer needs
/// must find room beside them.
int64_t ReadAheadOfWriter(const OperationContext& context);

/// Gives what `mapping` makes of the rows of a scan, with about so many bytes decoded ahead.
/// `options` have no order, limit and offset, and no filter if there is a test.
Result<std::shared_ptr<arrow::RecordBatchReader>> ScanMapped(
    const std::shared_ptr<const Dataset>& dataset, const ScanOptions& options, RowMapping mapping,
    int64_t read_ahead_bytes, const OperationContext& context);

}  // namespace tusk::lance
