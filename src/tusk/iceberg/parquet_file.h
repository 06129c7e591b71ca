#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

struct ParquetReadOptions {
  std::shared_ptr<arrow::Schema> schema;  ///< the columns: stored types with field ids
  int64_t batch_rows = 65536;
  /// Values, by field id, of top-level columns that the file may lack: a partition tells them.
  std::map<int32_t, std::shared_ptr<arrow::Scalar>> constants = {};
};

/// Streams columns of the Parquet file `path`, one row group at a time, in batches of at most
/// `batch_rows`, in the order of the file. Columns are found by field id, at every depth; one that
/// the file lacks has its constant or is null, promoted types are widened. Corrupt if the file
/// breaks its format or lacks a required column; Unsupported if its columns carry no field ids.
/// `context` must outlive the reader.
Result<std::shared_ptr<arrow::RecordBatchReader>> OpenParquet(io::ObjectStore* store,
                                                              std::string_view path,
                                                              ParquetReadOptions options,
                                                              const OperationContext& context);

/// Writes one Parquet file: zstd, field ids, row groups of bounded rows and bytes.
class ParquetWriter {
 public:
  virtual ~ParquetWriter() = default;
  /// `batch` has the schema.
  virtual Status Write(const arrow::RecordBatch& batch) = 0;
  /// Bytes that the file would have now. Rows that are not encoded yet count as those of earlier
  /// row groups came out, or as they are in memory if there are none.
  virtual int64_t EstimatedBytes() const = 0;
  /// The bytes of the row group that is being filled, which are in memory.
  virtual int64_t BufferedBytes() const = 0;
  virtual bool has_row_groups() const = 0;  ///< that are ended
  /// Ends the row group that is being filled.
  virtual Status EndRowGroup() = 0;
  /// Ends the file and makes it visible. Gives all that a manifest says about it but its path.
  virtual Result<DataFile> Finish() = 0;
};

/// `schema` has the stored types and field ids; `schema_json` is it in Iceberg's form, which goes
/// into the file's key-values. `context` must outlive the writer.
Result<std::unique_ptr<ParquetWriter>> CreateParquet(io::ObjectStore* store, std::string_view path,
                                                     const std::shared_ptr<arrow::Schema>& schema,
                                                     std::string_view schema_json,
                                                     const OperationContext& context);

}  // namespace tusk::iceberg
