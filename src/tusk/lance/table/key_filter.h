#pragma once

#include <string_view>

namespace tusk::lance {

/// Whether the rows that two merges inserted may have a key in common, by their serialized
/// KeyExistenceFilters. True if one of them is empty, broken or of another kind: nothing is known
/// then.
bool MayShareKeys(std::string_view ours, std::string_view theirs);

}  // namespace tusk::lance
