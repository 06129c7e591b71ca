#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/byte_size.h>

#include "tusk/expr/filter.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/file/batch_stream.h"
#include "tusk/lance/file/set_bits.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/fragment_reader.h"
#include "tusk/lance/table/order_keys.h"
#include "tusk/lance/table/ordered_scan.h"
#include "tusk/lance/table/scan_plan.h"
#include "tusk/lance/table/taking_reader.h"

namespace tusk::lance {
namespace {

/// Adds the time that it lives to a sum.
class StopWatch {
 public:
  explicit StopWatch(std::atomic<int64_t>* nanoseconds) : nanoseconds_(nanoseconds) {}
  ~StopWatch() { *nanoseconds_ += std::chrono::nanoseconds(Clock::now() - begin_).count(); }
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  std::atomic<int64_t>* nanoseconds_;
  Clock::time_point begin_ = Clock::now();
};

/// Some of the rows of a batch.
class Kept {
 public:
  explicit Kept(std::shared_ptr<arrow::BooleanArray> mask)
      : mask_(std::move(mask)), count_(mask_->true_count()) {}

  int64_t count() const { return count_; }
  bool is_all() const { return count_ == mask_->length(); }
  /// Whether to read all of the batch's rows and drop the others costs less than to take these one
  /// by one, of columns of this schema.
  bool IsDense(const arrow::Schema& columns) const {
    const bool are_words = std::ranges::all_of(columns.fields(), [](const auto& field) {
      return arrow::is_primitive(field->type()->id());
    });
    return count_ * (are_words ? kDenseWords : kDense) >= mask_->length();
  }

  /// The numbers of the rows, the first of the batch being `first`.
  std::vector<int64_t> Rows(int64_t first) const {
    std::vector<int64_t> rows;
    rows.reserve(count_);
    VisitSetBits(mask_->values()->data(), mask_->offset(), mask_->length(),
                 [&](int64_t row) { rows.push_back(first + row); });
    return rows;
  }
  Result<std::shared_ptr<arrow::Array>> Of(const std::shared_ptr<arrow::Array>& column,
                                           arrow::MemoryPool* pool) const {
    if (is_all()) return column;
    ARROW_ASSIGN_OR_RAISE(const auto kept, KeepRows(column->data(), mask_->data(), pool));
    return arrow::MakeArray(kept);
  }
  /// The same of a column whose values, of `type`, may be codes.
  Result<std::shared_ptr<arrow::Array>> Of(const std::shared_ptr<arrow::Array>& column,
                                           const std::shared_ptr<arrow::DataType>& type,
                                           arrow::MemoryPool* pool) const {
    ARROW_ASSIGN_OR_RAISE(auto kept, Of(column, pool));
    if (kept->type()->Equals(*type)) return kept;
    ARROW_ASSIGN_OR_RAISE(const auto values, CastTo(kept->data(), type, pool));
    return arrow::MakeArray(values);
  }

 private:
  /// One of so many rows.
  static constexpr int64_t kDense = 4;
  static constexpr int64_t kDenseWords = 16;

  std::shared_ptr<arrow::BooleanArray> mask_;
  int64_t count_;
};

/// The rows that were kept of `rows`.
Result<std::shared_ptr<arrow::RecordBatch>> ReadRest(const ScanPlan& plan, const Fragment& fragment,
                                                     RowRange rows, const Kept& kept,
                                                     const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const FragmentReader reader,
                        FragmentReader::Open(*plan.dataset, fragment, plan.rest, context,
                                             {.include_deleted = plan.include_deleted,
                                              .reads_once = plan.reads_once}));
  if (!kept.IsDense(*plan.rest->schema)) return reader.Take(kept.Rows(rows.begin), context);
  ARROW_ASSIGN_OR_RAISE(auto all, reader.ReadRange(rows, context));
  if (kept.is_all()) return all;
  arrow::ArrayVector columns;
  for (const auto& column : all->columns()) {
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), kept.Of(column, context.pool));
  }
  return arrow::RecordBatch::Make(all->schema(), kept.count(), std::move(columns));
}

/// What the filter reads of the rows.
Result<std::shared_ptr<arrow::RecordBatch>> ReadCandidates(const FragmentReader& reader,
                                                           RowRange rows,
                                                           ScanStatistics* statistics,
                                                           const OperationContext& context) {
  const StopWatch watch(&statistics->filter_read_ns);
  ++statistics->pieces;
  statistics->rows += rows.length();
  return reader.ReadCodes(rows, context);
}

Result<Kept> Judge(const RowTest& test, const arrow::RecordBatch& candidates,
                   ScanStatistics* statistics, const OperationContext& context) {
  const StopWatch watch(&statistics->filter_ns);
  ARROW_ASSIGN_OR_RAISE(auto mask, test.Judge(candidates, context));
  Kept kept(std::move(mask));
  statistics->rows_kept += kept.count();
  return kept;
}

/// Reads what the filter needs, asks it, and then reads the other columns of the rows it kept.
Result<RowSource::Piece> ReadFiltered(const ScanPlan& plan, const Fragment& fragment, RowRange rows,
                                      const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const FragmentReader filter_reader,
                        FragmentReader::Open(*plan.dataset, fragment, plan.test_columns, context,
                                             {.include_deleted = plan.include_deleted,
                                              .reads_once = plan.reads_once}));
  RowSource::Piece result;
  ScanStatistics& statistics = *plan.statistics;
  if (plan.use_statistics) {
    ARROW_ASSIGN_OR_RAISE(const bool may_match, filter_reader.MayMatch(*plan.test, rows, context));
    if (!may_match) {
      statistics.rows_ruled_out += rows.length();
      return result;
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto candidates,
                        ReadCandidates(filter_reader, rows, &statistics, context));
  ARROW_ASSIGN_OR_RAISE(const Kept kept, Judge(*plan.test, *candidates, &statistics, context));
  result.bytes = arrow::util::TotalBufferSize(*candidates);
  if (kept.count() == 0) return result;

  const StopWatch watch(&statistics.read_ns);
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
      const auto number = static_cast<int>(place->column);
      ARROW_ASSIGN_OR_RAISE(
          column, kept.Of(candidates->column(number),
                          plan.test_columns->schema->field(number)->type(), context.pool));
    }
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), Descend(column, place->path, context.pool));
  }
  result.batch = arrow::RecordBatch::Make(plan.output->schema, kept.count(), std::move(columns));
  result.bytes += arrow::util::TotalBufferSize(*result.batch);
  return result;
}

/// The rows of a version in scan order; a piece is of one fragment.
class ScanSource final : public RowSource {
 public:
  explicit ScanSource(ScanPlan plan) : plan_(std::move(plan)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return plan_.schema(); }
  RowSize GuessRowSize() const override {
    const int64_t stored_bytes = plan_.StoredRowBytes();
    RowSize size = lance::GuessRowSize(*plan_.output->schema, stored_bytes);
    if (plan_.test == nullptr) return size;
    const RowSize judged = lance::GuessRowSize(*plan_.test_columns->schema, stored_bytes);
    size.bytes = std::max(size.bytes, judged.bytes);
    size.is_known = size.is_known && judged.is_known;
    return size;
  }
  int64_t PieceEnd(int64_t row) const override {
    return plan_.first_rows[plan_.FindFragment(row) + 1];
  }
  Result<Piece> Read(RowRange rows, const OperationContext& context) const override {
    return ReadComputed(plan_, rows, context);
  }
  Result<Piece> ReadSample(RowRange rows, const OperationContext& context) const override {
    ScanPlan plan = plan_;
    plan.statistics = std::make_shared<ScanStatistics>();
    return ReadComputed(plan, rows, context);
  }

 private:
  /// With the columns that are computed in the place of those that were read for them.
  static Result<Piece> ReadComputed(const ScanPlan& plan, RowRange rows,
                                    const OperationContext& context) {
    ARROW_ASSIGN_OR_RAISE(Piece piece, Read(plan, rows, context));
    if (plan.computed != nullptr && piece.batch != nullptr) {
      ARROW_ASSIGN_OR_RAISE(piece.batch, plan.computed->Compute(*piece.batch, context));
      piece.bytes += arrow::util::TotalBufferSize(*piece.batch);
    }
    if (plan.map != nullptr && piece.batch != nullptr) {
      ARROW_ASSIGN_OR_RAISE(piece.batch, plan.map->Map(*piece.batch, context));
      if (piece.batch != nullptr) piece.bytes += arrow::util::TotalBufferSize(*piece.batch);
    }
    return piece;
  }
  static Result<Piece> Read(const ScanPlan& plan, RowRange rows, const OperationContext& context) {
    const size_t number = plan.FindFragment(rows.begin);
    const int64_t first = plan.first_rows[number];
    const RowRange inside{.begin = rows.begin - first, .end = rows.end - first};
    const Fragment& fragment = *plan.fragments[number];
    ScanStatistics& statistics = *plan.statistics;
    if (inside.begin == 0) ++statistics.fragments;
    if (plan.test != nullptr) return ReadFiltered(plan, fragment, inside, context);
    const StopWatch watch(&statistics.read_ns);
    ARROW_ASSIGN_OR_RAISE(const FragmentReader reader,
                          FragmentReader::Open(*plan.dataset, fragment, plan.output, context,
                                               {.include_deleted = plan.include_deleted,
                                                .reads_once = plan.reads_once}));
    Piece piece;
    ARROW_ASSIGN_OR_RAISE(piece.batch, reader.ReadRange(inside, context));
    piece.bytes = arrow::util::TotalBufferSize(*piece.batch);
    ++statistics.pieces;
    statistics.rows += rows.length();
    statistics.rows_kept += rows.length();
    return piece;
  }

  const ScanPlan plan_;
};

Result<std::shared_ptr<arrow::RecordBatchReader>> ScanInOrder(const Dataset& dataset,
                                                              const ScanPlan& plan,
                                                              const ScanOptions& options,
                                                              const OperationContext& context) {
  OrderedScan scan = PlanOrderedScan(plan, options);
  ARROW_ASSIGN_OR_RAISE(auto rows, dataset.Scan(scan.rows, context));
  auto ordered = MakeOrderedReader(std::move(rows), std::move(scan.order), context);
  if (!scan.takes_rest) return ordered;
  const int64_t row_bytes = lance::GuessRowSize(*plan.output->schema, plan.StoredRowBytes()).bytes;
  return MakeTakingReader(plan.dataset, std::move(ordered),
                          {.read = plan.output,
                           .computed = plan.computed,
                           .row_bytes = row_bytes,
                           .batch_rows = options.batch_rows,
                           .batch_bytes = options.batch_bytes},
                          context);
}

Result<std::shared_ptr<arrow::RecordBatchReader>> StartScan(const Dataset& dataset, ScanPlan plan,
                                                            const ScanOptions& options,
                                                            const OperationContext& context) {
  if (!options.order_by.empty()) return ScanInOrder(dataset, plan, options, context);
  BatchStreamOptions stream{.rows = {.begin = 0, .end = plan.num_rows()},
                            .batch_rows = options.batch_rows,
                            .batch_bytes = options.batch_bytes,
                            .starts_wide = options.all_at_once && !options.limit,
                            .gives_pieces = options.all_at_once};
  if (plan.read_ahead_bytes) stream.read_ahead_bytes = *plan.read_ahead_bytes;
  if (options.limit) stream.limit = *options.limit;
  // Of a whole result the pieces stay: between large ones less memory is left unused, above all
  // where the system hands it out by 2 MiB.
  if (options.all_at_once) stream.piece_bytes = 16 << 20;
  // What is judged and then dropped should still be in the cache of its core.
  if (plan.test != nullptr || plan.map != nullptr) stream.piece_bytes = 1 << 20;
  if (plan.test != nullptr) {
    stream.skip = options.offset;
  } else {
    // Without a filter rows are known by position, and only those wanted are read.
    stream.rows.begin = std::min(options.offset, stream.rows.end);
    stream.rows.end = stream.rows.begin + std::min(stream.limit, stream.rows.length());
  }
  return MakeBatchStream(std::make_shared<ScanSource>(std::move(plan)), stream, context);
}

Status CheckOptions(const ScanOptions& options) {
  if (options.offset < 0 || options.limit.value_or(0) < 0) {
    return InvalidArgument("scan with offset ", options.offset, " and limit ",
                           options.limit.value_or(0), ": neither may be negative");
  }
  if (options.batch_rows <= 0 || options.batch_bytes <= 0) {
    return InvalidArgument("scan with batches of ", options.batch_rows, " rows and ",
                           options.batch_bytes, " bytes: both must be positive");
  }
  return Status::OK();
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> Dataset::Scan(
    const ScanOptions& options, const OperationContext& context) const {
  ARROW_RETURN_NOT_OK(CheckOptions(options));
  ARROW_ASSIGN_OR_RAISE(ScanPlan plan, ScanPlan::Make(state_, options, context));
  return StartScan(*this, std::move(plan), options, context);
}

Result<std::shared_ptr<arrow::RecordBatchReader>> ScanOnce(
    const std::shared_ptr<const Dataset>& dataset, const ScanOptions& options,
    const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckOptions(options));
  std::shared_ptr<const Dataset::State> state(dataset, &dataset->state());
  ARROW_ASSIGN_OR_RAISE(ScanPlan plan, ScanPlan::Make(std::move(state), options, context));
  plan.reads_once = true;
  return StartScan(*dataset, std::move(plan), options, context);
}

int64_t ReadAheadOfWriter(const OperationContext& context) {
  constexpr int64_t kLeast = 32 << 20;
  constexpr int64_t kOfThread = 4 << 20;
  return std::max(kLeast, kOfThread * context.executor->parallelism());
}

Result<std::shared_ptr<arrow::RecordBatchReader>> ScanMapped(
    const std::shared_ptr<const Dataset>& dataset, const ScanOptions& options, RowMapping mapping,
    int64_t read_ahead_bytes, const OperationContext& context) {
  const std::shared_ptr<const Dataset::State> state(dataset, &dataset->state());
  ARROW_ASSIGN_OR_RAISE(ScanPlan plan, ScanPlan::Make(state, options, context));
  plan.read_ahead_bytes = read_ahead_bytes;
  plan.map = std::move(mapping.map);
  if (mapping.test != nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto columns, Projection::Make(*state, mapping.test_columns));
    plan.SetTest(std::move(mapping.test), std::move(columns));
  }
  return StartScan(*dataset, std::move(plan), options, context);
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
  options.all_at_once = true;
  ARROW_ASSIGN_OR_RAISE(auto reader, Scan(options, context));
  int64_t rows = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
    if (batch == nullptr) return rows;
    rows += batch->num_rows();
  }
}

}  // namespace tusk::lance
