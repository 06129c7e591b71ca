#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/plan.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

/// Reads position delete files, and keeps those that were used last, up to a bound in bytes: one of
/// them may name rows of many data files. Used by one thread.
class PositionDeletes {
 public:
  explicit PositionDeletes(std::shared_ptr<io::ObjectStore> store) : store_(std::move(store)) {}

  /// The deleted rows of the task's data file, ascending and unique. Corrupt if one lies outside of
  /// the file.
  Result<std::vector<int64_t>> Find(const FileTask& task, const OperationContext& context);

 private:
  /// The deleted rows by data file, as a delete file has them.
  using Rows = std::unordered_map<std::string, std::vector<int64_t>>;
  struct Kept {
    std::shared_ptr<const Rows> rows;
    int64_t bytes = 0;
    int64_t last_use = 0;
  };

  Result<std::shared_ptr<const Rows>> Load(const DeleteFile& file, const OperationContext& context);
  void Evict();

  std::shared_ptr<io::ObjectStore> store_;
  std::unordered_map<std::string, Kept> kept_;
  int64_t kept_bytes_ = 0;
  int64_t uses_ = 0;
};

/// `batch` without the rows of `deleted`, ascending positions of a file of which `batch` has those
/// from `begin` on.
Result<std::shared_ptr<arrow::RecordBatch>> WithoutRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, int64_t begin,
    const std::vector<int64_t>& deleted, const OperationContext& context);

}  // namespace tusk::iceberg
