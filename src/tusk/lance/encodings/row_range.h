#pragma once

#include <cstdint>

namespace tusk::lance {

/// Rows [begin, end).
struct RowRange {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t length() const { return end - begin; }
};

/// One row that is asked for and where it goes in the output.
struct TakenRow {
  int64_t row = 0;
  int64_t position = 0;
};

}  // namespace tusk::lance
