#pragma once

#include <cstdint>
#include <memory>
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
#include "tusk/lance/table/projection.h"
#include "tusk/lance/table/row_ids.h"
#include "tusk/lance/table/row_map.h"

namespace tusk::lance {

/// Reads columns of one fragment: puts together what its files have of each field, null columns for
/// fields that none of them has, and row ids, and leaves out deleted rows. Immutable and
/// thread-safe.
class FragmentReader {
 public:
  struct Options {
    /// Deleted rows are rows as others, but that their row ids, addresses and offsets are null.
    bool include_deleted = false;
    /// Rows are taken as by FileReader::TakeAgain.
    bool takes_again = false;
    /// Files that a look at their end reads whole are not kept open by the dataset.
    bool reads_once = false;
  };
  /// Opens the files that hold the columns.
  static Result<FragmentReader> Open(const Dataset::State& dataset, const Fragment& fragment,
                                     std::shared_ptr<const Projection> projection,
                                     const OperationContext& context, Options options);

  /// False only if `test`, of the columns of the projection, keeps none of `rows`, by what
  /// the files say of their pages; they are counted without the deleted ones. Few rows are not
  /// worth the question.
  Result<bool> MayMatch(const RowTest& test, RowRange rows, const OperationContext& context) const;
  /// Rows are counted without the deleted ones.
  Result<std::shared_ptr<arrow::RecordBatch>> ReadRange(RowRange rows,
                                                        const OperationContext& context) const;
  /// The same, but columns may come as FileReader::ReadCodes gives them.
  Result<std::shared_ptr<arrow::RecordBatch>> ReadCodes(RowRange rows,
                                                        const OperationContext& context) const;
  /// The rows in the order asked, duplicates kept; counted without the deleted ones.
  Result<std::shared_ptr<arrow::RecordBatch>> Take(std::span<const int64_t> rows,
                                                   const OperationContext& context) const;
  /// The same by offset, as row addresses have it: deleted rows count, and are given if asked for.
  Result<std::shared_ptr<arrow::RecordBatch>> TakeOffsets(std::span<const int64_t> offsets,
                                                          const OperationContext& context) const;

 private:
  /// What one file holds, and of which sources of the projection it is a part.
  struct FilePart {
    std::shared_ptr<const FileReader> reader;
    std::vector<FileReader::Column> columns;
    std::vector<size_t> sources;
  };

  Status AddSource(const Dataset::State& dataset, const Fragment& fragment, size_t source,
                   std::vector<FilePart>* parts, const OperationContext& context) const;
  /// The rows of every source, from what each file has of them.
  template <typename ReadPart>
  Result<std::vector<std::shared_ptr<arrow::Array>>> ReadSources(
      int64_t num_rows, const ReadPart& read_part, const OperationContext& context) const;
  /// Reads what the fragment says of its rows, as far as columns of the projection need it.
  Status ReadLineage(const Dataset::State& dataset, const Fragment& fragment);
  template <typename RowAt>
  Result<std::shared_ptr<arrow::Array>> MakeSystemColumn(Projection::Kind kind, int64_t num_rows,
                                                         const RowAt& row_at,
                                                         arrow::MemoryPool* pool) const;
  template <typename ReadPart, typename RowAt>
  Result<std::shared_ptr<arrow::RecordBatch>> Assemble(int64_t num_rows, const ReadPart& read_part,
                                                       const RowAt& row_at,
                                                       const OperationContext& context) const;

  /// From the first to the last of `rows`, at least one, with the deleted ones between them.
  RowRange OffsetsOf(RowRange rows) const;
  /// The rows by `read_part`, which reads a range of offsets, or by single offsets.
  template <typename ReadPart>
  Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(RowRange rows, const ReadPart& read_part,
                                                       const OperationContext& context) const;
  /// Whether rows are counted without some that are deleted.
  bool skips_deleted() const { return deleted_ != nullptr && !options_.include_deleted; }

  uint64_t fragment_id_ = 0;
  int64_t first_row_ = 0;  ///< of the fragment in scan order
  std::shared_ptr<const Projection> projection_;
  std::vector<FilePart> parts_;
  std::shared_ptr<const RowIdSequence> row_ids_;  ///< null if ids are addresses
  RowVersions created_at_;
  RowVersions updated_at_;
  std::shared_ptr<const DeletedRows> deleted_;  ///< null if no row is
  Options options_;
};

}  // namespace tusk::lance
