#pragma once

#include <cstdint>

#include "tusk/base/result.h"
#include "tusk/lance/file/writer.h"
#include "tusk/lance/output_file.h"

namespace tusk::lance {

/// The options of a file of data version 2.`minor_version` with `num_columns` top-level columns.
/// InvalidArgument if max_page_bytes is not positive or data_cache_bytes is negative.
Result<FileWriterOptions> WriterOptionsOf(const PageOptions& pages, int64_t num_columns,
                                          uint16_t minor_version);

}  // namespace tusk::lance
