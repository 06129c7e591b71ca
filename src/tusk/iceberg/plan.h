#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/expr/filter.h"
#include "tusk/iceberg/file_pruning.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/metadata.h"
#include "tusk/iceberg/table.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

/// A file with position deletes.
struct DeleteFile {
  std::string path;  ///< of the store
  int64_t sequence_number = 0;
  int32_t spec_id = 0;
  DataFile file;
};

/// A data file that is read, and the deletes that may name rows of it.
struct FileTask {
  DataFile file;
  std::string path;  ///< of the store
  int32_t spec_id = 0;
  std::vector<std::shared_ptr<const DeleteFile>> deletes;
};

/// The data files of a snapshot that can have rows of a filter, one after the other. One manifest
/// is held at a time, and a thousand of its entries at the most are decoded; delete files are all
/// known from the start.
class FilePlan {
 public:
  /// `filter` may be null; it is bound to fields of `schema`. `snapshot` null plans nothing. The
  /// plan keeps `table` and looks at no counts and bounds but those of the filter's columns.
  /// Unsupported if there are equality deletes.
  static Result<FilePlan> Make(std::shared_ptr<const Table::State> table,
                               const MetadataSnapshot* snapshot, const expr::Filter::Bound* filter,
                               const std::shared_ptr<arrow::Schema>& schema,
                               const OperationContext& context);
  FilePlan(FilePlan&&) noexcept;
  FilePlan& operator=(FilePlan&&) noexcept;
  ~FilePlan();

  /// Nothing behind the last. Unsupported if a file is not Parquet.
  Result<std::optional<FileTask>> Next(const OperationContext& context);

 private:
  struct State;
  explicit FilePlan(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tusk::iceberg
