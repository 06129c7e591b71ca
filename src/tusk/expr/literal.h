#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/expr/syntax.h"

namespace tusk::expr {

/// A value as it is written, which takes the type of what it is compared or combined with.
struct Literal {
  SyntaxKind kind = SyntaxKind::kNull;  ///< kNull to kInterval
  std::string text = {};
  std::shared_ptr<arrow::DataType> type = nullptr;  ///< kDecimal
  int precision = 6;                                ///< kTimestamp
  bool is_quoted = false;                           ///< kText in double quotes
};

bool IsLiteral(SyntaxKind kind);
Literal LiteralOf(const Syntax& syntax);
/// As it is written, for messages.
std::string ToString(const Literal& literal);

/// A literal as a value of a type: `scalar` is the greatest that is not above it.
struct FittedLiteral {
  std::shared_ptr<arrow::Scalar> scalar = nullptr;
  bool is_exact = true;
};

/// `literal` as a value of `type`; floats are rounded to the nearest. InvalidArgument if it is out
/// of the type's range, if its text is no such value, or if it is of another kind; so is a text of
/// a date, a time or a decimal that has more digits than it says itself.
Result<FittedLiteral> FitLiteral(const Literal& literal, const arrow::DataType& type);

/// The value of a literal that nothing gives a type: int64, uint64, decimal128 (whole numbers that
/// fit into neither), double, utf8, bool, binary, date32, timestamp, time, decimal, interval.
Result<std::shared_ptr<arrow::Scalar>> DefaultValue(const Literal& literal);

/// A moment or a day as it is written: 2021-01-01, 2021-01-01 12:30, 2021-01-01T12:30:00.25+01:00.
struct ParsedMoment {
  int64_t seconds = 0;  ///< since 1970-01-01 00:00:00; UTC if there is an offset, else of the text
  int32_t nanoseconds = 0;
  int fraction_digits = 0;  ///< without zeros at the end
  bool has_time = false;
  bool has_offset = false;
};
std::optional<ParsedMoment> ParseMoment(std::string_view text);
/// Nanoseconds since midnight of a time of the day: 12:30, 12:30:00.25.
std::optional<int64_t> ParseTimeOfDay(std::string_view text);

}  // namespace tusk::expr
