#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

namespace tusk::iceberg {

/// The single-value serialization (specification, Appendix D) of `row` of `array`, a stored
/// primitive type; nothing for null. Nothing is cut.
std::optional<std::string> SingleValue(const arrow::Array& array, int64_t row);
/// The same of a scalar; nothing for null.
std::optional<std::string> SingleValue(const arrow::Scalar& scalar);

/// The value of a serialization as a scalar of `type`, a stored type. The bytes carry no type:
/// values from before int became long, float double, or a decimal wider are told by their length.
/// Null if the bytes are no value of the type, or NaN; a bound that nobody understands prunes
/// nothing.
std::shared_ptr<arrow::Scalar> ParseSingleValue(std::string_view bytes,
                                                const std::shared_ptr<arrow::DataType>& type);

/// Negative, zero or positive, as the value `a` is less than, equal to or greater than `b`, both
/// serializations of the stored type `type` or of one that it was promoted from; nothing if one is
/// no value of the type or is NaN. Zeros are equal whatever their sign.
std::optional<int> CompareSingleValues(const arrow::DataType& type, std::string_view a,
                                       std::string_view b);

/// True if `bytes` are NaN of a floating-point type.
bool IsNan(const arrow::DataType& type, std::string_view bytes);

}  // namespace tusk::iceberg
