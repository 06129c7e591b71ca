#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/compute/type_fwd.h>
#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::expr {

/// Where a null inside of a list or struct stands among the values that could be in its place.
enum class NullOrder { kBelow, kAbove };

/// The order of values of any type that has one, those with parts by the first part that differs: a
/// list that others begin with is below them, a map is the list of its entries. Floats are in one
/// order, in which NaN equals itself and is above all others and 0.0 equals -0.0; texts and bytes
/// go by their bytes, intervals by months, then days, then nanoseconds. Nulls equal each other.
class ValueOrder {
 public:
  /// Of the values of `left` with those of `right`. Their types are the same
  /// but for the kind of their lists and for what PlainType makes the same. InvalidArgument if
  /// values of the type have no order.
  static Result<ValueOrder> Make(const arrow::Array& left, const arrow::Array& right,
                                 NullOrder nulls, arrow::compute::ExecContext* compute);
  ~ValueOrder();
  ValueOrder(ValueOrder&& other) noexcept;
  ValueOrder& operator=(ValueOrder&& other) noexcept;

  /// Below 0 if value `i` of the left array is below value `j` of the right one, 0 if they are
  /// equal, else above 0.
  int Compare(int64_t i, int64_t j) const;

  class Part;

 private:
  explicit ValueOrder(std::unique_ptr<const Part> whole);
  std::unique_ptr<const Part> whole_;
};

/// Lists, structs, maps and intervals, which Arrow's own functions do not order.
bool HasParts(const arrow::DataType& type);

/// InvalidArgument if values of `type` have no order.
Status CheckOrder(const std::shared_ptr<arrow::DataType>& type,
                  arrow::compute::ExecContext* compute);

/// The place of each value among the different ones of `array`, counted from 0; -1 for null, which
/// is below all. Errors as in ValueOrder::Make.
Result<std::vector<int64_t>> RankValues(const arrow::Array& array, NullOrder nulls,
                                        arrow::compute::ExecContext* compute);

}  // namespace tusk::expr
