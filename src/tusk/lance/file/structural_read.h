#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/column_pages.h"
#include "tusk/lance/file/field_read.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// The file that a field is read from.
struct ReadSource {
  const std::string* path = nullptr;  ///< for errors
  int64_t file_size = 0;
  int64_t num_rows = 0;
};

/// A column of the file with its number there.
struct NumberedColumn {
  const ColumnPages* pages = nullptr;
  int32_t number = 0;
};

/// Reads `field` of a file of data version 2.1 or later, from its physical columns in their order,
/// see PhysicalColumns. The field, the pages and the source must outlive it. A blob (v1) becomes
/// its bytes if the field is a large_binary, and where these are if it is a struct. Corrupt if a
/// column does not have the file's rows; Unsupported for types that are not covered.
Result<std::unique_ptr<FieldRead>> MakeStructuralRead(const Field& field,
                                                      std::span<const NumberedColumn> columns,
                                                      const RowsToRead& rows,
                                                      const ReadSource& source,
                                                      arrow::MemoryPool* pool);

}  // namespace tusk::lance
