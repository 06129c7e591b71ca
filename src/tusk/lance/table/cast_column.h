#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

/// `field` with another type of the same family and new ids, its metadata left out.
/// InvalidArgument, naming `path`, for a type of another family.
Result<Field> RetypeField(const Field& field, const std::shared_ptr<arrow::DataType>& type,
                          const std::string& path, int32_t* next_id);

/// A field that gets another type.
struct ColumnCast {
  std::string path;               ///< of the field as it was
  int32_t field_id = 0;           ///< of the field as it will be
  const Field* source = nullptr;  ///< as it was
};

/// How columns are read as they are and given as they will be, with the parts of other types only.
class CastPlan {
 public:
  /// The fields as they were and as they will be. InvalidArgument for a part of a map or of a
  /// packed struct.
  static Result<CastPlan> Make(const Schema& before, const Schema& altered,
                               const std::vector<ColumnCast>& casts);

  /// The top-level columns to read, as paths.
  const std::vector<std::string>& columns() const { return columns_; }
  /// The fields with other types, inside their parents.
  const Schema& written() const { return written_; }
  /// Whether rows that lack these fields are fine.
  bool preserves_nullability() const { return preserves_nullability_; }
  /// Batches of `columns()` as those of `written()`. InvalidArgument from the reader, which must
  /// not outlive the plan, if a value does not fit the new type.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      std::shared_ptr<arrow::RecordBatchReader> columns, arrow::MemoryPool* pool) const;

 private:
  std::vector<std::string> columns_;
  Schema written_;
  std::map<int32_t, ColumnCast> casts_;  ///< by the id of the new field
  std::map<int32_t, Field> sources_;     ///< fields as they were, by id
  bool preserves_nullability_ = true;
};

}  // namespace tusk::lance
