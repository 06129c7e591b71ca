#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/io/direct_read.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/file/page.h"

namespace tusk::lance {

/// Rows of a page on their way from the file right to their places in an output, without a copy
/// between.
class PlacedRows {
 public:
  /// Appends what to read for the request, and where to: in `out` or in what the answer holds.
  /// Nothing if the page's Plan and Decode are needed, or are no more work.
  static Result<std::optional<PlacedRows>> Plan(const Page& page, const PageRequest& request,
                                                ColumnOutput* out,
                                                std::vector<io::ReadTarget>* targets);
  /// When all that was planned is read: what is left to do.
  Status Finish(ColumnOutput* out) const;

 private:
  PlacedRows(const Page* page, StoredRows stored, const PageRequest& request);
  Status PlanTake(ColumnOutput* out, std::vector<io::ReadTarget>* targets);

  const Page* page_;
  StoredRows stored_;
  PageRequest request_;
  std::shared_ptr<arrow::Buffer> prefixes_;  ///< of the rows of a take, each once
};

}  // namespace tusk::lance
