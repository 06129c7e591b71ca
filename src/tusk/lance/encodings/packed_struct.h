#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/single_value_decoder.h"
#include "tusk/lance/encodings/value_decoder.h"
#include "tusk/lance/encodings/value_encoding.h"
#include "tusk/lance/encodings/value_shape.h"

namespace tusk::lance {

// A packed struct is one column. Its rows are the fields one after the other; a struct whose fields
// all have a fixed width is stored as values of a fixed width. Rows of others are decoded to
// values of any length in which a field of any length stands behind its length in 64 bits.

/// Corrupt if the fields that `encoding` packs are not those of `shape`.
Status CheckPackedFields(const ValueEncoding& encoding, const ValueShape& shape);

/// Packed structs of fixed width in mini-block chunks: flat rows. One buffer.
Result<std::unique_ptr<const ValueDecoder>> MakePackedStructDecoder(const ValueEncoding& encoding);

/// The rows of packed structs with fields of any length, each of which has an encoding of its own.
Result<std::unique_ptr<const SingleValueDecoder>> MakePackedRowDecoder(
    const ValueEncoding& encoding);

/// How the rows of a struct of `type` are described in the form in which PackStruct makes them,
/// with texts as they are: field by field if there is a text or a list, else as values of one
/// width. Unsupported for fields that cannot be packed.
Result<ValueEncoding> PackedStructEncoding(const arrow::DataType& type);

/// Makes the rows of a struct array as pages store them: fixed_size_binary or, if a field is of any
/// length, large_binary in which such a field stands behind its length, which is as wide as its
/// offsets. `shape` is ValueShape::OfPacked of the array's type. Null structs become null rows, of
/// zeros or without bytes. InvalidArgument if a field of a valid struct is null, Unsupported if a
/// list in it has a null item: rows have no place for that.
Result<std::shared_ptr<arrow::ArrayData>> PackStruct(const arrow::ArrayData& structs,
                                                     const ValueShape& shape,
                                                     arrow::MemoryPool* pool);

/// Makes the struct array `type` of its packed rows: fixed-width values or, if a field is of any
/// length, binary with 64-bit offsets. Null rows become null, fields in them zero or empty.
Result<std::shared_ptr<arrow::ArrayData>> UnpackStruct(const arrow::ArrayData& rows,
                                                       const ValueShape& shape,
                                                       const std::shared_ptr<arrow::DataType>& type,
                                                       arrow::MemoryPool* pool);

}  // namespace tusk::lance
