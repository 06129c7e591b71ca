#include "tusk/lance/file/batch_stream.h"

#include <algorithm>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace tusk::lance {
namespace {

/// Pieces that together have no more are joined where they are given as they are.
constexpr int64_t kSmallBytes = 256 << 10;

/// Keeps sums of row counts inside 64 bits whatever a caller or a file claims.
constexpr int64_t kMostBatchRows = int64_t{1} << 40;

/// A value of text, bytes or a list, of which the type does not tell the size.
constexpr int64_t kGuessedValueBytes = 256;

/// Rows that are read for no more than to see how large they are.
constexpr int64_t kMeasuredRows = 16;

/// A step that is to show how large rows are has so many batches for each thread, and is made if
/// there are so many batches to read.
constexpr int64_t kTrialBatches = 2;
constexpr int64_t kWorthTrial = 32;

/// Pieces are put together until no more than so many groups are left for each thread.
constexpr int64_t kGroupsOfThread = 4;

/// Keeps sums and products of guesses inside 64 bits: a file may declare lists of 2^31 lists of
/// 2^31 items, of which it has none.
constexpr int64_t kMostValueBytes = int64_t{1} << 31;

int64_t GuessValueBytes(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
      return std::min(kMostValueBytes, list.list_size() * GuessValueBytes(*list.value_type()));
    }
    case arrow::Type::STRUCT: {
      int64_t bytes = 1;
      for (const auto& field : type.fields()) bytes += GuessValueBytes(*field->type());
      return std::min(kMostValueBytes, bytes);
    }
    case arrow::Type::EXTENSION:
      return GuessValueBytes(*static_cast<const arrow::ExtensionType&>(type).storage_type());
    default:
      return arrow::is_fixed_width(type.id()) ? std::max(1, type.byte_width()) : kGuessedValueBytes;
  }
}

/// Whether the type tells the bytes of a value.
bool HasKnownSize(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::STRUCT:
      return std::ranges::all_of(type.fields(),
                                 [](const auto& field) { return HasKnownSize(*field->type()); });
    case arrow::Type::EXTENSION:
      return HasKnownSize(*static_cast<const arrow::ExtensionType&>(type).storage_type());
    default:
      return arrow::is_fixed_width(type.id()) && type.id() != arrow::Type::DICTIONARY;
  }
}

int64_t RoundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

class BatchStream final : public arrow::RecordBatchReader {
 public:
  BatchStream(std::shared_ptr<const RowSource> source, const BatchStreamOptions& options,
              OperationContext context)
      : source_(std::move(source)),
        options_(options),
        context_(std::move(context)),
        next_row_(options.rows.begin),
        skip_(options.skip),
        remaining_(options.limit),
        row_size_(source_->GuessRowSize()),
        step_rows_(options.starts_wide ? options.rows.length() : 1) {}

  std::shared_ptr<arrow::Schema> schema() const override { return source_->schema(); }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    while (remaining_ > 0) {
      if (ready_.empty()) {
        if (failure_.ok()) failure_ = FillReady();
        ARROW_RETURN_NOT_OK(failure_);
        if (ready_.empty()) return Status::OK();
      }
      if (options_.gives_pieces) ARROW_RETURN_NOT_OK(JoinSmallPieces());
      Ready& ready = ready_.front();
      const int64_t left = ready.batch->num_rows() - ready.given;
      const int64_t skipped = std::min(skip_, left);
      skip_ -= skipped;
      ready.given += skipped;
      const int64_t most_rows = options_.gives_pieces ? left : ready.batch_rows;
      const int64_t rows = std::min({remaining_, left - skipped, most_rows});
      if (rows > 0) {
        *out =
            rows == ready.batch->num_rows() ? ready.batch : ready.batch->Slice(ready.given, rows);
        ready.given += rows;
        remaining_ -= rows;
      }
      if (ready.given == ready.batch->num_rows()) ready_.pop_front();
      if (rows > 0) return Status::OK();
    }
    return Status::OK();
  }

  Status Close() override {
    step_.reset();
    ready_.clear();
    remaining_ = 0;
    return Status::OK();
  }

 private:
  /// A piece that was read, of which the first `given` rows were given.
  struct Ready {
    std::shared_ptr<arrow::RecordBatch> batch;
    int64_t bytes = 0;
    int64_t batch_rows = 0;
    int64_t given = 0;
  };

  /// Pieces that are read together. One thread reads those of a group, one after the other.
  struct Step {
    std::vector<RowRange> pieces;
    std::vector<RowSource::Piece> results;
    std::vector<size_t> group_ends;
    std::unique_ptr<BackgroundWork> work;  ///< null if the calling thread is to read them
  };

  int64_t BatchRows(int64_t row_bytes) const {
    return std::clamp<int64_t>(options_.batch_bytes / row_bytes, 1,
                               std::min(options_.batch_rows, kMostBatchRows));
  }

  /// The next rows, at least `rows` if there are so many, in pieces of at most `piece_rows`, which
  /// are whole batches but where pieces must end.
  std::vector<RowRange> CutPieces(int64_t rows, int64_t piece_rows) {
    std::vector<RowRange> pieces;
    while (rows > 0 && next_row_ < options_.rows.end) {
      const int64_t end = std::min(source_->PieceEnd(next_row_),
                                   next_row_ + std::min(piece_rows, options_.rows.end - next_row_));
      rows -= end - next_row_;
      pieces.push_back({.begin = next_row_, .end = end});
      next_row_ = end;
    }
    return pieces;
  }

  /// Makes one of the first pieces as long as they are small.
  Status JoinSmallPieces() {
    int64_t rows = 0;
    int64_t bytes = 0;
    std::vector<std::shared_ptr<arrow::RecordBatch>> small;
    for (const Ready& ready : ready_) {
      bytes += ready.bytes;
      if (ready.given > 0 || bytes > kSmallBytes) break;
      rows += ready.batch->num_rows();
      small.push_back(ready.batch);
    }
    if (small.size() < 2 || source_->schema()->num_fields() == 0) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto joined, arrow::ConcatenateRecordBatches(small, context_.pool));
    ready_.erase(ready_.begin() + 1, ready_.begin() + std::ssize(small));
    ready_.front() = {.batch = std::move(joined), .bytes = bytes, .batch_rows = rows};
    return Status::OK();
  }

  /// Whether the next step shall be a small one, that tells how large rows are: cut by a guess that
  /// is far too high, the many others would be read in pieces that are not worth it.
  bool IsTrial(int64_t batch_rows) const {
    return options_.starts_wide && !row_size_.is_known && next_row_ == options_.rows.begin &&
           options_.rows.length() / kWorthTrial > batch_rows;
  }

  /// Decides what the next step reads.
  std::unique_ptr<Step> PlanStep() {
    const int64_t batch_rows = std::min(BatchRows(row_size_.bytes), most_rows_);
    int64_t most =
        std::clamp(options_.read_ahead_bytes / 2 / row_size_.bytes, batch_rows, kMostBatchRows);
    const bool is_trial = IsTrial(batch_rows);
    if (is_trial) most = batch_rows * kTrialBatches * context_.executor->parallelism();
    step_rows_ =
        std::min(RoundUp(std::clamp(step_rows_, batch_rows, most), batch_rows), most_rows_);
    const int64_t share = step_rows_ / context_.executor->parallelism() + 1;
    const int64_t piece_rows =
        RoundUp(std::min(share, options_.piece_bytes / row_size_.bytes + 1), batch_rows);
    auto step = std::make_unique<Step>();
    step->pieces = CutPieces(step_rows_, piece_rows);
    step->results.resize(step->pieces.size());
    const int64_t groups = kGroupsOfThread * context_.executor->parallelism();
    GroupPieces(std::min(piece_rows, step_rows_ / groups), step.get());
    step_rows_ = is_trial ? options_.rows.length() : step_rows_ * 2;
    return step;
  }

  /// Puts pieces into groups of about so many rows.
  static void GroupPieces(int64_t group_rows, Step* step) {
    int64_t rows = 0;
    for (size_t i = 0; i < step->pieces.size(); ++i) {
      rows += step->pieces[i].length();
      if (rows < group_rows && i + 1 < step->pieces.size()) continue;
      step->group_ends.push_back(i + 1);
      rows = 0;
    }
  }

  Status ReadGroup(Step* step, int64_t group) const {
    const size_t begin = group == 0 ? 0 : step->group_ends[group - 1];
    const size_t end = step->group_ends[group];
    for (size_t i = begin; i < end; ++i) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      ARROW_ASSIGN_OR_RAISE(step->results[i], source_->Read(step->pieces[i], context_));
    }
    if (!options_.gives_pieces) return Status::OK();
    return JoinSmallResults(std::span(step->results).subspan(begin, end - begin));
  }

  /// Makes one of small pieces that follow each other: what an array costs its user beside its
  /// values is more than a copy of them. The last of them gets the rows of all.
  Status JoinSmallResults(std::span<RowSource::Piece> results) const {
    if (results.size() < 2 || source_->schema()->num_fields() == 0) return Status::OK();
    std::vector<std::shared_ptr<arrow::RecordBatch>> small;
    int64_t bytes = 0;
    for (size_t i = 0; i < results.size(); ++i) {
      bytes += results[i].bytes;
      if (results[i].batch != nullptr) small.push_back(std::move(results[i].batch));
      const bool is_last = i + 1 == results.size() || bytes + results[i + 1].bytes > kSmallBytes;
      if (!is_last) continue;
      if (small.size() == 1) results[i].batch = std::move(small[0]);
      if (small.size() > 1) {
        ARROW_ASSIGN_OR_RAISE(results[i].batch,
                              arrow::ConcatenateRecordBatches(small, context_.pool));
      }
      small.clear();
      bytes = 0;
    }
    return Status::OK();
  }

  Status Read(Step* step) const {
    if (step->work != nullptr) return step->work->Wait();
    return context_.executor->ParallelFor(
        std::ssize(step->group_ends), [&](int64_t i) { return ReadGroup(step, i); }, context_.stop,
        nullptr);
  }

  /// Reads a few rows to see how large they are, if that cannot be known. They are read again.
  Status MeasureRows() {
    RowRange rows{.begin = next_row_};
    rows.end =
        std::min({next_row_ + kMeasuredRows, options_.rows.end, source_->PieceEnd(next_row_)});
    ARROW_ASSIGN_OR_RAISE(const RowSource::Piece piece, source_->ReadSample(rows, context_));
    row_size_.bytes = std::max(row_size_.bytes, piece.bytes / rows.length());
    return Status::OK();
  }

  /// Reads until there is a piece with rows or nothing is left, and begins to read what follows.
  Status FillReady() {
    const bool is_first = next_row_ == options_.rows.begin;
    if (is_first && !row_size_.is_known && !options_.starts_wide &&
        options_.rows.length() > kMeasuredRows * 16) {
      ARROW_RETURN_NOT_OK(MeasureRows());
    }
    while (ready_.empty() && (step_ != nullptr || next_row_ < options_.rows.end)) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      if (step_ == nullptr) step_ = PlanStep();
      const std::unique_ptr<Step> step = std::move(step_);
      const Status status = Read(step.get());
      const int64_t first = step->pieces.front().begin;
      if (status.IsOutOfMemory() && next_row_ - first > 1) {
        most_rows_ = (next_row_ - first) / 4 + 1;
        next_row_ = first;
        continue;
      }
      ARROW_RETURN_NOT_OK(status);
      Collect(step.get());
      StartStep();
    }
    return Status::OK();
  }

  void Collect(Step* step) {
    int64_t bytes = 0;
    int64_t rows_read = 0;
    // Of pieces whose rows the next one with a batch has.
    int64_t joined_bytes = 0;
    int64_t joined_rows = 0;
    for (size_t i = 0; i < step->pieces.size(); ++i) {
      const int64_t rows = step->pieces[i].length();
      RowSource::Piece& result = step->results[i];
      bytes += result.bytes;
      joined_bytes += result.bytes;
      joined_rows += rows;
      // Of rows that need not be read at all nothing is learned.
      if (result.bytes > 0) rows_read += rows;
      if (result.batch == nullptr || result.batch->num_rows() == 0) continue;
      const int64_t row_bytes = std::max<int64_t>(1, joined_bytes / joined_rows);
      ready_.push_back({.batch = std::move(result.batch),
                        .bytes = joined_bytes,
                        .batch_rows = BatchRows(row_bytes)});
      joined_bytes = 0;
      joined_rows = 0;
    }
    if (rows_read > 0) row_size_.bytes = std::max<int64_t>(1, bytes / rows_read);
  }

  /// Begins to read the next step, if its rows will be wanted.
  void StartStep() {
    int64_t rows = -skip_;
    for (const Ready& ready : ready_) rows += ready.batch->num_rows();
    if (rows >= remaining_ || next_row_ >= options_.rows.end) return;
    step_ = PlanStep();
    step_->work = context_.executor->Start(
        std::ssize(step_->group_ends),
        [this, step = step_.get()](int64_t i) { return ReadGroup(step, i); }, context_.stop);
  }

  const std::shared_ptr<const RowSource> source_;
  const BatchStreamOptions options_;
  const OperationContext context_;
  int64_t next_row_;                    ///< that no piece has yet
  int64_t skip_;                        ///< rows to drop
  int64_t remaining_;                   ///< rows still to give
  RowSize row_size_;                    ///< of late
  int64_t step_rows_;                   ///< of the next step
  int64_t most_rows_ = kMostBatchRows;  ///< in a step, by what the pool had to give
  std::unique_ptr<Step> step_;          ///< the next one, being read
  std::deque<Ready> ready_;
  /// Given again if asked again: what follows the pieces that failed would look like what follows
  /// those before.
  Status failure_;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> MakeBatchStream(std::shared_ptr<const RowSource> source,
                                                          const BatchStreamOptions& options,
                                                          OperationContext context) {
  return std::make_shared<BatchStream>(std::move(source), options, std::move(context));
}

RowSize GuessRowSize(const arrow::Schema& schema, int64_t stored_row_bytes) {
  RowSize size{.bytes = 1, .is_known = true};
  for (const auto& field : schema.fields()) {
    size.bytes += GuessValueBytes(*field->type());
    size.is_known = size.is_known && HasKnownSize(*field->type());
  }
  if (!size.is_known) size.bytes = std::max(size.bytes, stored_row_bytes);
  return size;
}

}  // namespace tusk::lance
