#include <algorithm>
#include <deque>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "tusk/expr/filter.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/fragment_reader.h"

namespace tusk::lance {
namespace {

/// Bytes of decoded batches that a scan holds ahead of its caller.
constexpr int64_t kReadAheadBytes = int64_t{256} << 20;

/// A row of text or bytes, until a first batch has been seen.
constexpr int64_t kGuessedRowBytes = 256;

/// Rows of one fragment that become one batch.
struct Morsel {
  size_t fragment = 0;
  RowRange rows;
};

struct MorselResult {
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t bytes = 0;  ///< of the batch and of what the filter has read
};

/// What a scan reads, put together once and then shared by its threads.
struct ScanPlan {
  std::shared_ptr<const Dataset::State> dataset;
  Projection output;
  std::shared_ptr<const expr::Filter::Bound> filter;  ///< may be null
  Projection filter_columns;                          ///< what the filter reads, and `_rowaddr`
  Projection rest;                                    ///< what of `output` the filter does not read
};

Result<ScanPlan> MakePlan(std::shared_ptr<const Dataset::State> dataset, const ScanOptions& options,
                          const OperationContext& context) {
  ScanPlan plan;
  std::optional<std::vector<std::string>> names = options.columns;
  if (!names && (options.with_row_id || options.with_row_address)) {
    names = dataset->schema->field_names();
  }
  const auto add = [&](std::string_view name) {
    if (std::ranges::find(*names, name) == names->end()) names->emplace_back(name);
  };
  if (options.with_row_id) add(kRowIdColumn);
  if (options.with_row_address) add(kRowAddressColumn);
  ARROW_ASSIGN_OR_RAISE(plan.output, Projection::Make(*dataset, names));
  if (options.filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> read, options.filter->Columns());
    for (const std::string& name : read) {
      if (name != kRowIdColumn && name != kRowAddressColumn &&
          dataset->manifest.schema.FindField(name) == nullptr) {
        return InvalidArgument("the filter reads a column '", name, "' that ",
                               dataset->location.path, " does not have");
      }
    }
    if (std::ranges::find(read, kRowAddressColumn) == read.end()) {
      read.emplace_back(kRowAddressColumn);
    }
    ARROW_ASSIGN_OR_RAISE(plan.filter_columns, Projection::Make(*dataset, read));
    ARROW_ASSIGN_OR_RAISE(plan.filter, options.filter->Bind(*plan.filter_columns.schema, context));
    std::vector<std::string> rest;
    for (const auto& field : plan.output.schema->fields()) {
      if (std::ranges::find(read, field->name()) == read.end()) rest.push_back(field->name());
    }
    ARROW_ASSIGN_OR_RAISE(plan.rest, Projection::Make(*dataset, rest));
  }
  plan.dataset = std::move(dataset);
  return plan;
}

Result<int64_t> BytesOf(const arrow::RecordBatch& batch) {
  return arrow::util::ReferencedBufferSize(batch);
}

/// Reads what the filter needs, asks it, and then reads the other columns of the rows it kept.
Result<MorselResult> ReadFiltered(const ScanPlan& plan, const Fragment& fragment, RowRange rows,
                                  const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(
      const FragmentReader filter_reader,
      FragmentReader::Open(*plan.dataset, fragment, plan.filter_columns, context));
  ARROW_ASSIGN_OR_RAISE(auto candidates, filter_reader.ReadRange(rows, context));
  ARROW_ASSIGN_OR_RAISE(auto kept, plan.filter->Apply(candidates, context));
  MorselResult result;
  ARROW_ASSIGN_OR_RAISE(result.bytes, BytesOf(*candidates));
  if (kept->num_rows() == 0) return result;

  ARROW_ASSIGN_OR_RAISE(const FragmentReader rest_reader,
                        FragmentReader::Open(*plan.dataset, fragment, plan.rest, context));
  std::shared_ptr<arrow::RecordBatch> rest;
  if (kept->num_rows() == candidates->num_rows()) {
    ARROW_ASSIGN_OR_RAISE(rest, rest_reader.ReadRange(rows, context));
  } else {
    const auto addresses = kept->GetColumnByName(std::string(kRowAddressColumn));
    const auto& values = static_cast<const arrow::UInt64Array&>(*addresses);
    std::vector<int64_t> offsets(kept->num_rows());
    for (int64_t i = 0; i < kept->num_rows(); ++i) {
      offsets[i] = static_cast<int64_t>(values.Value(i) & 0xFFFFFFFF);
    }
    ARROW_ASSIGN_OR_RAISE(rest, rest_reader.TakeOffsets(offsets, context));
  }
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const auto& field : plan.output.schema->fields()) {
    auto column = rest->GetColumnByName(field->name());
    if (column == nullptr) column = kept->GetColumnByName(field->name());
    columns.push_back(std::move(column));
  }
  result.batch = arrow::RecordBatch::Make(plan.output.schema, kept->num_rows(), std::move(columns));
  ARROW_ASSIGN_OR_RAISE(const int64_t bytes, BytesOf(*result.batch));
  result.bytes += bytes;
  return result;
}

Result<MorselResult> ReadMorsel(const ScanPlan& plan, const Morsel& morsel,
                                const OperationContext& context) {
  const Fragment& fragment = plan.dataset->manifest.fragments[morsel.fragment];
  if (plan.filter != nullptr) return ReadFiltered(plan, fragment, morsel.rows, context);
  ARROW_ASSIGN_OR_RAISE(const FragmentReader reader,
                        FragmentReader::Open(*plan.dataset, fragment, plan.output, context));
  MorselResult result;
  ARROW_ASSIGN_OR_RAISE(result.batch, reader.ReadRange(morsel.rows, context));
  ARROW_ASSIGN_OR_RAISE(result.bytes, BytesOf(*result.batch));
  return result;
}

/// Bytes of a row in these columns before any has been seen.
int64_t GuessRowBytes(const arrow::Schema& schema) {
  int64_t bytes = 1;
  for (const auto& field : schema.fields()) {
    const arrow::DataType& type = *field->type();
    if (type.id() == arrow::Type::FIXED_SIZE_LIST) {
      const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
      bytes += int64_t{list.list_size()} * std::max(1, list.value_type()->byte_width());
    } else if (arrow::is_fixed_width(type.id())) {
      bytes += std::max(1, type.byte_width());
    } else {
      bytes += kGuessedRowBytes;
    }
  }
  return bytes;
}

/// Decodes a window of batches at a time on the executor and hands them out in order. The window
/// begins at one batch, so that the first rows come soon, and doubles up to the read-ahead.
class ScanReader final : public arrow::RecordBatchReader {
 public:
  ScanReader(ScanPlan plan, const ScanOptions& options, OperationContext context)
      : plan_(std::move(plan)),
        batch_rows_(options.batch_rows),
        batch_bytes_(options.batch_bytes),
        skip_(options.offset),
        remaining_(options.limit.value_or(std::numeric_limits<int64_t>::max())),
        context_(std::move(context)),
        row_bytes_(GuessRowBytes(*plan_.output.schema)) {
    // Without a filter rows are known by position, and those before the offset are never read.
    if (plan_.filter == nullptr) {
      next_row_ = std::min(skip_, plan_.dataset->num_rows());
      skip_ = 0;
    }
  }

  std::shared_ptr<arrow::Schema> schema() const override { return plan_.output.schema; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    while (remaining_ > 0) {
      if (ready_.empty()) {
        ARROW_RETURN_NOT_OK(FillWindow());
        if (ready_.empty()) return Status::OK();
      }
      std::shared_ptr<arrow::RecordBatch> batch = std::move(ready_.front());
      ready_.pop_front();
      const int64_t skipped = std::min(skip_, batch->num_rows());
      skip_ -= skipped;
      const int64_t taken = std::min(remaining_, batch->num_rows() - skipped);
      if (taken == 0) continue;
      remaining_ -= taken;
      *out = taken == batch->num_rows() ? std::move(batch) : batch->Slice(skipped, taken);
      return Status::OK();
    }
    return Status::OK();
  }

  Status Close() override {
    ready_.clear();
    remaining_ = 0;
    return Status::OK();
  }

 private:
  /// The next rows in scan order: at most `rows` of one fragment.
  std::optional<Morsel> NextMorsel(int64_t rows) {
    const std::vector<int64_t>& first_rows = plan_.dataset->first_rows;
    if (next_row_ >= first_rows.back()) return std::nullopt;
    while (first_rows[fragment_ + 1] <= next_row_) ++fragment_;
    const int64_t begin = next_row_ - first_rows[fragment_];
    const int64_t length = std::min(rows, first_rows[fragment_ + 1] - next_row_);
    next_row_ += length;
    return Morsel{.fragment = fragment_, .rows = {.begin = begin, .end = begin + length}};
  }

  /// Decodes until there is a batch with rows or nothing is left.
  Status FillWindow() {
    while (ready_.empty()) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      const int64_t rows = std::clamp<int64_t>(batch_bytes_ / row_bytes_, 1, batch_rows_);
      std::vector<Morsel> morsels;
      int64_t planned = 0;
      while (std::ssize(morsels) < window_) {
        // Without a filter each row read is one that counts.
        const int64_t wanted = plan_.filter == nullptr ? remaining_ - planned : rows;
        if (wanted <= 0) break;
        const auto morsel = NextMorsel(std::min(rows, wanted));
        if (!morsel) break;
        planned += morsel->rows.length();
        morsels.push_back(*morsel);
      }
      if (morsels.empty()) return Status::OK();
      ARROW_RETURN_NOT_OK(Decode(morsels, planned));
      GrowWindow(rows);
    }
    return Status::OK();
  }

  Status Decode(const std::vector<Morsel>& morsels, int64_t rows) {
    std::vector<MorselResult> results(morsels.size());
    ARROW_RETURN_NOT_OK(context_.executor->ParallelFor(
        std::ssize(morsels),
        [&](int64_t i) -> Status {
          ARROW_ASSIGN_OR_RAISE(results[i], ReadMorsel(plan_, morsels[i], context_));
          return Status::OK();
        },
        context_.stop, nullptr));
    int64_t bytes = 0;
    for (MorselResult& result : results) {
      bytes += result.bytes;
      if (result.batch != nullptr) ready_.push_back(std::move(result.batch));
    }
    row_bytes_ = std::max<int64_t>(1, bytes / rows);
    return Status::OK();
  }

  void GrowWindow(int64_t rows) {
    const int64_t most = kReadAheadBytes / std::max<int64_t>(1, rows * row_bytes_);
    window_ = std::clamp<int64_t>(std::min(window_ * 2, most), 1, context_.executor->parallelism());
  }

  const ScanPlan plan_;
  const int64_t batch_rows_;
  const int64_t batch_bytes_;
  int64_t skip_;       ///< rows to drop after the filter
  int64_t remaining_;  ///< rows still to give
  const OperationContext context_;
  int64_t row_bytes_;  ///< of late, to cut batches by bytes
  int64_t window_ = 1;
  size_t fragment_ = 0;
  int64_t next_row_ = 0;  ///< in scan order
  std::deque<std::shared_ptr<arrow::RecordBatch>> ready_;
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
  return std::make_shared<ScanReader>(std::move(plan), options, context);
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
