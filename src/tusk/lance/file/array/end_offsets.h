#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/row_range.h"

namespace tusk::lance {

/// Offsets of lists or texts in Arrow memory, made of what data version 2.0 stores: for each row
/// where its items end, so that row i begins where row i - 1 ends and the first one at 0. The end
/// of a null row is moved up by the null adjustment, which is more than any end.
/// Source: docs/format/lance_file_2_0.md, "Ends".
class EndOffsets {
 public:
  /// Of `num_rows` rows with offsets of 64 bits if `is_wide`, else 32.
  static Result<EndOffsets> Make(int64_t num_rows, bool is_wide, arrow::MemoryPool* pool);
  /// The ends that must be known for `runs` of rows: also the one before each.
  static std::vector<RowRange> Needed(std::span<const RowRange> runs);

  /// Ends of a page that has `num_items` items, of which the first is number `first_item`.
  struct Page {
    uint64_t null_adjustment = 0;
    int64_t num_items = 0;
    int64_t first_item = 0;
  };
  /// Adds rows: `ends` has those of Needed(runs). Corrupt if they do not ascend or are beyond the
  /// page's items; InvalidArgument if offsets of 32 bits cannot count the items.
  Status Add(std::span<const uint64_t> ends, std::span<const RowRange> runs, const Page& page);

  /// The items of all rows: ascending runs that do not touch.
  const std::vector<RowRange>& items() const { return items_; }
  int64_t num_items() const { return total_; }
  /// An array of `type` with the rows that were added, all of them: validity, offsets.
  std::shared_ptr<arrow::ArrayData> Finish(std::shared_ptr<arrow::DataType> type);

 private:
  EndOffsets() = default;

  /// Adds rows that follow an end at `begin`; answers the last end.
  template <typename Offset>
  Result<uint64_t> AddRun(std::span<const uint64_t> ends, uint64_t begin, const Page& page);

  bool is_wide_ = false;
  int64_t num_rows_ = 0;
  int64_t added_ = 0;
  int64_t total_ = 0;
  int64_t null_count_ = 0;
  std::shared_ptr<arrow::Buffer> offsets_;
  std::shared_ptr<arrow::Buffer> validity_;  ///< all set but for nulls
  std::vector<RowRange> items_;
};

}  // namespace tusk::lance
