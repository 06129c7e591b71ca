#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/expression.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {

/// Columns whose values are computed from those of the table. Immutable; threads share one.
class ComputedColumns {
 public:
  /// InvalidArgument, naming the column, if an expression is none about this table, and for a name
  /// that is asked for twice.
  static Result<std::shared_ptr<const ComputedColumns>> Make(
      const Dataset::State& dataset, std::span<const NamedExpression> expressions,
      const OperationContext& context);

  const std::shared_ptr<const Projection>& read() const { return read_; }  ///< what it needs
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// `rows` has the columns of read().
  Result<std::shared_ptr<arrow::RecordBatch>> Compute(const arrow::RecordBatch& rows,
                                                      const OperationContext& context) const;

 private:
  std::shared_ptr<const Projection> read_;
  std::vector<std::shared_ptr<const expr::Expression::Bound>> expressions_;
  std::shared_ptr<arrow::Schema> schema_;
};

/// All columns of the table, and those of the system that no column hides.
arrow::Schema NameableColumns(const Dataset::State& dataset);

}  // namespace tusk::lance
