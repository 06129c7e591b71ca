#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/lance/dataset.h"

namespace tusk::lance {

/// Every file at the root of the table, whatever it is, ascending by path: base_uri (the root),
/// path (relative to it), size_bytes, last_modified. Files at base paths are not among them.
TUSK_EXPORT Result<std::shared_ptr<arrow::RecordBatch>> ListFiles(const Dataset& table,
                                                                  const OperationContext& context);

/// The files without which a version of the table cannot be read in full: version, base_uri (the
/// root, or the base path at which the file lies), path (relative to that), type ("manifest", "data
/// file", "deletion file", "transaction file", "index file"). Files of blobs are data files.
/// NotFound if there is no such version.
TUSK_EXPORT Result<std::shared_ptr<arrow::RecordBatch>> ListVersionFiles(
    const Dataset& table, uint64_t version, const OperationContext& context);

}  // namespace tusk::lance
