#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/blob.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/schema.h"
#include "tusk/lance/table/blob_files.h"
#include "tusk/lance/table/blob_finder.h"

namespace tusk::lance {

/// Puts the bytes of blobs, as large_binary, in the place of their descriptors, at any depth of the
/// columns of a batch. Not thread-safe.
class BlobBytes {
 public:
  /// A column of the batches; `field` is null if it is none of the table.
  struct Column {
    const Field* field = nullptr;
    std::string name;  ///< for errors
  };

  /// `dataset`, the fields and what `context` borrows must outlive it. Unsupported for blobs in
  /// fixed-size lists and maps.
  static Result<BlobBytes> Make(const Dataset::State& dataset, std::vector<Column> columns,
                                const arrow::Schema& scanned, const OperationContext& context);

  /// Of the batches with bytes.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// Finds the blobs of all rows of `batch`, whose rows have these addresses. The errors of
  /// BlobFinder.
  Status Find(std::shared_ptr<arrow::RecordBatch> batch, const arrow::UInt64Array& addresses);
  /// Corrupt if they claim more bytes of files than these have (BlobFinder::CheckClaims).
  Status CheckClaims() const;
  /// Rows from `begin` on whose blobs have no more than so many bytes, one at least.
  int64_t CountRows(int64_t begin, int64_t most_bytes) const;
  /// These rows of the batch, with the bytes.
  Result<std::shared_ptr<arrow::RecordBatch>> Read(int64_t begin, int64_t rows) const;

 private:
  /// What is known of the values of an array: that of a column, or one below it.
  struct Values {
    std::vector<bool> is_null;  ///< by what is above the array
    std::vector<uint64_t> addresses;
    /// Where the values of each row of the batch begin, and in the end their number.
    std::vector<int64_t> begins;
  };
  /// The blobs of a field, of all rows of the batch.
  struct Leaf {
    std::vector<FoundBlob> blobs;
    std::vector<int64_t> begins;  ///< as in Values
  };
  class BytesArray;

  BlobBytes(std::vector<Column> columns, const OperationContext& context)
      : columns_(std::move(columns)), context_(context) {}
  void AddFinders(const Dataset::State& dataset, const Field& field, const std::string& name);
  Status FindIn(const Field& field, const std::shared_ptr<arrow::Array>& array, Values values);
  template <typename ListArray>
  Status FindInItems(const Field& field, const ListArray& lists, const Values& values);
  Result<std::shared_ptr<arrow::Array>> PutIn(const Field& field,
                                              const std::shared_ptr<arrow::Array>& array,
                                              const std::shared_ptr<arrow::DataType>& type,
                                              std::vector<BytesArray>* arrays,
                                              size_t* number) const;
  template <typename ListArray>
  Result<std::shared_ptr<arrow::Array>> PutInItems(const Field& field, const ListArray& lists,
                                                   const std::shared_ptr<arrow::DataType>& type,
                                                   std::vector<BytesArray>* arrays,
                                                   size_t* number) const;

  std::vector<Column> columns_;
  const OperationContext& context_;
  std::shared_ptr<BlobFiles> files_ = std::make_shared<BlobFiles>();
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<BlobFinder> finders_;  ///< one for each field of blobs in the columns, in their order
  std::shared_ptr<arrow::RecordBatch> batch_;
  std::vector<Leaf> found_;  ///< in the order of the finders
};

}  // namespace tusk::lance
