#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/file/array/array_encoding.h"
#include "tusk/lance/file/field_read.h"

namespace tusk::lance {

/// What to read of the values that an encoding holds, and what they become.
struct ArrayRequest {
  std::vector<RowRange> runs;  ///< ascending; they may touch, not overlap
  std::shared_ptr<arrow::DataType> type;
  arrow::MemoryPool* pool = nullptr;

  int64_t num_values() const;
  /// The runs of items where each value has `count` of them. Corrupt if they cannot be counted.
  Result<std::vector<RowRange>> Scaled(int64_t count) const;
  /// The type, or what an extension type is stored as.
  const arrow::DataType& storage() const;
};

/// A read of values of one page; its result has those of the runs one after the other. Corrupt if
/// the encoding cannot become the type or the runs are not all in its buffers.
Result<std::unique_ptr<FieldRead>> MakeArrayRead(const ArrayEncoding& encoding,
                                                 ArrayRequest request);

/// The same by kind. Flat values, which may be compressed.
Result<std::unique_ptr<FieldRead>> MakeFlatRead(const ArrayEncoding& encoding,
                                                ArrayRequest request);
/// Integers of fewer bits than a word, one after the other or in blocks.
Result<std::unique_ptr<FieldRead>> MakeBitpackedRead(const ArrayEncoding& encoding,
                                                     ArrayRequest request);
/// Texts behind end offsets, of one length, or of codes.
Result<std::unique_ptr<FieldRead>> MakeBinaryRead(const ArrayEncoding& encoding,
                                                  ArrayRequest request);
Result<std::unique_ptr<FieldRead>> MakeFixedSizeBinaryRead(const ArrayEncoding& encoding,
                                                           ArrayRequest request);
Result<std::unique_ptr<FieldRead>> MakeFsstRead(const ArrayEncoding& encoding,
                                                ArrayRequest request);
/// Indices into items: kept for a dictionary type, else resolved.
Result<std::unique_ptr<FieldRead>> MakeDictionaryRead(const ArrayEncoding& encoding,
                                                      ArrayRequest request);
/// Structs whose fields stand side by side.
Result<std::unique_ptr<FieldRead>> MakePackedStructRead(const ArrayEncoding& encoding,
                                                        ArrayRequest request);

/// A null of `type` in every row. InvalidArgument if that takes more than 1 GiB, which no bytes of
/// the file stand for.
Result<std::shared_ptr<arrow::ArrayData>> MakeNulls(const std::shared_ptr<arrow::DataType>& type,
                                                    int64_t num_rows, arrow::MemoryPool* pool);

}  // namespace tusk::lance
