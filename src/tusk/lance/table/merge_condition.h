#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/filter.h"

namespace tusk::lance {

/// A condition over two rows that match, whose columns it calls "source.x" and "target.x".
class MergeCondition {
 public:
  /// InvalidArgument if it is none over columns of these schemas.
  static Result<MergeCondition> Make(const expr::Filter& filter, const arrow::Schema& source,
                                     const arrow::Schema& target, const OperationContext& context);

  // The columns that it reads.
  const std::vector<std::string>& source_columns() const { return source_columns_; }
  const std::vector<std::string>& target_columns() const { return target_columns_; }
  /// Whether it is true, for each pair of rows. Both have the columns that it reads.
  Result<std::shared_ptr<arrow::BooleanArray>> Judge(const arrow::RecordBatch& source,
                                                     const arrow::RecordBatch& target,
                                                     const OperationContext& context) const;

 private:
  std::vector<std::string> source_columns_;
  std::vector<std::string> target_columns_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<const expr::Filter::Bound> bound_;
};

}  // namespace tusk::lance
