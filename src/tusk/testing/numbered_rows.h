#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

namespace tusk {

/// Rows whose every value follows from the row's `id`, so that a test knows what to expect of any
/// of them: id int64 not null; name utf8, null for every 5th id; flag bool, null for every 3rd;
/// score double; vector fixed_size_list<float>[4], null for every 7th.
std::shared_ptr<arrow::Schema> NumberedSchema();

/// The rows with these ids.
std::shared_ptr<arrow::RecordBatch> NumberedRows(const std::vector<int64_t>& ids);

/// The rows with the ids [begin, end).
std::shared_ptr<arrow::RecordBatch> NumberedRows(int64_t begin, int64_t end);

/// The rows with the ids [begin, end) in batches of at most `batch_rows`.
std::shared_ptr<arrow::RecordBatchReader> NumberedReader(int64_t begin, int64_t end,
                                                         int64_t batch_rows = 1000);

}  // namespace tusk
