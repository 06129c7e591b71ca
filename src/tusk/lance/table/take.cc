#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "tusk/lance/dataset.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/fragment_reader.h"

namespace tusk::lance {
namespace {

/// Below so many rows a take stays on the caller's thread.
constexpr size_t kRowsWorthThreads = 512;

/// The rows of one fragment, and where in the answer each goes.
struct FragmentRows {
  size_t fragment = 0;
  std::vector<int64_t> rows;
  std::vector<int64_t> positions;
};

/// Splits the positions of a take by fragment; fragments in table order, rows in the order asked.
Result<std::vector<FragmentRows>> SplitByFragment(const Dataset::State& dataset,
                                                  std::span<const int64_t> rows) {
  std::map<size_t, FragmentRows> split;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= dataset.num_rows()) {
      return InvalidArgument("cannot take row ", rows[i], ": version ", dataset.manifest.version,
                             " of ", dataset.location.path, " has rows 0 to ",
                             dataset.num_rows() - 1);
    }
    // The last fragment that begins at or before the row; empty ones begin where the next does.
    const auto after = std::ranges::upper_bound(dataset.first_rows, rows[i]);
    const size_t fragment = after - dataset.first_rows.begin() - 1;
    FragmentRows& part = split[fragment];
    part.fragment = fragment;
    part.rows.push_back(rows[i] - dataset.first_rows[fragment]);
    part.positions.push_back(static_cast<int64_t>(i));
  }
  std::vector<FragmentRows> parts;
  parts.reserve(split.size());
  for (auto& [fragment, part] : split) parts.push_back(std::move(part));
  return parts;
}

/// `table` holds the rows of `parts` one after the other; gives them the places they were asked in.
Result<std::shared_ptr<arrow::Table>> Reorder(std::shared_ptr<arrow::Table> table,
                                              const std::vector<FragmentRows>& parts,
                                              arrow::MemoryPool* pool) {
  std::vector<int64_t> order(table->num_rows());
  int64_t next = 0;
  for (const FragmentRows& part : parts) {
    for (const int64_t position : part.positions) order[position] = next++;
  }
  // Without columns there is nothing to move, and Arrow's Take would forget the number of rows.
  if (table->num_columns() == 0 || std::ranges::is_sorted(order)) return table;
  arrow::Int64Builder builder(pool);
  ARROW_RETURN_NOT_OK(builder.AppendValues(order));
  ARROW_ASSIGN_OR_RAISE(auto indices, builder.Finish());
  arrow::compute::ExecContext compute(pool);
  ARROW_ASSIGN_OR_RAISE(
      auto taken,
      arrow::compute::Take(table, indices, arrow::compute::TakeOptions::NoBoundsCheck(), &compute));
  return taken.table();
}

Result<std::shared_ptr<const Projection>> MakeOutput(const Dataset::State& dataset,
                                                     const TakeOptions& options) {
  if (!options.expressions.empty()) return Projection::Make(dataset, options.expressions);
  if (!options.columns) return dataset.all_columns;
  if (options.nested) return Projection::MakeNested(dataset, *options.columns);
  return Projection::Make(dataset, *options.columns);
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> Dataset::Take(std::span<const int64_t> rows,
                                                    const TakeOptions& options,
                                                    const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const auto projection, MakeOutput(*state_, options));
  ARROW_ASSIGN_OR_RAISE(const auto parts, SplitByFragment(*state_, rows));
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches(parts.size());
  const auto take_part = [&](int64_t i) -> Status {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const Fragment& fragment = state_->manifest.fragments[parts[i].fragment];
    ARROW_ASSIGN_OR_RAISE(const FragmentReader reader,
                          FragmentReader::Open(*state_, fragment, projection, context));
    ARROW_ASSIGN_OR_RAISE(batches[i], reader.Take(parts[i].rows, context));
    return Status::OK();
  };
  if (rows.size() < kRowsWorthThreads) {
    for (int64_t i = 0; i < std::ssize(parts); ++i) ARROW_RETURN_NOT_OK(take_part(i));
  } else {
    ARROW_RETURN_NOT_OK(
        context.executor->ParallelFor(std::ssize(parts), take_part, context.stop, nullptr));
  }
  ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches(projection->schema, batches));
  return Reorder(std::move(table), parts, context.pool);
}

}  // namespace tusk::lance
