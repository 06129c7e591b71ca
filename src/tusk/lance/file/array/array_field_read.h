#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/array/array_column.h"
#include "tusk/lance/file/field_read.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// How many physical columns a field has in a file of data version 2.0: itself and all below it.
/// Packed structs, blobs and fixed-size lists have one.
int32_t CountArrayColumns(const Field& field);

/// The physical columns of `field`, depth-first, in a file of data version 2.0 with the fields of
/// `file`. Fields are told by their ids, so that `field` may lack some that the file has.
/// InvalidArgument if it has one that the file lacks.
Result<std::vector<int32_t>> FindArrayColumns(const Schema& file, const Field& field);

/// A read of a field of a file of data version 2.0 with the Arrow type of the field. `columns` are
/// its physical columns, depth-first; they, and the rows that are taken, must outlive the read. A
/// blob field whose Arrow type is a struct gives descriptors, else the bytes of the blobs. Corrupt
/// if the columns cannot become the field; InvalidArgument if they are not as many as its own.
Result<std::unique_ptr<FieldRead>> MakeArrayFieldRead(const Field& field,
                                                      std::span<const ArrayColumn* const> columns,
                                                      const RowsToRead& rows,
                                                      arrow::MemoryPool* pool);
/// The same with a type of the caller's choice in place of the field's.
Result<std::unique_ptr<FieldRead>> MakeArrayFieldRead(const Field& field,
                                                      std::shared_ptr<arrow::DataType> type,
                                                      std::span<const ArrayColumn* const> columns,
                                                      const RowsToRead& rows,
                                                      arrow::MemoryPool* pool);

}  // namespace tusk::lance
