#pragma once

#include <memory>
#include <span>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/array/array_column.h"
#include "tusk/lance/file/field_read.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/file/structural_read.h"

namespace tusk::lance {

/// A read of a field of a file of data version 2.0. `columns` are its physical columns in their
/// order, see PhysicalColumns; they, the source and the rows that are taken must outlive the read.
/// A blob becomes its bytes if the field is a large_binary, and where these are if it is a struct
/// (null: position 1 and size 0, as in the file). Corrupt if the columns cannot become the field or
/// do not have the file's rows; Unsupported for a part of a packed struct.
Result<std::unique_ptr<FieldRead>> MakeArrayFieldRead(const Field& field,
                                                      std::span<const ArrayColumn* const> columns,
                                                      const RowsToRead& rows,
                                                      const ReadSource& source,
                                                      arrow::MemoryPool* pool);

}  // namespace tusk::lance
