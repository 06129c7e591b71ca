#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/filter.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/encodings/row_range.h"
#include "tusk/lance/file/range_cache.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// An open Lance file: footer, schema and the metadata of the columns that were asked for.
/// Immutable and thread-safe; callers keep one and read from it many times.
class FileReader {
 public:
  /// Opens with one tail read in the usual case. Corrupt names path and offset; Unsupported names
  /// the version (V1 and 2.3 are recognised and refused by name). `ranges` serves TakeAgain.
  static Result<std::shared_ptr<const FileReader>> Open(
      io::ObjectStore* store, std::string_view path, const OperationContext& context,
      std::shared_ptr<RangeCache> ranges = nullptr);
  virtual ~FileReader() = default;

  /// As the file's own descriptor has it; field ids included.
  virtual const Schema& schema() const = 0;
  virtual int64_t num_rows() const = 0;
  /// The data version is 2.`minor_version()`.
  virtual uint16_t minor_version() const = 0;
  virtual int64_t file_size() const = 0;
  /// About how much memory the reader takes, with what it has read or will still read of the
  /// metadata and page indices of the columns that were asked for.
  virtual int64_t memory_bytes() const = 0;

  /// One field to read, with all below it, and the numbers of the physical columns that hold it,
  /// in the order of PhysicalColumns. A table reads by the field ids and column indices of its
  /// manifest, not by the names of the file.
  struct Column {
    Field field;
    std::vector<int32_t> columns;
  };
  /// The file's own fields that `paths` name, as Schema::ProjectPaths has them.
  virtual Result<std::vector<Column>> FindColumns(std::span<const std::string> paths) const = 0;

  /// What the annex, or else the width of packed numbers, says of the values of `column` in `rows`,
  /// at least one: an entry for each page that holds some of them. A single one of which nothing is
  /// known for fields with several columns and data version 2.0. Corrupt if the annex is damaged.
  virtual Result<std::vector<expr::ColumnRange>> PageRanges(
      const Column& column, RowRange rows, const OperationContext& context) const = 0;

  /// Decodes rows of the columns. All ranges of all columns are submitted to the store at once.
  /// InvalidArgument if `rows` is not inside the file. A column that does not fit 2 GiB of text in
  /// `rows` fails with InvalidArgument that says to read fewer rows.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> ReadRange(
      std::span<const Column> columns, RowRange rows, const OperationContext& context) const = 0;
  /// The same, but columns whose pages store rows as codes of few values may come so, for who asks
  /// about values and not about rows: as dictionary arrays of their type, with indices of 32 bits.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> ReadCodes(
      std::span<const Column> columns, RowRange rows, const OperationContext& context) const = 0;
  /// The rows in the order asked, duplicates kept; touches only the chunks that hold them.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Take(
      std::span<const Column> columns, std::span<const int64_t> rows,
      const OperationContext& context) const = 0;
  /// The same for rows after which others of the same chunks will be asked for, as of a user who
  /// reads at random: bytes that are read more than once stay in memory.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> TakeAgain(
      std::span<const Column> columns, std::span<const int64_t> rows,
      const OperationContext& context) const = 0;
};

}  // namespace tusk::lance
