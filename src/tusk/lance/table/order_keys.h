#pragma once

#include "tusk/lance/dataset.h"
#include "tusk/lance/table/ordered_scan.h"
#include "tusk/lance/table/scan_plan.h"

namespace tusk::lance {

/// How the rows of a scan come in order.
struct OrderedScan {
  ScanOptions rows;  ///< gives the rows to be ordered, all of them, as they come
  RowOrder order;
  /// Whether `rows` has the columns by which rows are ordered and their addresses alone, and the
  /// order gives addresses: the columns of the result are taken of the rows that are given.
  bool takes_rest = false;
};

/// Takes the rest where few rows of many are wanted, or where all of them had better not be in
/// memory. `options` orders by something; `plan` is of the same scan.
OrderedScan PlanOrderedScan(const ScanPlan& plan, const ScanOptions& options);

}  // namespace tusk::lance
