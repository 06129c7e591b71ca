#include "tusk/lance/table/order_keys.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include <arrow/type.h>

#include "tusk/lance/file/batch_stream.h"

namespace tusk::lance {
namespace {

/// Of fewer rows than one in so many the rest is taken.
constexpr int64_t kFewRows = 16;
/// Or if all rows together have more bytes.
constexpr int64_t kMostBytes = 256 << 20;
/// Addresses that are given together.
constexpr int64_t kAddressesAtOnce = 1 << 20;

bool TakesRest(const ScanPlan& plan, const ScanOptions& options) {
  const arrow::Schema& columns = *plan.output->schema;
  const bool has_rest = std::ranges::any_of(columns.fields(), [&](const auto& field) {
    return std::ranges::find(options.order_by, field->name(), &Ordering::column) ==
           options.order_by.end();
  });
  // Rows that were deleted have no address; a column of the table may hide it.
  if (!has_rest || plan.include_deleted ||
      plan.dataset->schema->GetFieldIndex(std::string(kRowAddressColumn)) >= 0) {
    return false;
  }
  const int64_t rows = plan.num_rows();
  const int64_t limit = options.limit.value_or(rows);
  // Without sums of what a caller gave, which could wrap.
  if (limit <= rows / kFewRows && options.offset <= rows / kFewRows - limit) return true;
  return GuessRowSize(columns, plan.StoredRowBytes()).bytes >
         kMostBytes / std::max<int64_t>(1, rows);
}

/// Adds the columns by which rows are ordered to what `scan` gives, and their names to `keys`.
void AddKeys(const std::vector<Ordering>& order_by, bool as_expressions, ScanOptions* scan,
             std::vector<std::string>* keys) {
  for (const Ordering& key : order_by) {
    if (as_expressions) {
      // No column has such a name.
      const std::string name = std::string("\0", 1) + std::to_string(keys->size());
      scan->expressions.push_back({.name = name, .expression = key.column});
      keys->push_back(name);
      continue;
    }
    keys->push_back(key.column);
    if (std::ranges::find(*scan->columns, key.column) == scan->columns->end()) {
      scan->columns->push_back(key.column);
    }
  }
}

}  // namespace

OrderedScan PlanOrderedScan(const ScanPlan& plan, const ScanOptions& options) {
  OrderedScan result;
  result.takes_rest = TakesRest(plan, options);
  result.order = {.columns = plan.schema(),
                  .by = {},
                  .offset = options.offset,
                  .limit = options.limit,
                  .batch_rows = options.batch_rows};
  ScanOptions& rows = result.rows;
  rows = options;
  rows.order_by.clear();
  rows.limit.reset();
  rows.offset = 0;
  rows.all_at_once = true;
  const bool as_expressions = !options.expressions.empty();
  if (result.takes_rest) {
    const std::string address(kRowAddressColumn);
    result.order.columns = arrow::schema({arrow::field(address, arrow::uint64())});
    result.order.batch_rows = kAddressesAtOnce;
    rows.columns.reset();
    rows.expressions.clear();
    rows.with_row_id = rows.with_row_address = false;
    if (as_expressions) {
      rows.expressions.push_back({.name = address, .expression = address});
    } else {
      rows.columns = {address};
    }
  } else if (!as_expressions && !rows.columns) {
    rows.columns = plan.dataset->schema->field_names();
  }
  std::vector<std::string> keys;
  AddKeys(options.order_by, as_expressions, &rows, &keys);
  for (size_t i = 0; i < keys.size(); ++i) {
    result.order.by.push_back({.column = keys[i],
                               .ascending = options.order_by[i].ascending,
                               .nulls_first = options.order_by[i].nulls_first});
  }
  return result;
}

}  // namespace tusk::lance
