#pragma once

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/filter.h"
#include "tusk/lance/file/annex.h"

namespace tusk::lance {

/// Puts the least and the greatest of `values` into `summary`, if their type has an order: plain
/// numbers, booleans, decimals, times, texts and bytes; the latter two are cut to 64 bytes, and the
/// greatest is then rounded up, by which a text may grow by one. Nothing if all are null, or if
/// there is a NaN among them. Numbers are stored as Arrow has them, little-endian; booleans in a
/// byte. Source: docs/format/lance_file.md, "Annex".
Status FindBounds(const arrow::ArrayData& values, arrow::MemoryPool* pool, PageSummary* summary);

/// What a summary says of a page of `num_rows` values of `type`. Corrupt if a bound cannot be one
/// of them, or there are more nulls than values.
Result<expr::ColumnRange> RangeOf(const PageSummary& summary, int64_t num_rows,
                                  const std::shared_ptr<arrow::DataType>& type);

/// What is known of values of `type` that are stored as whole numbers below 2^`bits`, without
/// nulls.
Result<expr::ColumnRange> RangeOfBits(int bits, const std::shared_ptr<arrow::DataType>& type);

}  // namespace tusk::lance
