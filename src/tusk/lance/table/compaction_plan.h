#pragma once

#include <cstdint>
#include <vector>

#include "tusk/lance/compact.h"

namespace tusk::lance {

/// What a plan needs to know of a fragment.
struct FragmentLoad {
  uint64_t id = 0;
  int64_t physical_rows = 0;
  int64_t deleted_rows = 0;
  int64_t bytes = 0;  ///< of its data files that have a column of the table
  bool is_excluded = false;
  std::vector<size_t> indices = {};  ///< numbers of those that cover it: only equals go together

  int64_t live_rows() const { return physical_rows - deleted_rows; }
};

/// The ids of the fragments of each task, by the rules of `options`, which are in range.
std::vector<std::vector<uint64_t>> PlanTasks(const std::vector<FragmentLoad>& fragments,
                                             const CompactionOptions& options);

}  // namespace tusk::lance
