#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/reader.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// The part of `field` that a data file holds, by the ids in the manifest; none if it holds
/// nothing of it. With `whole`, of which `field` has some children, a struct or list of which the
/// file holds only children that are left out comes with one of these: it knows which of them are
/// null and how long the lists are. Unsupported for a file of data version 2.0 that has children
/// of a struct or list without the column of that itself.
Result<std::optional<FileReader::Column>> FindPart(const Field& field, const Field* whole,
                                                   const DataFile& file);

/// Rows of a part of a field.
struct FieldPart {
  const Field* field = nullptr;
  std::shared_ptr<arrow::Array> rows;
};

/// Fails if a field that must not be null is in no part, although what it belongs to is.
Status CheckParts(const Field& field, std::span<const FieldPart> parts);

/// Puts the parts of `field`, whose Arrow type is `type`, together: each leaf comes from the first
/// part that has it and is null if none has. A struct is valid if it is in any part, as pylance has
/// it, and what a part has below it is null where it is null there; which lists are null says the
/// first part. Parts may have more than the field. Corrupt if lists do not have the same lengths in
/// all parts, and for a part of another type.
Result<std::shared_ptr<arrow::Array>> PutTogether(const Field& field,
                                                  const std::shared_ptr<arrow::DataType>& type,
                                                  std::span<const FieldPart> parts, int64_t length,
                                                  arrow::MemoryPool* pool);

}  // namespace tusk::lance
