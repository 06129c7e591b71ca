#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/field_read.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

// The fields of a packed struct lie in one column, row by row: whoever wants some of them reads
// all.

/// `field` with all the children that its packed structs have in `file_schema`, where the same ids
/// name them, in the order of the file; null if it has them already.
std::unique_ptr<const Field> WithWholePackedStructs(const Field& field, const Schema& file_schema);

/// The array of `part` in that of `whole`, of which it has some of the children of packed structs,
/// in any order. Corrupt if `array` is not of that type.
Result<std::shared_ptr<arrow::ArrayData>> PickPackedFields(
    const std::shared_ptr<arrow::ArrayData>& array, const Field& whole, const Field& part);

/// Gives `part` of what `read`, which reads `whole`, gives.
std::unique_ptr<FieldRead> MakePackedFieldsRead(std::unique_ptr<FieldRead> read,
                                                std::unique_ptr<const Field> whole,
                                                const Field& part);

}  // namespace tusk::lance
