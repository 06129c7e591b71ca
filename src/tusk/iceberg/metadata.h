#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/iceberg/table.h"

namespace tusk::iceberg {

struct MetadataSnapshot {
  SnapshotInfo info;
  std::string manifest_list;         ///< as written; empty if a version 1 writer listed inline
  std::optional<int32_t> schema_id;  ///< the schema when the snapshot was made
};

/// A metadata file of format version 1 or 2, read.
struct TableMetadata {
  int32_t format_version = 2;
  std::string uuid;
  std::string location;  ///< as written
  int64_t last_sequence_number = 0;
  int64_t last_updated_ms = 0;
  int32_t current_schema_id = 0;
  std::map<int32_t, std::shared_ptr<arrow::Schema>> schemas;  ///< never empty
  bool is_partitioned = false;  ///< some spec of the table has a field that is not void
  /// Columns that some spec partitions by their own value: a file may leave them out, since the
  /// partition tells the value.
  std::set<int32_t> identity_partition_columns;
  int32_t default_spec_id = 0;
  std::map<std::string, std::string> properties;
  std::optional<int64_t> current_snapshot_id;
  std::vector<MetadataSnapshot> snapshots;  ///< ascending by sequence number, then by time
  std::string document;                     ///< the JSON text it was read from

  const std::shared_ptr<arrow::Schema>& schema() const { return schemas.at(current_schema_id); }
  /// Null if there is none with that id.
  const MetadataSnapshot* FindSnapshot(int64_t snapshot_id) const;
};

/// Parses a metadata file. Corrupt if required fields are missing or contradict each other;
/// Unsupported names a format version other than 1 and 2.
Result<TableMetadata> ParseMetadata(std::string_view json);

/// What a new table begins with.
struct NewTable {
  std::string uuid;
  std::string location;
  std::shared_ptr<arrow::Schema> schema;  ///< becomes schema 0
  std::map<std::string, std::string> properties;
  int64_t timestamp_ms = 0;
  std::optional<MetadataSnapshot> snapshot;  ///< the first one
};

/// The metadata file (version 2) of a new, unpartitioned table.
Result<std::string> FormatNewTable(const NewTable& table);

/// `base` with one more snapshot, on the branch main. `base_location` goes to the metadata log.
/// Everything else in the document stays as it was, unknown members included.
Result<std::string> FormatWithSnapshot(const TableMetadata& base, std::string_view base_location,
                                       const MetadataSnapshot& snapshot);

}  // namespace tusk::iceberg
