#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

namespace tusk::lance {

/// About how many bytes each row of a stream has, in two bits a row: so that rows which are taken
/// later are taken in pieces that fit into memory. Rows of 32 KiB and more count as what they have,
/// smaller ones as the mean of those beside them.
class RowSizes {
 public:
  /// Adds the rows of the next batch.
  void Add(const arrow::RecordBatch& batch);
  /// How many of the rows with these numbers, from the first on, have no more than `bytes`
  /// together; at least one, unless there are none.
  int64_t CountWithin(std::span<const int64_t> rows, int64_t bytes) const;

 private:
  void AddPiece(const arrow::RecordBatch& batch, int64_t begin, int64_t length);

  int64_t num_rows_ = 0;
  std::vector<uint32_t> bytes_;  ///< of the largest of every 16 rows
};

}  // namespace tusk::lance
