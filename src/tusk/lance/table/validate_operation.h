#pragma once

#include "tusk/base/result.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// InvalidArgument if the schema of `merge` gives an id of the table another meaning: readers find
/// columns by their ids. A field that stays keeps its parent, and its type unless all its files are
/// new; a new one has an id that the table has not used.
Status CheckMergeSchema(const MergeColumns& merge, const Manifest& previous);

}  // namespace tusk::lance
