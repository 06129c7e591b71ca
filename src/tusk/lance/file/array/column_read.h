#pragma once

#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/array/array_column.h"
#include "tusk/lance/file/array/array_read.h"
#include "tusk/lance/file/field_read.h"

namespace tusk::lance {

/// A read of a column of values: rows of all its pages. The result has the rows of the runs one
/// after the other. Corrupt if the column has fewer rows.
Result<std::unique_ptr<FieldRead>> MakeColumnRead(const ArrayColumn& column, ArrayRequest request);

/// The bytes that a column of blobs describes, as texts.
Result<std::unique_ptr<FieldRead>> MakeBlobRead(const ArrayColumn& column, ArrayRequest request);

/// A run of rows within one page.
struct PageRuns {
  const ArrayColumn::Page* page;
  std::vector<RowRange> runs;  ///< from the page's first row on
};
/// The parts that the pages have of `runs`. Corrupt if the column has fewer rows.
Result<std::vector<PageRuns>> SplitByPage(const ArrayColumn& column,
                                          const std::vector<RowRange>& runs);

/// `status` with the page's number before its message.
Status AtPage(const Status& status, const ArrayColumn::Page& page);

}  // namespace tusk::lance
