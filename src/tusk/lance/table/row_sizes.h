#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

namespace tusk::lance {

/// About how many bytes each row of a stream has, in two bits a row: so that rows which are taken
/// later are taken in pieces that fit into memory. With lists or structs, rows of less than 32 KiB
/// count as the mean of those beside them.
class RowSizes {
 public:
  /// Adds the rows of the next batch.
  void Add(const arrow::RecordBatch& batch);
  /// How many of the rows with these numbers, from the first on, have no more than `bytes`
  /// together; at least one, unless there are none.
  int64_t CountWithin(std::span<const int64_t> rows, int64_t bytes) const;

 private:
  void AddRow(int64_t row, int64_t bytes);
  void AddPiece(const arrow::RecordBatch& batch, int64_t begin, int64_t length);

  int64_t num_rows_ = 0;
  std::vector<uint32_t> bytes_;  ///< of the largest of every 16 rows
};

}  // namespace tusk::lance
