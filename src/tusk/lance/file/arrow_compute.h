#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"

namespace tusk::lance {

// Kernels of Arrow's compute library, which is initialized when the first of them is called. What
// they make is in memory of `pool`.

/// The rows of `array` with these numbers, an int64 array without nulls that is not checked.
Result<std::shared_ptr<arrow::ArrayData>> TakeRows(std::shared_ptr<arrow::ArrayData> array,
                                                   std::shared_ptr<arrow::ArrayData> rows,
                                                   arrow::MemoryPool* pool);
/// The rows for which `mask`, a boolean array without nulls, is true.
Result<std::shared_ptr<arrow::ArrayData>> KeepRows(std::shared_ptr<arrow::ArrayData> array,
                                                   std::shared_ptr<arrow::ArrayData> mask,
                                                   arrow::MemoryPool* pool);
/// The values in another type. Arrow's error if one of them does not fit it.
Result<std::shared_ptr<arrow::ArrayData>> CastTo(std::shared_ptr<arrow::ArrayData> array,
                                                 const std::shared_ptr<arrow::DataType>& type,
                                                 arrow::MemoryPool* pool);
/// The values as indices, int32, into those that differ; nulls have no index.
Result<std::shared_ptr<arrow::ArrayData>> EncodeAsDictionary(
    std::shared_ptr<arrow::ArrayData> array, arrow::MemoryPool* pool);
Result<std::shared_ptr<arrow::ArrayData>> DropNulls(std::shared_ptr<arrow::ArrayData> array,
                                                    arrow::MemoryPool* pool);

struct Bounds {
  std::shared_ptr<arrow::Scalar> least;
  std::shared_ptr<arrow::Scalar> greatest;
};
/// Of the values that are not null, at least one.
Result<Bounds> FindMinMax(const arrow::ArrayData& values, arrow::MemoryPool* pool);

}  // namespace tusk::lance
