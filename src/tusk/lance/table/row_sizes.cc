#include "tusk/lance/table/row_sizes.h"

#include <algorithm>
#include <limits>

#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

namespace tusk::lance {
namespace {

constexpr int64_t kRowsOfNumber = 16;

/// Rows that have no more bytes together are not told apart.
constexpr int64_t kPieceBytes = 32 << 10;

}  // namespace

void RowSizes::Add(const arrow::RecordBatch& batch) {
  const int64_t end = num_rows_ + batch.num_rows();
  bytes_.resize((end + kRowsOfNumber - 1) / kRowsOfNumber);
  AddPiece(batch, 0, batch.num_rows());
  num_rows_ = end;
}

void RowSizes::AddPiece(const arrow::RecordBatch& batch, int64_t begin, int64_t length) {
  if (length == 0) return;
  const auto piece = batch.Slice(begin, length);
  const int64_t bytes =
      arrow::util::ReferencedBufferSize(*piece).ValueOr(arrow::util::TotalBufferSize(*piece));
  if (length > 1 && bytes > kPieceBytes) {
    AddPiece(batch, begin, length / 2);
    AddPiece(batch, begin + length / 2, length - length / 2);
    return;
  }
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  const auto of_row = static_cast<uint32_t>(std::min((bytes + length - 1) / length, kMost));
  const int64_t first = num_rows_ + begin;
  for (int64_t i = first / kRowsOfNumber; i <= (first + length - 1) / kRowsOfNumber; ++i) {
    bytes_[i] = std::max(bytes_[i], of_row);
  }
}

int64_t RowSizes::CountWithin(std::span<const int64_t> rows, int64_t bytes) const {
  int64_t sum = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    sum += bytes_[rows[i] / kRowsOfNumber];
    if (sum > bytes && i > 0) return static_cast<int64_t>(i);
  }
  return std::ssize(rows);
}

}  // namespace tusk::lance
