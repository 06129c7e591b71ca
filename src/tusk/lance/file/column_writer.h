#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/encodings/rows_view.h"
#include "tusk/lance/encodings/value_shape.h"
#include "tusk/lance/file/column_metadata.h"

namespace tusk::lance {

/// Rows of one column that are not yet enough for a page, in memory of our own: a slice of a
/// caller's batch would keep all of that batch alive.
class PendingRows {
 public:
  PendingRows(const ValueShape* shape, arrow::MemoryPool* pool);
  ~PendingRows();

  int64_t num_rows() const { return num_rows_; }
  /// Bytes of Arrow memory that the rows take.
  int64_t arrow_bytes() const;
  Status Append(const RowsView& rows);
  RowsView View() const;
  void Clear();

 private:
  /// Makes room for `bytes` in `buffer`, growing by doubling.
  Status Grow(int64_t bytes, std::unique_ptr<arrow::ResizableBuffer>* buffer);

  const ValueShape* shape_;
  arrow::MemoryPool* pool_;
  int64_t num_rows_ = 0;
  int64_t num_bytes_ = 0;  ///< variable shapes: bytes of all values
  bool has_nulls_ = false;
  std::unique_ptr<arrow::ResizableBuffer> validity_;
  std::unique_ptr<arrow::ResizableBuffer> offsets_;
  std::unique_ptr<arrow::ResizableBuffer> values_;
};

/// Gathers the rows of one column and writes them as pages.
class ColumnWriter {
 public:
  ColumnWriter(ValueShape shape, int64_t page_bytes, io::ObjectWriter* file,
               const OperationContext& context);

  /// Takes the rows, writing every page that becomes full. `rows` has this column's shape().
  Status Append(const RowsView& rows);
  /// Writes what is left and answers the column's metadata.
  Result<ColumnMetadata> Finish();

  const ValueShape& shape() const { return *shape_; }

 private:
  Status WritePage(const RowsView& rows);
  Status WritePending();

  std::unique_ptr<const ValueShape> shape_;
  int64_t page_bytes_;
  io::ObjectWriter* file_;
  const OperationContext& context_;
  PendingRows pending_;
  ColumnMetadata metadata_;
  int64_t rows_written_ = 0;
};

}  // namespace tusk::lance
