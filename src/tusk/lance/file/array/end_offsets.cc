#include "tusk/lance/file/array/end_offsets.h"

#include <cstring>
#include <limits>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>

#include "tusk/lance/encodings/bits.h"

namespace tusk::lance {

Result<EndOffsets> EndOffsets::Make(int64_t num_rows, bool is_wide, arrow::MemoryPool* pool) {
  EndOffsets made;
  made.is_wide_ = is_wide;
  made.num_rows_ = num_rows;
  const int64_t width = is_wide ? sizeof(int64_t) : sizeof(int32_t);
  ARROW_ASSIGN_OR_RAISE(made.offsets_, arrow::AllocateBuffer((num_rows + 1) * width, pool));
  std::memset(made.offsets_->mutable_data(), 0, static_cast<size_t>(width));
  ARROW_ASSIGN_OR_RAISE(made.validity_, arrow::AllocateBuffer(BytesForBits(num_rows), pool));
  std::memset(made.validity_->mutable_data(), 0xFF, static_cast<size_t>(made.validity_->size()));
  return made;
}

std::vector<RowRange> EndOffsets::Needed(std::span<const RowRange> runs) {
  std::vector<RowRange> needed(runs.begin(), runs.end());
  for (RowRange& run : needed) run.begin -= run.begin > 0 ? 1 : 0;
  return needed;
}

Status EndOffsets::Add(std::span<const uint64_t> ends, std::span<const RowRange> runs,
                       const Page& page) {
  uint64_t last = 0;
  for (const RowRange& run : runs) {
    uint64_t begin = 0;
    if (run.begin > 0) {
      begin = ends[0] >= page.null_adjustment ? ends[0] - page.null_adjustment : ends[0];
      ends = ends.subspan(1);
    }
    if (begin < last) {
      return Corrupt("row ", run.begin, " begins at item ", begin, ", one before it ends at ",
                     last);
    }
    const auto rows = ends.first(static_cast<size_t>(run.length()));
    ends = ends.subspan(rows.size());
    ARROW_ASSIGN_OR_RAISE(
        last, is_wide_ ? AddRun<int64_t>(rows, begin, page) : AddRun<int32_t>(rows, begin, page));
  }
  return Status::OK();
}

template <typename Offset>
Result<uint64_t> EndOffsets::AddRun(std::span<const uint64_t> ends, uint64_t begin,
                                    const Page& page) {
  auto* offsets = reinterpret_cast<Offset*>(offsets_->mutable_data()) + added_ + 1;
  uint8_t* validity = validity_->mutable_data();
  const auto limit = static_cast<uint64_t>(page.num_items);
  uint64_t last = begin;
  for (size_t i = 0; i < ends.size(); ++i) {
    uint64_t end = ends[i];
    if (end >= page.null_adjustment) {
      end -= page.null_adjustment;
      ClearBit(validity, added_ + static_cast<int64_t>(i));
      ++null_count_;
    }
    if (end < last || end > limit) {
      return Corrupt("row of items ", last, " to ", end, " in a page of ", page.num_items);
    }
    last = end;
    // Wraps where 32 bits are too few, which is refused below.
    offsets[i] = static_cast<Offset>(static_cast<uint64_t>(total_) + (end - begin));
  }
  // Runs ascend in their pages, and all pages' items are counted in 63 bits.
  const auto count = static_cast<int64_t>(last - begin);
  total_ += count;
  added_ += static_cast<int64_t>(ends.size());
  if (total_ > std::numeric_limits<Offset>::max()) {
    return InvalidArgument(added_, " rows have ", total_,
                           " items or bytes, more than 2 Gi: read fewer rows");
  }
  if (count == 0) return last;
  const int64_t first = page.first_item + static_cast<int64_t>(begin);
  if (!items_.empty() && items_.back().end == first) {
    items_.back().end += count;
  } else {
    items_.push_back({.begin = first, .end = first + count});
  }
  return last;
}

std::shared_ptr<arrow::ArrayData> EndOffsets::Finish(std::shared_ptr<arrow::DataType> type) {
  if (null_count_ == 0) validity_ = nullptr;
  return arrow::ArrayData::Make(std::move(type), num_rows_,
                                {std::move(validity_), std::move(offsets_)}, null_count_);
}

}  // namespace tusk::lance
