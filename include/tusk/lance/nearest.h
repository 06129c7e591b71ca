#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

struct NearestOptions {
  std::string column;        ///< fixed-size list of float
  std::vector<float> query;  ///< as long as the list
  int64_t k = 10;
  std::string metric = "l2";  ///< l2 (squared), cosine, dot
  /// Columns to return; all if absent. `_distance` (float) stands where it is named here, else
  /// last.
  std::optional<std::vector<std::string>> columns;
  std::shared_ptr<const expr::Filter> filter;  ///< applied before the search; may be null
};

/// The k rows nearest to the query, nearest first, ties by row address; fewer if the table has
/// fewer with a vector. Exact: streams the vector column once in memory that does not grow with
/// the table, then takes the other columns of the k rows. Rows without a distance never match: a
/// null vector, a NaN in it, and with cosine a length of 0. NotFound for an unknown column;
/// InvalidArgument for a wrong column type, dimension, metric, k < 1 or a NaN in the query;
/// Unsupported for vectors of other numbers than float.
TUSK_EXPORT Result<std::shared_ptr<arrow::Table>> FindNearest(const Dataset& dataset,
                                                              const NearestOptions& options,
                                                              const OperationContext& context);

}  // namespace tusk::lance
