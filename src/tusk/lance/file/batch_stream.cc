#include "tusk/lance/file/batch_stream.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace tusk::lance {
namespace {

/// Decoded bytes from which on a piece is worth a thread of its own.
constexpr int64_t kPieceBytes = 8 << 20;

/// Keeps sums of row counts inside 64 bits whatever a caller or a file claims.
constexpr int64_t kMostBatchRows = int64_t{1} << 40;

/// A value of text, bytes or a list, of which the type does not tell the size.
constexpr int64_t kGuessedValueBytes = 256;

int64_t GuessValueBytes(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
      return int64_t{list.list_size()} * GuessValueBytes(*list.value_type());
    }
    case arrow::Type::STRUCT: {
      int64_t bytes = 1;
      for (const auto& field : type.fields()) bytes += GuessValueBytes(*field->type());
      return bytes;
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
        row_bytes_(std::max<int64_t>(1, source_->GuessRowBytes())),
        window_rows_(options.starts_wide ? options.rows.length() : 1) {}

  std::shared_ptr<arrow::Schema> schema() const override { return source_->schema(); }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    while (remaining_ > 0) {
      if (ready_.empty()) {
        if (failure_.ok()) failure_ = FillWindow();
        ARROW_RETURN_NOT_OK(failure_);
        if (ready_.empty()) return Status::OK();
      }
      Ready& ready = ready_.front();
      const int64_t left = ready.batch->num_rows() - ready.given;
      const int64_t skipped = std::min(skip_, left);
      skip_ -= skipped;
      ready.given += skipped;
      const int64_t rows = std::min({remaining_, left - skipped, ready.batch_rows});
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
    ready_.clear();
    remaining_ = 0;
    return Status::OK();
  }

 private:
  /// A piece that was read, of which the first `given` rows were given.
  struct Ready {
    std::shared_ptr<arrow::RecordBatch> batch;
    int64_t batch_rows = 0;
    int64_t given = 0;
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

  /// Reads until there is a piece with rows or nothing is left.
  Status FillWindow() {
    while (ready_.empty() && next_row_ < options_.rows.end) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      const int64_t batch_rows = BatchRows(row_bytes_);
      const int64_t most =
          std::clamp(options_.read_ahead_bytes / row_bytes_, batch_rows, kMostBatchRows);
      window_rows_ = RoundUp(std::clamp(window_rows_, batch_rows, most), batch_rows);
      const int64_t share = window_rows_ / context_.executor->parallelism() + 1;
      const int64_t piece_rows = RoundUp(std::min(share, kPieceBytes / row_bytes_ + 1), batch_rows);
      ARROW_RETURN_NOT_OK(Read(CutPieces(window_rows_, piece_rows)));
      window_rows_ *= 2;
    }
    return Status::OK();
  }

  Status Read(const std::vector<RowRange>& pieces) {
    std::vector<RowSource::Piece> results(pieces.size());
    ARROW_RETURN_NOT_OK(context_.executor->ParallelFor(
        std::ssize(pieces),
        [&](int64_t i) -> Status {
          ARROW_ASSIGN_OR_RAISE(results[i], source_->Read(pieces[i], context_));
          return Status::OK();
        },
        context_.stop, nullptr));
    int64_t bytes = 0;
    int64_t rows = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
      bytes += results[i].bytes;
      rows += pieces[i].length();
      if (results[i].batch == nullptr || results[i].batch->num_rows() == 0) continue;
      const int64_t row_bytes = std::max<int64_t>(1, results[i].bytes / pieces[i].length());
      ready_.push_back({.batch = std::move(results[i].batch), .batch_rows = BatchRows(row_bytes)});
    }
    row_bytes_ = std::max<int64_t>(1, bytes / rows);
    return Status::OK();
  }

  const std::shared_ptr<const RowSource> source_;
  const BatchStreamOptions options_;
  const OperationContext context_;
  int64_t next_row_;     ///< that no piece has yet
  int64_t skip_;         ///< rows to drop
  int64_t remaining_;    ///< rows still to give
  int64_t row_bytes_;    ///< of late
  int64_t window_rows_;  ///< of the next step
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

int64_t GuessRowBytes(const arrow::Schema& schema, int64_t stored_row_bytes) {
  int64_t bytes = 1;
  bool is_known = true;
  for (const auto& field : schema.fields()) {
    bytes += GuessValueBytes(*field->type());
    is_known = is_known && HasKnownSize(*field->type());
  }
  return is_known ? bytes : std::max(bytes, stored_row_bytes);
}

}  // namespace tusk::lance
