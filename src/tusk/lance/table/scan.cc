#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_run_reader.h>
#include <arrow/util/byte_size.h>

#include "tusk/expr/filter.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/file/batch_stream.h"
#include "tusk/lance/file/field_path.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/fragment_reader.h"

namespace tusk::lance {
namespace {

/// What a scan reads, put together once and then shared by its threads.
struct ScanPlan {
  std::shared_ptr<const Dataset::State> dataset;
  std::shared_ptr<const Projection> output;
  std::shared_ptr<const expr::Filter::Bound> filter;  ///< may be null
  std::shared_ptr<const Projection> filter_columns;   ///< what the filter reads
  std::shared_ptr<const Projection> rest;             ///< what of `output` the filter does not read
  /// Of each output column: where in the filter's batch it is; if not there, it is the next of
  /// `rest`.
  std::vector<std::optional<Projection::Place>> places;
};

Result<std::shared_ptr<const Projection>> MakeOutput(const Dataset::State& dataset,
                                                     const ScanOptions& options) {
  std::vector<std::string_view> system;
  if (options.with_row_id) system.push_back(kRowIdColumn);
  if (options.with_row_address) system.push_back(kRowAddressColumn);
  if (!options.expressions.empty()) {
    std::vector<NamedExpression> expressions = options.expressions;
    for (const std::string_view name : system) {
      if (std::ranges::find(expressions, name, &NamedExpression::name) != expressions.end()) {
        continue;
      }
      expressions.push_back({.name = std::string(name), .expression = std::string(name)});
    }
    return Projection::Make(dataset, expressions);
  }
  if (!options.columns && system.empty()) return dataset.all_columns;
  std::vector<std::string> names = options.columns.value_or(dataset.schema->field_names());
  for (const std::string_view name : system) {
    // Wherever it was named, what is appended comes last.
    std::erase(names, name);
    names.emplace_back(name);
  }
  return Projection::Make(dataset, names);
}

/// What the filter reads, parts of columns inside of them.
Result<std::shared_ptr<const Projection>> MakeFilterColumns(const Dataset::State& dataset,
                                                            const expr::Filter& filter) {
  ARROW_ASSIGN_OR_RAISE(const auto paths, filter.Paths());
  std::vector<std::string> texts;
  texts.reserve(paths.size());
  for (const std::vector<std::string>& path : paths) texts.push_back(FormatFieldPath(path));
  auto columns = Projection::MakeNested(dataset, texts);
  if (columns.ok()) return columns;
  return InvalidArgument("the filter ", filter.ToString(),
                         " cannot be applied: ", columns.status().message());
}

/// Puts the columns of `output` that the filter does not read into `plan`.
void SplitOutput(ScanPlan* plan) {
  Projection rest;
  arrow::FieldVector fields;
  std::map<size_t, size_t> sources;
  for (size_t i = 0; i < plan->output->columns.size(); ++i) {
    Projection::Column column = plan->output->columns[i];
    plan->places.push_back(plan->filter_columns->Find(*plan->output, column));
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

Result<ScanPlan> MakePlan(std::shared_ptr<const Dataset::State> dataset, const ScanOptions& options,
                          const OperationContext& context) {
  ScanPlan plan;
  ARROW_ASSIGN_OR_RAISE(plan.output, MakeOutput(*dataset, options));
  if (options.filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(plan.filter_columns, MakeFilterColumns(*dataset, *options.filter));
    ARROW_ASSIGN_OR_RAISE(plan.filter, options.filter->Bind(*plan.filter_columns->schema, context));
    SplitOutput(&plan);
  }
  plan.dataset = std::move(dataset);
  return plan;
}

Result<int64_t> BytesOf(const arrow::RecordBatch& batch) {
  return arrow::util::ReferencedBufferSize(batch);
}

/// Some of the rows of a batch.
class Kept {
 public:
  explicit Kept(std::shared_ptr<arrow::BooleanArray> mask)
      : mask_(std::move(mask)), count_(mask_->true_count()) {}

  int64_t count() const { return count_; }
  bool is_all() const { return count_ == mask_->length(); }
  /// Whether to read all of the batch's rows and drop the others costs less than to take these one
  /// by one.
  bool is_dense() const { return count_ * kDense >= mask_->length(); }

  /// The numbers of the rows, the first of the batch being `first`.
  std::vector<int64_t> Rows(int64_t first) const {
    std::vector<int64_t> rows;
    rows.reserve(count_);
    arrow::internal::VisitSetBitRunsVoid(mask_->values()->data(), mask_->offset(), mask_->length(),
                                         [&](int64_t begin, int64_t length) {
                                           for (int64_t row = begin; row < begin + length; ++row)
                                             rows.push_back(first + row);
                                         });
    return rows;
  }
  Result<std::shared_ptr<arrow::Array>> Of(const std::shared_ptr<arrow::Array>& column,
                                           arrow::MemoryPool* pool) const {
    if (is_all()) return column;
    ARROW_ASSIGN_OR_RAISE(auto kept, KeepRows(column->data(), mask_->data(), pool));
    return arrow::MakeArray(std::move(kept));
  }

 private:
  /// One of so many rows.
  static constexpr int64_t kDense = 4;

  std::shared_ptr<arrow::BooleanArray> mask_;
  int64_t count_;
};

/// The rows that were kept of `rows`.
Result<std::shared_ptr<arrow::RecordBatch>> ReadRest(const ScanPlan& plan, const Fragment& fragment,
                                                     RowRange rows, const Kept& kept,
                                                     const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const FragmentReader reader,
                        FragmentReader::Open(*plan.dataset, fragment, plan.rest, context));
  if (!kept.is_dense()) return reader.Take(kept.Rows(rows.begin), context);
  ARROW_ASSIGN_OR_RAISE(const auto all, reader.ReadRange(rows, context));
  if (kept.is_all()) return all;
  arrow::ArrayVector columns;
  for (const auto& column : all->columns()) {
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), kept.Of(column, context.pool));
  }
  return arrow::RecordBatch::Make(all->schema(), kept.count(), std::move(columns));
}

/// Reads what the filter needs, asks it, and then reads the other columns of the rows it kept.
Result<RowSource::Piece> ReadFiltered(const ScanPlan& plan, const Fragment& fragment, RowRange rows,
                                      const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(
      const FragmentReader filter_reader,
      FragmentReader::Open(*plan.dataset, fragment, plan.filter_columns, context));
  RowSource::Piece result;
  ARROW_ASSIGN_OR_RAISE(const bool may_match, filter_reader.MayMatch(*plan.filter, rows, context));
  if (!may_match) return result;
  ARROW_ASSIGN_OR_RAISE(const auto candidates, filter_reader.ReadRange(rows, context));
  ARROW_ASSIGN_OR_RAISE(auto mask, plan.filter->Judge(*candidates, context));
  ARROW_ASSIGN_OR_RAISE(result.bytes, BytesOf(*candidates));
  const Kept kept(std::move(mask));
  if (kept.count() == 0) return result;

  std::shared_ptr<arrow::RecordBatch> rest;
  if (!plan.rest->columns.empty()) {
    ARROW_ASSIGN_OR_RAISE(rest, ReadRest(plan, fragment, rows, kept, context));
  }
  std::map<size_t, std::shared_ptr<arrow::Array>> found;  // by column of the candidates
  std::vector<std::shared_ptr<arrow::Array>> columns;
  int next = 0;
  for (const auto& place : plan.places) {
    if (!place) {
      columns.push_back(rest->column(next++));
      continue;
    }
    std::shared_ptr<arrow::Array>& column = found[place->column];
    if (column == nullptr) {
      ARROW_ASSIGN_OR_RAISE(
          column, kept.Of(candidates->column(static_cast<int>(place->column)), context.pool));
    }
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), Descend(column, place->path, context.pool));
  }
  result.batch = arrow::RecordBatch::Make(plan.output->schema, kept.count(), std::move(columns));
  ARROW_ASSIGN_OR_RAISE(const int64_t bytes, BytesOf(*result.batch));
  result.bytes += bytes;
  return result;
}

/// The rows of a version in scan order; a piece is of one fragment.
class ScanSource final : public RowSource {
 public:
  explicit ScanSource(ScanPlan plan) : plan_(std::move(plan)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return plan_.output->schema; }
  RowSize GuessRowSize() const override {
    uint64_t stored = 0;
    for (const Fragment& fragment : plan_.dataset->manifest.fragments) {
      // Sizes are what the manifest claims; wrapping around makes a bad guess and nothing worse.
      for (const DataFile& file : fragment.files) stored += file.size_bytes;
    }
    const auto rows = static_cast<uint64_t>(std::max<int64_t>(1, plan_.dataset->num_rows()));
    return lance::GuessRowSize(*plan_.output->schema,
                               static_cast<int64_t>((stored >> 1) / rows * 2));
  }
  int64_t PieceEnd(int64_t row) const override {
    return plan_.dataset->first_rows[FindFragment(row) + 1];
  }
  Result<Piece> Read(RowRange rows, const OperationContext& context) const override {
    const size_t number = FindFragment(rows.begin);
    const int64_t first = plan_.dataset->first_rows[number];
    const RowRange inside{.begin = rows.begin - first, .end = rows.end - first};
    const Fragment& fragment = plan_.dataset->manifest.fragments[number];
    if (plan_.filter != nullptr) return ReadFiltered(plan_, fragment, inside, context);
    ARROW_ASSIGN_OR_RAISE(const FragmentReader reader,
                          FragmentReader::Open(*plan_.dataset, fragment, plan_.output, context));
    Piece piece;
    ARROW_ASSIGN_OR_RAISE(piece.batch, reader.ReadRange(inside, context));
    ARROW_ASSIGN_OR_RAISE(piece.bytes, BytesOf(*piece.batch));
    return piece;
  }

 private:
  /// The fragment that holds the row: the last that begins at or before it.
  size_t FindFragment(int64_t row) const {
    const std::vector<int64_t>& first_rows = plan_.dataset->first_rows;
    return std::ranges::upper_bound(first_rows, row) - first_rows.begin() - 1;
  }

  const ScanPlan plan_;
};

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> Dataset::Scan(
    const ScanOptions& options, const OperationContext& context) const {
  if (options.offset < 0 || options.limit.value_or(0) < 0) {
    return InvalidArgument("scan with offset ", options.offset, " and limit ",
                           options.limit.value_or(0), ": neither may be negative");
  }
  if (options.batch_rows <= 0 || options.batch_bytes <= 0) {
    return InvalidArgument("scan with batches of ", options.batch_rows, " rows and ",
                           options.batch_bytes, " bytes: both must be positive");
  }
  ARROW_ASSIGN_OR_RAISE(ScanPlan plan, MakePlan(state_, options, context));
  BatchStreamOptions stream{.rows = {.begin = 0, .end = state_->num_rows()},
                            .batch_rows = options.batch_rows,
                            .batch_bytes = options.batch_bytes,
                            .starts_wide = options.all_at_once && !options.limit,
                            .gives_pieces = options.all_at_once};
  if (options.limit) stream.limit = *options.limit;
  if (plan.filter != nullptr) {
    stream.skip = options.offset;
  } else {
    // Without a filter rows are known by position, and only those wanted are read.
    stream.rows.begin = std::min(options.offset, stream.rows.end);
    stream.rows.end = stream.rows.begin + std::min(stream.limit, stream.rows.length());
  }
  return MakeBatchStream(std::make_shared<ScanSource>(std::move(plan)), stream, context);
}

Result<int64_t> Dataset::CountRows(std::shared_ptr<const expr::Filter> filter,
                                   const OperationContext& context) const {
  if (filter == nullptr) {
    for (const Fragment& fragment : state_->manifest.fragments) {
      if (!fragment.deletion_file || fragment.deletion_file->num_deleted_rows > 0) continue;
      // The manifest does not know; the error says so.
      ARROW_RETURN_NOT_OK(state_->FindDeletedRows(fragment, context));
    }
    return state_->num_rows();
  }
  ScanOptions options;
  options.columns.emplace();
  options.filter = std::move(filter);
  ARROW_ASSIGN_OR_RAISE(auto reader, Scan(options, context));
  int64_t rows = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
    if (batch == nullptr) return rows;
    rows += batch->num_rows();
  }
}

}  // namespace tusk::lance
