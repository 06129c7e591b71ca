#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/iceberg/partition_spec.h"
#include "tusk/iceberg/table.h"

namespace tusk::iceberg {

struct MetadataSnapshot {
  SnapshotInfo info;
  std::string manifest_list;         ///< as written; empty if a version 1 writer listed inline
  std::optional<int32_t> schema_id;  ///< the schema when the snapshot was made
};

/// One step of the branch main: from then on `snapshot_id` was current.
struct SnapshotLogEntry {
  int64_t timestamp_ms = 0;
  int64_t snapshot_id = 0;
};

/// A metadata file of format version 1 or 2, read.
struct TableMetadata {
  int32_t format_version = 2;
  std::string uuid;
  std::string location;  ///< as written
  int64_t last_sequence_number = 0;
  int64_t last_updated_ms = 0;
  int32_t last_column_id = 0;
  int32_t current_schema_id = 0;
  std::map<int32_t, std::shared_ptr<arrow::Schema>> schemas;  ///< never empty
  int32_t default_spec_id = 0;
  int32_t last_partition_id = 0;
  std::map<int32_t, PartitionSpec> specs;  ///< has the default one
  std::map<std::string, std::string> properties;
  std::optional<int64_t> current_snapshot_id;
  std::vector<MetadataSnapshot> snapshots;     ///< ascending by sequence number, then by time
  std::vector<SnapshotLogEntry> snapshot_log;  ///< oldest first
  std::map<std::string, SnapshotRef> refs;     ///< has main if there is a current snapshot
  std::string document;                        ///< the JSON text it was read from

  const std::shared_ptr<arrow::Schema>& schema() const { return schemas.at(current_schema_id); }
  const PartitionSpec& spec() const { return specs.at(default_spec_id); }
  /// Null if there is none with that id.
  const MetadataSnapshot* FindSnapshot(int64_t snapshot_id) const;
  /// The field with the id in the current schema, or in the newest that has it; null if none has.
  std::shared_ptr<arrow::Field> FindColumn(int32_t field_id) const;
};

/// Parses a metadata file. Corrupt if required fields are missing or contradict each other;
/// Unsupported names a format version other than 1 and 2.
Result<TableMetadata> ParseMetadata(std::string_view json);

}  // namespace tusk::iceberg
