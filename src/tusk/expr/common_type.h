#pragma once

#include <memory>

#include <arrow/type_fwd.h>

namespace tusk::expr {

/// The type of the values that are computed with: what a column of `type` is decoded to.
/// Dictionaries become their values, views and extensions what they are of.
std::shared_ptr<arrow::DataType> PlainType(const std::shared_ptr<arrow::DataType>& type);

/// The type that holds the values of both exactly, or null if there is none: whole numbers by
/// width and sign (int64 with uint64: decimal(20, 0)), whole numbers with floats and decimals with
/// floats: double, dates with timestamps: the timestamp, naive timestamps with zoned ones: the
/// zoned one, texts, bytes, lists and maps of such, structs of the same names, in the order of `a`.
/// Null takes the other type.
std::shared_ptr<arrow::DataType> CommonType(const std::shared_ptr<arrow::DataType>& a,
                                            const std::shared_ptr<arrow::DataType>& b);

/// decimal128, or decimal256 above 38 digits.
std::shared_ptr<arrow::DataType> DecimalOf(int precision, int scale);

/// The decimal type that holds every value of an integer or decimal type; null for other types.
std::shared_ptr<arrow::DataType> DecimalTypeOf(const arrow::DataType& type);

bool IsText(const arrow::DataType& type);
bool IsBytes(const arrow::DataType& type);
/// Integers, floats and decimals.
bool IsNumber(const arrow::DataType& type);
/// Dates, times, timestamps and durations.
bool IsTemporal(const arrow::DataType& type);
/// Lists of any kind but views.
bool IsList(const arrow::DataType& type);
/// Lists, structs and maps.
bool IsNested(const arrow::DataType& type);

}  // namespace tusk::expr
