#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <arrow/buffer.h>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/file/page.h"

namespace tusk::lance {

/// Where the rows of a page begin, as they stand in the file: one entry more than there are rows.
class RowOffsets final : public PageIndex {
 public:
  RowOffsets(std::shared_ptr<arrow::Buffer> bytes, int64_t width, uint64_t data_size)
      : bytes_(std::move(bytes)), width_(width), data_size_(data_size) {}

  /// Where `rows` lie. Corrupt if that is not inside the data.
  Result<io::ByteRange> Find(RowRange rows) const;
  /// Whether `row` begins so many bytes into the data.
  bool PutsAt(int64_t row, int64_t offset) const {
    return At(row) == static_cast<uint64_t>(offset);
  }

 private:
  uint64_t At(int64_t i) const;

  std::shared_ptr<arrow::Buffer> bytes_;
  int64_t width_;
  uint64_t data_size_;
};

/// Where the index of a page is, and how wide its entries are.
struct RowIndex {
  io::ByteRange range;
  int64_t width = 0;

  /// Corrupt if `range` is not one of rows + 1 entries.
  static Result<RowIndex> Of(io::ByteRange range, int64_t num_rows);
};

}  // namespace tusk::lance
