#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/file/stored_column.h"

namespace tusk::lance {

/// What a file of data version 2.1 or 2.2 consists of, without the bytes of its pages.
struct StoredFile {
  std::string descriptor;                ///< bytes
  std::shared_ptr<const Schema> schema;  ///< as the descriptor has it
  int64_t num_rows = 0;
  std::vector<StoredColumn> columns;

  /// Reads it and compares it with the annex, if there is one. The schema is that of `known` if
  /// the descriptors are the same. Corrupt, with the path; Unsupported for another data
  /// version, for columns with more than plain pages, and for global buffers of a user's own, as
  /// which nobody knows what they say of the pages.
  static Result<StoredFile> Read(const io::StorePath& place, uint16_t minor_version,
                                 const std::optional<StoredFile>& known,
                                 const OperationContext& context);
};

}  // namespace tusk::lance
