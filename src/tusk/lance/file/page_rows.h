#pragma once

#include <cstddef>
#include <cstdint>

#include "tusk/base/result.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/file/page.h"

namespace tusk::lance {

/// Calls `visit(row, position)` for every row of the request within `rows` (of the page), from
/// `*next_taken` on.
template <typename Visit>
Status VisitRows(const PageRequest& request, RowRange rows, size_t* next_taken, Visit visit) {
  if (!request.is_take()) {
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      ARROW_RETURN_NOT_OK(visit(row, request.position + row - request.rows.begin));
    }
    return Status::OK();
  }
  for (; *next_taken < request.taken.size(); ++*next_taken) {
    const TakenRow& taken = request.taken[*next_taken];
    if (taken.row - request.first_row >= rows.end) break;
    ARROW_RETURN_NOT_OK(visit(taken.row - request.first_row, taken.position));
  }
  return Status::OK();
}

/// Calls `add(rows)` for each run of neighbouring rows that the request asks for.
template <typename Add>
Status VisitRuns(const PageRequest& request, Add add) {
  if (!request.is_take()) return add(request.rows);
  RowRange run{.begin = request.taken.front().row - request.first_row};
  run.end = run.begin + 1;
  for (const TakenRow& taken : request.taken) {
    const int64_t row = taken.row - request.first_row;
    if (row > run.end) {
      ARROW_RETURN_NOT_OK(add(run));
      run.begin = row;
    }
    run.end = row + 1;
  }
  return add(run);
}

}  // namespace tusk::lance
