#include "tusk/lance/file/field_read.h"

#include <utility>

#include <arrow/array/data.h>
#include <arrow/array/util.h>

#include "tusk/lance/file/arrow_compute.h"

namespace tusk::lance {

std::vector<RowRange> RowsToRead::Runs(int64_t scale) const {
  if (!is_take()) {
    if (range.length() == 0) return {};
    return {{.begin = range.begin * scale, .end = range.end * scale}};
  }
  std::vector<RowRange> runs;
  for (const TakenRow& row : taken) {
    if (runs.empty() || row.row * scale > runs.back().end) {
      runs.push_back({.begin = row.row * scale, .end = (row.row + 1) * scale});
    } else {
      runs.back().end = (row.row + 1) * scale;
    }
  }
  return runs;
}

Result<std::shared_ptr<arrow::ArrayData>> RowsToRead::InOrderAsked(
    std::shared_ptr<arrow::ArrayData> array, arrow::MemoryPool* pool) const {
  bool is_in_order = true;
  for (size_t i = 0; is_in_order && i < taken.size(); ++i) {
    is_in_order = taken[i].position == static_cast<int64_t>(i) &&
                  (i == 0 || taken[i].row != taken[i - 1].row);
  }
  if (is_in_order) return array;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> indices,
                        arrow::AllocateBuffer(num_rows() * int64_t{sizeof(int64_t)}, pool));
  auto* to = reinterpret_cast<int64_t*>(indices->mutable_data());
  int64_t distinct = -1;
  for (size_t i = 0; i < taken.size(); ++i) {
    if (i == 0 || taken[i].row != taken[i - 1].row) ++distinct;
    to[taken[i].position] = distinct;
  }
  auto order = arrow::ArrayData::Make(arrow::int64(), num_rows(), {nullptr, indices}, 0);
  return TakeRows(std::move(array), std::move(order), pool);
}

}  // namespace tusk::lance
