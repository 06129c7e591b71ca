#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/manifest.h"

namespace tusk::iceberg {

/// What a manifest says about the values of one file: counts, nulls, NaNs and bounds of every
/// primitive column that is not inside a list or map (of those nothing is said). Bounds are in the
/// specification's single-value serialization; text and bytes are cut to 16 code points or bytes,
/// NaN takes no part, a zero is -0.0 below and +0.0 above.
class ColumnStatistics {
 public:
  /// `schema` has the stored types and field ids.
  explicit ColumnStatistics(const arrow::Schema& schema);
  ~ColumnStatistics();

  /// Takes the values of `batch`, which has the schema.
  Status Add(const arrow::RecordBatch& batch, const OperationContext& context);
  /// Sets the counts and bounds of `file`, and its record count.
  void FillIn(DataFile* file) const;

  /// The statistics of one column of primitive values.
  class Column;

 private:
  struct Node;
  static Status Add(const arrow::Array& array, Node* node, const OperationContext& context);
  static void FillIn(const Node& node, int64_t rows, DataFile* file);
  static Node MakeNode(const arrow::Field& field);

  int64_t rows_ = 0;
  std::vector<Node> nodes_;
};

}  // namespace tusk::iceberg
