#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/index_metadata.h"

namespace tusk::lance {

/// The fragments whose rows an index has, and whether it would go wrong if rows got other
/// addresses.
struct IndexCoverage {
  std::string name;
  FragmentIds fragments;
  bool holds_addresses = false;
};

/// Of the indices of a version that rows are looked up in. Unsupported if the version keeps account
/// of its rows in a way that a compaction cannot carry on.
Result<std::vector<IndexCoverage>> ReadIndexCoverage(const Dataset::State& state,
                                                     const OperationContext& context);

}  // namespace tusk::lance
