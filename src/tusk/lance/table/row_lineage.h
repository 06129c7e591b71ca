#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// What readers take where no version of a row is said: the first one.
inline constexpr uint64_t kUnknownRowVersion = 1;

/// Gives the rows of a new fragment of a table with stable row ids the ids that they lack, from
/// `*next_row_id` on, which moves: all of them, or those behind the rows that bring theirs.
/// InvalidArgument if it brings more ids than it has rows.
Status GiveRowIds(Fragment* fragment, uint64_t* next_row_id);

/// All rows of the fragment were made in `version`.
void StampCreated(uint64_t version, Fragment* fragment);

/// All rows of the fragment were changed in `version`.
void StampUpdated(uint64_t version, Fragment* fragment);

/// The rows in the serialized Roaring bitmap `offsets` were changed in `version`; the others keep
/// what is said of them. Nothing to do where nothing is said of the fragment.
/// InvalidArgument if a row is not in the fragment.
Status StampUpdatedRows(std::string_view offsets, uint64_t version, Fragment* fragment);

/// The rows of `added`, which have their row ids, were changed in `version`; those that come from
/// one of `before` were made when they were made there, the others in `version`.
/// Unsupported if one of `before` keeps its row ids or versions in a column.
Status StampMovedRows(const std::vector<Fragment>& before, uint64_t version,
                      std::vector<Fragment>* added);

}  // namespace tusk::lance
