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
#include "tusk/iceberg/partition_spec.h"
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

/// A name for a snapshot: a branch, which commits move, or a tag, which stays.
struct SnapshotRef {
  std::string name;
  bool is_tag = false;
  int64_t snapshot_id = 0;
  std::optional<int64_t> max_ref_age_ms = std::nullopt;  ///< how long the reference is kept
  std::optional<int64_t> max_snapshot_age_ms =
      std::nullopt;  ///< branches: how long its snapshots are kept
  std::optional<int64_t> min_snapshots_to_keep = std::nullopt;  ///< branches
};

/// Which snapshot is read: at most one of the members is set, the current one if none is.
struct SnapshotChoice {
  std::optional<int64_t> snapshot_id = std::nullopt;
  std::optional<int64_t> as_of_ms =
      std::nullopt;  ///< the one that was current then, by the snapshot log
  std::optional<std::string> ref = std::nullopt;  ///< the one that a branch or tag names
};

struct ScanOptions {
  std::optional<std::vector<std::string>> columns;  ///< top-level, in this order; all if absent
  std::shared_ptr<const expr::Filter> filter;  ///< may be null; prunes files by what manifests tell
  SnapshotChoice snapshot;
  std::optional<int64_t> limit;  ///< rows after the filter
  int64_t batch_rows = 65536;
};

/// What a table tells about itself as a table.
enum class MetadataTable { kSnapshots, kHistory, kFiles, kManifests, kRefs };

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
  const std::map<std::string, SnapshotRef>& refs() const;  ///< by name
  const PartitionSpec& partition_spec() const;             ///< for what is written now
  const std::map<int32_t, PartitionSpec>& partition_specs() const;

  /// Streams the live rows, without those that position deletes name. Columns are found by field
  /// id. Manifests are read as the scan comes to them, and files that cannot have rows of the
  /// filter are not opened. Unsupported if the snapshot has equality deletes, or files that are not
  /// Parquet. NotFound for an unknown column or snapshot. `context` must outlive the reader; the
  /// reader keeps what else it needs.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Scan(const ScanOptions& options,
                                                         const OperationContext& context) const;
  /// With no filter from the manifests, and what delete files there are, alone.
  Result<int64_t> CountRows(std::shared_ptr<const expr::Filter> filter,
                            const SnapshotChoice& snapshot, const OperationContext& context) const;
  /// Streams the data files that a scan with these options opens: file_path, file_format, spec_id,
  /// record_count, file_size_in_bytes, delete_files (list of paths). Columns and limit of the
  /// options count for nothing. Errors and lifetimes as in Scan.
  Result<std::shared_ptr<arrow::RecordBatchReader>> PlanFiles(
      const ScanOptions& options, const OperationContext& context) const;
  /// A table about the table (docs/format/iceberg.md, "Metadata tables"); kFiles and kManifests of
  /// the chosen snapshot, the others of the whole table.
  Result<std::shared_ptr<arrow::Table>> ReadMetadata(MetadataTable which,
                                                     const SnapshotChoice& snapshot,
                                                     const OperationContext& context) const;

  struct State;
  explicit Table(std::unique_ptr<State> state);
  const State& state() const { return *state_; }  ///< for the library's own operations
  const std::shared_ptr<const State>& shared_state() const { return state_; }

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace tusk::iceberg
