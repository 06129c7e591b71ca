#include "tusk/lance/nearest.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "tusk/lance/index/vector/flat_search.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/fragment_reader.h"

namespace tusk::lance {
namespace {

constexpr std::string_view kDistanceColumn = "_distance";

/// Small enough that a batch per thread is no burden, large enough that reading is in long runs.
constexpr int64_t kBatchBytes = int64_t{8} << 20;

Status CheckOptions(const arrow::Schema& schema, const NearestOptions& options) {
  const auto field = schema.GetFieldByName(options.column);
  if (field == nullptr) {
    return NotFound("no vector column '", options.column, "': the table has ", schema.ToString());
  }
  ARROW_RETURN_NOT_OK(WithContext(CheckVectorType(*field->type(), std::ssize(options.query)),
                                  "column '" + options.column + "'"));
  if (options.k < 1) return InvalidArgument("k is ", options.k, ": at least 1 is needed");
  if (std::ranges::any_of(options.query, [](float value) { return std::isnan(value); })) {
    return InvalidArgument("the query vector has a NaN: nothing is near it");
  }
  if (schema.GetFieldByName(std::string(kDistanceColumn)) != nullptr) {
    return InvalidArgument("the table has a column '", kDistanceColumn,
                           "' of its own: a search cannot add one of that name");
  }
  return Status::OK();
}

/// The columns of the answer; `_distance` is in its place or behind the others.
std::vector<std::string> OutputColumns(const arrow::Schema& schema, const NearestOptions& options) {
  std::vector<std::string> names = options.columns.value_or(schema.field_names());
  if (std::ranges::find(names, kDistanceColumn) == names.end()) names.emplace_back(kDistanceColumn);
  return names;
}

/// Searches one batch of (vector, address).
Status SearchBatch(Metric metric, const NearestOptions& options, const arrow::RecordBatch& batch,
                   NearestRows* nearest) {
  const auto addresses = batch.GetColumnByName(std::string(kRowAddressColumn));
  const auto& values = static_cast<const arrow::UInt64Array&>(*addresses);
  return SearchFlat(metric, options.query, *batch.GetColumnByName(options.column),
                    {values.raw_values(), static_cast<size_t>(values.length())}, nearest);
}

/// The k nearest rows by address. Reads a batch per thread, then each thread searches one; every
/// thread keeps its own nearest, which are put together in the end.
Result<std::vector<Neighbor>> SearchAll(const Dataset& dataset, Metric metric,
                                        const NearestOptions& options,
                                        const OperationContext& context) {
  ScanOptions scan;
  scan.columns = {options.column};
  scan.filter = options.filter;
  scan.with_row_address = true;
  scan.batch_bytes = kBatchBytes;
  ARROW_ASSIGN_OR_RAISE(const auto reader, dataset.Scan(scan, context));
  std::vector<NearestRows> nearest(context.executor->parallelism(), NearestRows(options.k));
  while (true) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    while (batches.size() < nearest.size()) {
      ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
      if (batch == nullptr) break;
      batches.push_back(std::move(batch));
    }
    if (batches.empty()) break;
    ARROW_RETURN_NOT_OK(context.executor->ParallelFor(
        std::ssize(batches),
        [&](int64_t i) { return SearchBatch(metric, options, *batches[i], &nearest[i]); },
        context.stop, /*while_waiting=*/nullptr));
  }
  NearestRows all(options.k);
  for (const NearestRows& part : nearest) {
    for (const Neighbor& neighbor : part.Sorted()) all.Add(neighbor);
  }
  return all.Sorted();
}

/// The positions in scan order of rows known by address: the fragment's id in the upper half, the
/// offset within it, which deleted rows count for, in the lower.
Result<std::vector<int64_t>> FindPositions(const Dataset::State& state,
                                           const std::vector<Neighbor>& neighbors,
                                           const OperationContext& context) {
  const std::vector<Fragment>& fragments = state.manifest.fragments;
  std::unordered_map<uint64_t, size_t> index_of;
  for (size_t i = 0; i < fragments.size(); ++i) index_of.emplace(fragments[i].id, i);
  std::vector<int64_t> positions;
  positions.reserve(neighbors.size());
  for (const Neighbor& neighbor : neighbors) {
    const size_t index = index_of.at(neighbor.row >> 32);
    const auto offset = static_cast<int64_t>(neighbor.row & 0xFFFFFFFF);
    ARROW_ASSIGN_OR_RAISE(const auto deleted, state.FindDeletedRows(fragments[index], context));
    const int64_t row = deleted == nullptr ? offset : deleted->RowOf(offset);
    positions.push_back(state.first_rows[index] + row);
  }
  return positions;
}

Result<std::shared_ptr<arrow::ChunkedArray>> Distances(const std::vector<Neighbor>& neighbors,
                                                       const OperationContext& context) {
  arrow::FloatBuilder builder(context.pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(std::ssize(neighbors)));
  for (const Neighbor& neighbor : neighbors) builder.UnsafeAppend(neighbor.distance);
  ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
  return std::make_shared<arrow::ChunkedArray>(std::move(array));
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> FindNearest(const Dataset& dataset,
                                                  const NearestOptions& options,
                                                  const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckOptions(*dataset.schema(), options));
  ARROW_ASSIGN_OR_RAISE(const Metric metric, ParseMetric(options.metric));
  std::vector<std::string> columns = OutputColumns(*dataset.schema(), options);
  const auto place = std::ranges::find(columns, kDistanceColumn);
  const auto distance_place = static_cast<int>(place - columns.begin());
  columns.erase(place);
  // Of no rows: a wrong name is told before the table is read.
  ARROW_RETURN_NOT_OK(dataset.Take({}, {.columns = columns}, context));

  ARROW_ASSIGN_OR_RAISE(const auto neighbors, SearchAll(dataset, metric, options, context));
  ARROW_ASSIGN_OR_RAISE(auto distances, Distances(neighbors, context));
  auto distance_field = arrow::field(std::string(kDistanceColumn), arrow::float32());
  if (columns.empty()) {
    return arrow::Table::Make(
        arrow::schema({std::move(distance_field)}, dataset.schema()->metadata()),
        {std::move(distances)});
  }
  ARROW_ASSIGN_OR_RAISE(const auto positions, FindPositions(dataset.state(), neighbors, context));
  ARROW_ASSIGN_OR_RAISE(auto table, dataset.Take(positions, {.columns = columns}, context));
  return table->AddColumn(distance_place, std::move(distance_field), std::move(distances));
}

}  // namespace tusk::lance
