#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/encodings/row_range.h"

namespace tusk::lance {

/// Bytes of a row.
struct RowSize {
  int64_t bytes = 1;  ///< at least 1
  bool is_known = false;
};

/// Rows by position that can be read in pieces, by several threads at once.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  /// Before any row has been read.
  virtual RowSize GuessRowSize() const = 0;
  /// Where the piece that begins at `row` must end at the latest.
  virtual int64_t PieceEnd(int64_t row) const = 0;

  struct Piece {
    std::shared_ptr<arrow::RecordBatch> batch;  ///< null if a filter left no row of it
    int64_t bytes = 0;                          ///< of the batch and of what a filter has read
  };
  virtual Result<Piece> Read(RowRange rows, const OperationContext& context) const = 0;
  /// The same for rows that are read for their size alone, and then again.
  virtual Result<Piece> ReadSample(RowRange rows, const OperationContext& context) const {
    return Read(rows, context);
  }
};

struct BatchStreamOptions {
  RowRange rows;
  int64_t skip = 0;                                     ///< rows that are read and not given
  int64_t limit = std::numeric_limits<int64_t>::max();  ///< rows to give
  int64_t batch_rows = 8192;                            ///< at most so many rows in a batch
  int64_t batch_bytes = 64 << 20;                       ///< batches are cut to stay near this
  int64_t read_ahead_bytes = int64_t{256} << 20;        ///< decoded ahead of the caller
  /// About so many decoded bytes are read by one thread at once: enough to be worth it.
  int64_t piece_bytes = 8 << 20;
  bool starts_wide = false;   ///< the first step is as large as the others: all rows are wanted
  bool gives_pieces = false;  ///< uncut, whatever a batch may have; small ones joined
};

/// Reads the rows in order, in pieces on the executor, and gives them in batches of exactly
/// `batch_rows` where neither bytes, a filter nor the end of a piece makes them shorter. A step of
/// reading begins at one batch, so that the first rows come soon, and doubles up to half of the
/// read-ahead: while the rows of one step are given, the next is read. Where rows turn out to need
/// more memory than the pool of `context` has left, steps become smaller, down to one row.
/// What `context` borrows must outlive the reader, which is of no use in a forked child.
std::shared_ptr<arrow::RecordBatchReader> MakeBatchStream(std::shared_ptr<const RowSource> source,
                                                          const BatchStreamOptions& options,
                                                          OperationContext context);

/// The size of a row of these columns before any has been read. By their types where those tell,
/// else by the bytes that a row has in its file: too many rather than too few, because a first
/// batch of pictures must not be one of a thousand.
RowSize GuessRowSize(const arrow::Schema& schema, int64_t stored_row_bytes);

}  // namespace tusk::lance
