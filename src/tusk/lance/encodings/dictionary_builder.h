#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/rows_view.h"

namespace tusk::lance {

/// What a dictionary has to be for pylance to use it.
struct DictionaryLimits {
  int64_t min_rows = 100;
  /// One item for so many rows at the most.
  int64_t divisor = 2;
  int64_t max_items = 100'000;
  /// Of the items and of an index of 32 bits for each row, in the rows' own bytes.
  double max_size_ratio = 0.8;
  int64_t max_item_bytes = 8 << 20;
};

/// The values of a page, each once, and which of them each row has.
struct BuiltDictionary {
  /// u32 for each row; that of a null is any item's.
  std::shared_ptr<arrow::Buffer> indices;
  /// The values in the order in which they come first. Borrows the shape of the rows, and the two
  /// buffers below.
  RowsView items;
  std::shared_ptr<arrow::Buffer> item_offsets;  ///< of variable shapes
  std::shared_ptr<arrow::Buffer> item_values;
};

/// Builds the dictionary of `rows`, unless it breaks `limits`: then, for a bit more than 8,192 rows
/// and if a sample of them lets expect it, without going through them. Values are the same if their
/// bytes are. Nothing for rows that are all null, and for those that are no whole bytes.
Result<std::optional<BuiltDictionary>> BuildDictionary(const RowsView& rows,
                                                       const DictionaryLimits& limits,
                                                       arrow::MemoryPool* pool);

}  // namespace tusk::lance
