#include "tusk/lance/file/row_offsets.h"

#include <cstring>

namespace tusk::lance {

Result<io::ByteRange> RowOffsets::Find(RowRange rows) const {
  const uint64_t begin = At(rows.begin);
  const uint64_t end = At(rows.end);
  if (begin > end || end > data_size_) {
    return Corrupt("full-zip page of ", data_size_, " bytes puts rows ", rows.begin, " to ",
                   rows.end, " at [", begin, ", ", end, ")");
  }
  return io::ByteRange{.offset = static_cast<int64_t>(begin),
                       .length = static_cast<int64_t>(end - begin)};
}

uint64_t RowOffsets::At(int64_t i) const {
  uint64_t value = 0;
  std::memcpy(&value, bytes_->data() + i * width_, width_);
  return value;
}

Result<RowIndex> RowIndex::Of(io::ByteRange range, int64_t num_rows) {
  const int64_t width = range.length / (num_rows + 1);
  if ((width != 1 && width != 2 && width != 4 && width != 8) ||
      range.length % (num_rows + 1) != 0) {
    return Corrupt("full-zip page of ", num_rows, " rows has an index of ", range.length, " bytes");
  }
  return RowIndex{.range = range, .width = width};
}

}  // namespace tusk::lance
