#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::lance {

/// How the values of a column lie in Arrow memory, whatever they mean.
struct ValueShape {
  /// False: values of a fixed number of bits. True: an offset for each value, and bytes.
  bool is_variable = false;
  /// Fixed: bits of one item, 1 or a multiple of 8; 0 for values that are nothing (of the null
  /// type, structs without fields). Variable: bits of an offset, 32 or 64.
  int64_t bits = 0;
  /// Sizes of the fixed-size lists around an item, outer-most first; empty for plain values.
  std::vector<int32_t> list_sizes;
  /// Their product; 1 for plain values.
  int64_t items_per_row = 1;
  /// Packed structs: bits of each field of a row, and whether it is of any length (then of its
  /// offsets). Rows are `bits` of these fields one after the other; or, if one of them is of any
  /// length, values of any length, see packed_struct.h. Empty for all others.
  struct PackedField {
    bool is_variable = false;
    int64_t bits = 0;
  };
  std::vector<PackedField> packed_fields;

  /// Whether values are neither lists nor packed structs.
  bool is_plain() const { return list_sizes.empty() && packed_fields.empty(); }
  /// Whether values take no bytes at all.
  bool is_nothing() const { return !is_variable && bits == 0; }
  /// Items of list layer `layer`, counted from the outer-most, in one row.
  int64_t ItemsPerRow(size_t layer) const;
  /// Bits of one row of a fixed shape.
  int64_t row_bits() const { return bits * items_per_row; }

  /// Unsupported for nested types other than fixed-size lists of fixed-width items, and for rows of
  /// more than 256 MiB.
  static Result<ValueShape> Of(const arrow::DataType& type);
  /// Of a packed struct with these fields. Unsupported for fields that cannot be packed.
  static Result<ValueShape> OfPacked(const arrow::DataType& type);
};

}  // namespace tusk::lance
