#include "tusk/lance/table/row_sizes.h"

#include <algorithm>
#include <limits>
#include <optional>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/byte_size.h>

namespace tusk::lance {
namespace {

constexpr int64_t kRowsOfNumber = 16;

/// Rows that have no more bytes together are not told apart.
constexpr int64_t kPieceBytes = 32 << 10;

/// The bytes of each value, if all have as many.
std::optional<int64_t> FixedBytes(const arrow::DataType& type) {
  if (type.id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
    const auto of_item = FixedBytes(*list.value_type());
    return of_item ? std::optional(*of_item * list.list_size()) : std::nullopt;
  }
  if (!arrow::is_fixed_width(type.id()) || type.id() == arrow::Type::DICTIONARY) {
    return std::nullopt;
  }
  return (type.bit_width() + 7) / 8;
}

template <typename Offset>
void AddLengths(const arrow::ArrayData& column, std::vector<int64_t>* sizes) {
  const auto* offsets = column.GetValues<Offset>(1);
  for (int64_t i = 0; i < column.length; ++i) (*sizes)[i] += offsets[i + 1] - offsets[i];
}

/// The bytes of each row, if no column is nested but in vectors, or a view; else nothing.
std::vector<int64_t> ExactSizes(const arrow::RecordBatch& batch) {
  std::vector<int64_t> sizes(batch.num_rows());
  int64_t fixed = 0;
  for (const auto& column : batch.columns()) {
    if (arrow::is_binary_like(column->type_id())) {
      AddLengths<int32_t>(*column->data(), &sizes);
    } else if (arrow::is_large_binary_like(column->type_id())) {
      AddLengths<int64_t>(*column->data(), &sizes);
    } else if (const auto bytes = FixedBytes(*column->type())) {
      fixed += *bytes;
    } else {
      return {};
    }
  }
  for (int64_t& size : sizes) size += fixed;
  return sizes;
}

}  // namespace

void RowSizes::Add(const arrow::RecordBatch& batch) {
  const int64_t end = num_rows_ + batch.num_rows();
  bytes_.resize((end + kRowsOfNumber - 1) / kRowsOfNumber);
  if (batch.num_rows() == 0) return;
  const std::vector<int64_t> sizes = ExactSizes(batch);
  if (sizes.empty()) AddPiece(batch, 0, batch.num_rows());
  for (size_t i = 0; i < sizes.size(); ++i) {
    AddRow(num_rows_ + static_cast<int64_t>(i), sizes[i]);
  }
  num_rows_ = end;
}

void RowSizes::AddRow(int64_t row, int64_t bytes) {
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  uint32_t& most = bytes_[row / kRowsOfNumber];
  most = std::max(most, static_cast<uint32_t>(std::min(bytes, kMost)));
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
  const int64_t of_row = (bytes + length - 1) / length;
  const int64_t first = num_rows_ + begin;
  for (int64_t row = first; row < first + length; ++row) AddRow(row, of_row);
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
