#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/export.h"
#include "tusk/expr/filter.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

/// One snapshot as the table's metadata tells it.
struct SnapshotInfo {
  int64_t snapshot_id = 0;
  std::optional<int64_t> parent_snapshot_id;
  int64_t sequence_number = 0;
  int64_t timestamp_ms = 0;
  std::map<std::string, std::string> summary;  ///< "operation" is among the keys
};

struct ScanOptions {
  std::optional<std::vector<std::string>> columns;  ///< top-level, in this order; all if absent
  std::shared_ptr<const expr::Filter> filter;       ///< may be null; prunes files by bounds too
  std::optional<int64_t> snapshot_id;               ///< the current one if absent
  std::optional<int64_t> limit;                     ///< rows after the filter
  int64_t batch_rows = 65536;
};

/// One immutable state of an Iceberg table: a metadata file, read. Thread-safe.
class TUSK_EXPORT Table {
 public:
  /// Reads the metadata file. `metadata_location` is absolute (a path or file:// URI). NotFound;
  /// Corrupt; Unsupported names the format version (1 and 2 are read; 3 and up are not yet).
  static Result<std::shared_ptr<const Table>> Open(std::shared_ptr<io::ObjectStore> store,
                                                   std::string_view metadata_location,
                                                   const OperationContext& context);
  ~Table();

  const std::string& metadata_location() const;
  const std::string& uuid() const;
  const std::string& location() const;
  const std::shared_ptr<arrow::Schema>& schema()
      const;  ///< current; field metadata PARQUET:field_id
  std::optional<int64_t> current_snapshot_id() const;
  const std::vector<SnapshotInfo>& snapshots() const;  ///< ascending by sequence number
  const std::map<std::string, std::string>& properties() const;

  /// Streams the live rows. Columns are found by field id. Unsupported if the snapshot has delete
  /// files, or data files that are not Parquet. NotFound for an unknown column or snapshot.
  /// `context` must outlive the reader; the reader keeps what else it needs.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Scan(const ScanOptions& options,
                                                         const OperationContext& context) const;
  /// With no filter from the manifests alone.
  Result<int64_t> CountRows(std::shared_ptr<const expr::Filter> filter,
                            std::optional<int64_t> snapshot_id,
                            const OperationContext& context) const;

  struct State;
  explicit Table(std::unique_ptr<State> state);
  const State& state() const { return *state_; }  ///< for the library's own operations

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tusk::iceberg
