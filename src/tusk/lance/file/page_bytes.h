#pragma once

#include <cstdint>

#include "tusk/base/result.h"
#include "tusk/lance/output_file.h"

namespace tusk::lance {

/// The Arrow bytes at which a column of a file of `num_columns` top-level columns cuts a page.
/// InvalidArgument if max_page_bytes is not positive or data_cache_bytes is negative.
Result<int64_t> PageBytes(const PageOptions& options, int64_t num_columns);

}  // namespace tusk::lance
