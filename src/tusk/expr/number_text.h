#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::expr {

/// A number as it is written, exact: digits * 10^exponent.
struct NumberText {
  bool is_negative = false;
  std::string digits;  ///< without zeros at either end; empty for zero
  int64_t exponent = 0;

  /// Nothing for a text that is no number: 12, -1.5, .5, 1e10.
  static std::optional<NumberText> Parse(std::string_view text);
  bool is_whole() const { return exponent >= 0; }
  /// The digits of value * 10^scale, rounded down; `is_exact` tells whether nothing was cut.
  /// Nothing if there are more than 80.
  std::optional<std::string> ScaledFloor(int scale, bool* is_exact) const;
};

/// The digits (with a sign) as a scalar of an integer or decimal type; null if out of its range.
std::shared_ptr<arrow::Scalar> ScalarOfDigits(const std::string& digits,
                                              const arrow::DataType& type);

}  // namespace tusk::expr
