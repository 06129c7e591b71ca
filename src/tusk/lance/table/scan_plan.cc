#include "tusk/lance/table/scan_plan.h"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/type.h>

#include "tusk/lance/file/field_path.h"

namespace tusk::lance {
namespace {

/// Sets `output`, and `computed` where an expression is more than a path.
Status SetOutput(const Dataset::State& dataset, const ScanOptions& options,
                 const OperationContext& context, ScanPlan* plan) {
  std::vector<std::string_view> system;
  if (options.with_row_id) system.push_back(kRowIdColumn);
  if (options.with_row_address) system.push_back(kRowAddressColumn);
  if (!options.expressions.empty()) {
    std::vector<NamedExpression> expressions = options.expressions;
    for (const std::string_view name : system) {
      // What has the name already takes its place, which is the last.
      const auto named = std::ranges::find(expressions, name, &NamedExpression::name);
      if (named != expressions.end()) {
        std::rotate(named, named + 1, expressions.end());
      } else {
        expressions.push_back({.name = std::string(name), .expression = std::string(name)});
      }
    }
    if (ArePaths(dataset, expressions)) {
      ARROW_ASSIGN_OR_RAISE(plan->output, Projection::Make(dataset, expressions));
      return Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(plan->computed, ComputedColumns::Make(dataset, expressions, context));
    plan->output = plan->computed->read();
    return Status::OK();
  }
  if (!options.columns && system.empty()) {
    plan->output = dataset.all_columns;
    return Status::OK();
  }
  std::vector<std::string> names = options.columns.value_or(dataset.schema->field_names());
  for (const std::string_view name : system) {
    // Wherever it was named, what is appended comes last.
    std::erase(names, name);
    names.emplace_back(name);
  }
  ARROW_ASSIGN_OR_RAISE(plan->output, Projection::Make(dataset, names));
  return Status::OK();
}

class FilterTest final : public RowTest {
 public:
  explicit FilterTest(std::shared_ptr<const expr::Filter::Bound> filter)
      : filter_(std::move(filter)) {}

  Result<std::shared_ptr<arrow::BooleanArray>> Judge(
      const arrow::RecordBatch& batch, const OperationContext& context) const override {
    return filter_->Judge(batch, context);
  }
  Result<bool> MayMatch(const std::map<std::string, expr::ColumnRange>& ranges) const override {
    return filter_->MayMatch(ranges);
  }

 private:
  std::shared_ptr<const expr::Filter::Bound> filter_;
};

/// The paths of the leaves of `field`, which `names` lead to.
void AppendLeafPaths(const Field& field, std::vector<std::string>* names,
                     std::vector<std::string>* paths) {
  if (field.children.empty() || field.is_blob() || field.logical_type == "map") {
    paths->push_back(FormatFieldPath(*names));
    return;
  }
  for (const Field& child : field.children) {
    names->push_back(child.name);
    AppendLeafPaths(child, names, paths);
    names->pop_back();
  }
}

/// The paths of what of `output` is read before the filter has judged.
Result<std::vector<std::string>> FindEarlyPaths(const Dataset::State& dataset,
                                                const ScanOptions& options,
                                                const Projection& output) {
  std::vector<std::string> paths;
  if (!options.late_columns) return paths;
  ARROW_ASSIGN_OR_RAISE(const auto late, Projection::MakeNested(dataset, *options.late_columns));
  for (const Projection::Column& column : output.columns) {
    if (column.kind != Projection::Kind::kField || late->Find(output, column)) continue;
    const Field* field = &output.sources[column.source].field;
    std::vector<std::string> names = {field->name};
    for (const int child : column.path) {
      field = &field->children[child];
      names.push_back(field->name);
    }
    AppendLeafPaths(*field, &names, &paths);
  }
  return paths;
}

/// What the filter reads, parts of columns inside of them, and then what the `early` paths name.
Result<std::shared_ptr<const Projection>> MakeFilterColumns(const Dataset::State& dataset,
                                                            const expr::Filter& filter,
                                                            std::span<const std::string> early) {
  ARROW_ASSIGN_OR_RAISE(const auto paths, filter.Paths(NameableColumns(dataset)));
  std::vector<std::string> texts;
  texts.reserve(paths.size() + early.size());
  for (const std::vector<std::string>& path : paths) texts.push_back(FormatFieldPath(path));
  texts.insert(texts.end(), early.begin(), early.end());
  auto columns = Projection::MakeNested(dataset, texts);
  if (columns.ok()) return columns;
  return InvalidArgument("the filter ", filter.ToString(),
                         " cannot be applied: ", columns.status().message());
}

/// Puts the columns of `output` that the test does not read into `plan`.
void SplitOutput(ScanPlan* plan) {
  Projection rest;
  arrow::FieldVector fields;
  std::map<size_t, size_t> sources;
  for (size_t i = 0; i < plan->output->columns.size(); ++i) {
    Projection::Column column = plan->output->columns[i];
    plan->places.push_back(plan->test_columns->Find(*plan->output, column));
    if (plan->places.back()) continue;
    if (column.kind == Projection::Kind::kField) {
      const auto [found, is_new] = sources.emplace(column.source, rest.sources.size());
      if (is_new) rest.sources.push_back(plan->output->sources[column.source]);
      column.source = found->second;
    }
    rest.columns.push_back(std::move(column));
    fields.push_back(plan->output->schema->field(static_cast<int>(i)));
  }
  rest.schema = arrow::schema(std::move(fields));
  plan->rest = std::make_shared<const Projection>(std::move(rest));
}

/// The fragments to read.
Result<std::vector<const Fragment*>> FindFragments(const Dataset::State& dataset,
                                                   const ScanOptions& options) {
  const std::vector<Fragment>& all = dataset.manifest.fragments;
  std::vector<const Fragment*> found;
  if (!options.fragments) {
    for (const Fragment& fragment : all) found.push_back(&fragment);
    return found;
  }
  for (const uint64_t id : *options.fragments) {
    const auto fragment = std::ranges::lower_bound(all, id, {}, &Fragment::id);
    if (fragment == all.end() || fragment->id != id) {
      return NotFound(dataset.location.path, ": version ", dataset.manifest.version,
                      " has no fragment ", id);
    }
    found.push_back(&*fragment);
  }
  return found;
}

/// Rows of a fragment as a scan counts them.
int64_t CountRows(const Dataset::State& dataset, const Fragment& fragment, bool include_deleted) {
  if (include_deleted) return fragment.physical_rows;
  const auto i = static_cast<size_t>(&fragment - dataset.manifest.fragments.data());
  return dataset.first_rows[i + 1] - dataset.first_rows[i];
}

}  // namespace

Result<ScanPlan> ScanPlan::Make(std::shared_ptr<const Dataset::State> dataset,
                                const ScanOptions& options, const OperationContext& context) {
  ScanPlan plan;
  plan.include_deleted = options.include_deleted_rows;
  plan.use_statistics = options.use_statistics;
  plan.statistics = options.statistics;
  if (plan.statistics == nullptr) plan.statistics = std::make_shared<ScanStatistics>();
  ARROW_ASSIGN_OR_RAISE(plan.fragments, FindFragments(*dataset, options));
  plan.first_rows = {0};
  for (const Fragment* fragment : plan.fragments) {
    plan.first_rows.push_back(plan.first_rows.back() +
                              CountRows(*dataset, *fragment, plan.include_deleted));
  }
  ARROW_RETURN_NOT_OK(SetOutput(*dataset, options, context, &plan));
  const auto is_row_id = [](const Projection::Column& column) {
    return column.kind == Projection::Kind::kRowId;
  };
  if (plan.include_deleted && std::ranges::none_of(plan.output->columns, is_row_id)) {
    return InvalidArgument(
        "scan with deleted rows, but without row ids: ask for _rowid, which is null for these");
  }
  ARROW_ASSIGN_OR_RAISE(const auto early, FindEarlyPaths(*dataset, options, *plan.output));
  if (options.filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto columns, MakeFilterColumns(*dataset, *options.filter, early));
    ARROW_ASSIGN_OR_RAISE(auto filter, options.filter->Bind(*columns->schema, context));
    plan.SetTest(std::make_shared<FilterTest>(std::move(filter)), std::move(columns));
  }
  plan.dataset = std::move(dataset);
  return plan;
}

void ScanPlan::SetTest(std::shared_ptr<const RowTest> row_test,
                       std::shared_ptr<const Projection> columns) {
  test = std::move(row_test);
  test_columns = std::move(columns);
  SplitOutput(this);
}

int64_t ScanPlan::StoredRowBytes() const {
  uint64_t stored = 0;
  for (const Fragment* fragment : fragments) {
    // Sizes are what the manifest claims; wrapping around makes a bad guess and nothing worse.
    for (const DataFile& file : fragment->files) stored += file.size_bytes;
  }
  const auto rows = static_cast<uint64_t>(std::max<int64_t>(1, num_rows()));
  return static_cast<int64_t>((stored >> 1) / rows * 2);
}

size_t ScanPlan::FindFragment(int64_t row) const {
  // The last that begins at or before the row; empty ones begin where the next does.
  return std::ranges::upper_bound(first_rows, row) - first_rows.begin() - 1;
}

}  // namespace tusk::lance
