#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/reader.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/row_ids.h"

namespace tusk::lance {

inline constexpr std::string_view kRowIdColumn = "_rowid";
inline constexpr std::string_view kRowAddressColumn = "_rowaddr";

/// Columns to read from a version, in output order: of the table, or the row's id or address.
struct Projection {
  enum class Kind { kField, kRowId, kRowAddress };
  struct Column {
    Kind kind = Kind::kField;
    Field field;  ///< kField only
  };
  std::vector<Column> columns;
  std::shared_ptr<arrow::Schema> schema;

  /// The columns `names`, or all of the table if absent. NotFound names what is missing and what
  /// there is; InvalidArgument if a name is asked twice.
  static Result<Projection> Make(const Dataset::State& dataset,
                                 const std::optional<std::vector<std::string>>& names);
};

/// Reads columns of one fragment: puts together its files, null columns for fields that none of
/// them has, and row ids, and leaves out deleted rows. Immutable and thread-safe.
class FragmentReader {
 public:
  /// Opens the files that hold the columns.
  static Result<FragmentReader> Open(const Dataset::State& dataset, const Fragment& fragment,
                                     const Projection& projection, const OperationContext& context);

  /// Rows are counted without the deleted ones.
  Result<std::shared_ptr<arrow::RecordBatch>> ReadRange(RowRange rows,
                                                        const OperationContext& context) const;
  /// The rows in the order asked, duplicates kept; counted without the deleted ones.
  Result<std::shared_ptr<arrow::RecordBatch>> Take(std::span<const int64_t> rows,
                                                   const OperationContext& context) const;
  /// The same by offset, as row addresses have it: deleted rows count, and are given if asked for.
  Result<std::shared_ptr<arrow::RecordBatch>> TakeOffsets(std::span<const int64_t> offsets,
                                                          const OperationContext& context) const;

 private:
  /// Columns that one file holds, and where in the output they go.
  struct FilePart {
    std::shared_ptr<const FileReader> reader;
    std::vector<FileReader::Column> columns;
    std::vector<size_t> positions;
  };

  template <typename ReadPart, typename RowAt>
  Result<std::shared_ptr<arrow::RecordBatch>> Assemble(int64_t num_rows, const ReadPart& read_part,
                                                       const RowAt& row_at,
                                                       const OperationContext& context) const;

  Result<std::shared_ptr<arrow::RecordBatch>> ReadOffsets(RowRange offsets,
                                                          const OperationContext& context) const;

  uint64_t fragment_id_ = 0;
  Projection projection_;
  std::vector<FilePart> parts_;
  std::shared_ptr<const RowIdSequence> row_ids_;  ///< null if ids are addresses
  std::shared_ptr<const DeletedRows> deleted_;    ///< null if no row is
};

}  // namespace tusk::lance
