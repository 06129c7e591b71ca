#include "tusk/testing/numbered_rows.h"

#include <algorithm>
#include <numeric>
#include <string>

#include <arrow/api.h>

namespace tusk {
namespace {

constexpr int kDimension = 4;

/// Fails the test program: the rows are literal, so it cannot happen.
void Check(const arrow::Status& status) {
  if (!status.ok()) status.Abort();
}

}  // namespace

std::shared_ptr<arrow::Schema> NumberedSchema() {
  return arrow::schema(
      {arrow::field("id", arrow::int64(), /*nullable=*/false), arrow::field("name", arrow::utf8()),
       arrow::field("flag", arrow::boolean()), arrow::field("score", arrow::float64()),
       arrow::field("vector", arrow::fixed_size_list(arrow::float32(), kDimension))});
}

std::shared_ptr<arrow::RecordBatch> NumberedRows(const std::vector<int64_t>& ids) {
  arrow::Int64Builder id_builder;
  arrow::StringBuilder names;
  arrow::BooleanBuilder flags;
  arrow::DoubleBuilder scores;
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder vectors(arrow::default_memory_pool(), values, kDimension);
  for (const int64_t id : ids) {
    Check(id_builder.Append(id));
    Check(id % 5 == 0 ? names.AppendNull() : names.Append("row " + std::to_string(id)));
    Check(id % 3 == 0 ? flags.AppendNull() : flags.Append(id % 2 == 0));
    Check(scores.Append(static_cast<double>(id) / 4));
    if (id % 7 == 0) {
      Check(vectors.AppendNull());
      continue;
    }
    Check(vectors.Append());
    for (int i = 0; i < kDimension; ++i) Check(values->Append(static_cast<float>(id + i)));
  }
  return arrow::RecordBatch::Make(
      NumberedSchema(), static_cast<int64_t>(ids.size()),
      {id_builder.Finish().ValueOrDie(), names.Finish().ValueOrDie(), flags.Finish().ValueOrDie(),
       scores.Finish().ValueOrDie(), vectors.Finish().ValueOrDie()});
}

std::shared_ptr<arrow::RecordBatch> NumberedRows(int64_t begin, int64_t end) {
  std::vector<int64_t> ids(end - begin);
  std::iota(ids.begin(), ids.end(), begin);
  return NumberedRows(ids);
}

std::shared_ptr<arrow::RecordBatchReader> NumberedReader(int64_t begin, int64_t end,
                                                         int64_t batch_rows) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (int64_t at = begin; at < end; at += batch_rows) {
    batches.push_back(NumberedRows(at, std::min(end, at + batch_rows)));
  }
  return arrow::RecordBatchReader::Make(std::move(batches), NumberedSchema()).ValueOrDie();
}

}  // namespace tusk
