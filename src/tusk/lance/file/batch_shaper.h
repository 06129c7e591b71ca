#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// The types by which Lance stores view types, at any depth: string_view as string, binary_view as
/// binary, list_view as list, large_list_view as large_list. Names, nullability, metadata and all
/// other types stay. Dictionaries with views as values stay too, and cannot be stored.
std::shared_ptr<arrow::DataType> WithoutViews(const std::shared_ptr<arrow::DataType>& type);
std::shared_ptr<arrow::Schema> WithoutViews(const std::shared_ptr<arrow::Schema>& schema);

/// `array` as the type without views stores it: itself if it has none. CapacityError if a column
/// would have more bytes than it can count.
Result<std::shared_ptr<arrow::ArrayData>> CopyViews(const std::shared_ptr<arrow::ArrayData>& array,
                                                    arrow::MemoryPool* pool);

/// Whether arrays of the one type are stored like those of the other: they may differ in the names
/// of the items of lists and maps, in nullability, in metadata and by extension types.
bool IsStoredAs(const arrow::DataType& data, const arrow::DataType& stored);

/// Gives batches the columns, the order and the types that a file has.
class BatchShaper {
 public:
  /// `data` is the schema of the batches and `schema` that of the file, whose columns `data` has
  /// by name; others are left out. InvalidArgument, naming the column, if there is none or several,
  /// or if its type is not stored as the file has it (WithoutViews, IsStoredAs).
  static Result<BatchShaper> Make(const arrow::Schema& data, const Schema& schema);

  /// Hands the rows of `batch` to `write`, in one piece unless views have more bytes than the type
  /// that stores them can count, 2 GiB. Copies views, and nothing else. InvalidArgument if a column
  /// that must not be null has nulls; the error of `write`.
  Status Shape(const arrow::RecordBatch& batch, const OperationContext& context,
               const std::function<Status(const arrow::RecordBatch&)>& write) const;

 private:
  Result<std::shared_ptr<arrow::RecordBatch>> Convert(const arrow::RecordBatch& batch,
                                                      const OperationContext& context) const;

  std::shared_ptr<arrow::Schema> schema_;  ///< of the file
  std::vector<int> indices_;               ///< of its columns among those of the data
  /// The types to cast its columns to; null for those without views.
  std::vector<std::shared_ptr<arrow::DataType>> casts_;
};

}  // namespace tusk::lance
