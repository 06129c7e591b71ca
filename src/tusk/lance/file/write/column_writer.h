#pragma once

#include <cstdint>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/file/write/leaf_path.h"
#include "tusk/lance/file/write/page_encoder.h"

namespace tusk::lance {

/// Rows of a column that become one page.
struct PageRows {
  std::vector<LeafRows> pieces;  ///< at least one
  int64_t num_rows = 0;
  int64_t bytes = 0;          ///< of Arrow memory
  bool is_only_page = false;  ///< of the column
};

/// Gathers the rows of one column until they are enough for a page.
class ColumnWriter {
 public:
  /// Once more than `page_bytes` of Arrow memory have been gathered, all of it becomes pages: one
  /// if that is no more than half as much again, else of `page_bytes` at most. Values that are
  /// pages as they stand, wide vectors, get four times as much. No page is cut beyond
  /// `max_page_bytes`.
  ColumnWriter(LeafPath path, PageFormat format, int64_t page_bytes, int64_t max_page_bytes,
               arrow::MemoryPool* pool);

  /// Takes all rows of `array`, of the top-level field, and appends the pages that became whole to
  /// `pages`. They may hold on to `array`; what is left for the next page does so until the next
  /// call, so that of a caller's batches one at most is kept alive. Errors of LeafPath::Take.
  Status Append(const arrow::ArrayData& array, std::vector<PageRows>* pages);
  /// Appends what is left; the rows have come to an end.
  void Finish(std::vector<PageRows>* pages);

  /// Encodes a page and sums it up; called by several threads at once. It keeps what it borrows.
  Result<EncodedPage> Encode(PageRows rows, const OperationContext& context) const;
  /// The rows of a page that is not encoded, as those of blobs.
  static Result<LeafRows> Join(PageRows rows, arrow::MemoryPool* pool);

  const LeafPath& path() const { return path_; }
  const PageFormat& format() const { return format_; }

 private:
  /// How many of the first of `rows`, at least one, fit in `bytes`.
  int64_t RowsThatFit(const arrow::ArrayData& array, RowRange rows, int64_t bytes) const;
  /// Appends the rows so far as a page.
  void Cut(std::vector<PageRows>* pages);
  /// What is known of the values of a page; not its checksum.
  Status Summarize(const PageSlots& slots, const arrow::ArrayData& values, arrow::MemoryPool* pool,
                   PageSummary* summary) const;
  /// Copies what is left of the last call's array into memory of our own.
  Status OwnPending();

  const LeafPath path_;
  const PageFormat format_;
  const int64_t page_bytes_;
  int64_t single_page_bytes_;  ///< if all that was gathered becomes one page
  int64_t most_bytes_;         ///< of a page of several
  arrow::MemoryPool* pool_;
  PageRows pending_;
  bool borrows_ = false;  ///< the last piece that is pending
  bool has_page_ = false;
};

}  // namespace tusk::lance
