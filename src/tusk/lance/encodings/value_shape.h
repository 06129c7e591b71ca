#pragma once

#include <cstdint>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::lance {

/// How the values of a column lie in Arrow memory, whatever they mean.
struct ValueShape {
  /// False: values of a fixed number of bits. True: an offset for each value, and bytes.
  bool is_variable = false;
  /// Fixed: bits of one item, 1 or a multiple of 8. Variable: bits of an offset, 32 or 64.
  int64_t bits = 0;
  /// Sizes of the fixed-size lists around an item, outer-most first; empty for plain values.
  std::vector<int32_t> list_sizes;
  /// Their product; 1 for plain values.
  int64_t items_per_row = 1;

  /// Bits of one row of a fixed shape.
  int64_t row_bits() const { return bits * items_per_row; }

  /// Unsupported for nested types other than fixed-size lists of fixed-width items, and for rows of
  /// more than 256 MiB.
  static Result<ValueShape> Of(const arrow::DataType& type);
};

}  // namespace tusk::lance
