#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"

namespace tusk::iceberg {

/// What a data or delete file holds (field 134), and what a manifest lists (field 517).
enum class FileContent { kData = 0, kPositionDeletes = 1, kEqualityDeletes = 2 };

/// A data or delete file as a manifest describes it (`data_file` in the specification). Maps are by
/// field id; a field that is not in a map is unknown, not zero.
struct DataFile {
  FileContent content = FileContent::kData;
  std::string path;    ///< as written: with or without a scheme
  std::string format;  ///< as written: "PARQUET"; compare without case
  int64_t record_count = 0;
  int64_t size_bytes = 0;
  std::map<int32_t, int64_t> column_sizes;  ///< bytes
  std::map<int32_t, int64_t> value_counts;  ///< nulls and NaNs included
  std::map<int32_t, int64_t> null_value_counts;
  std::map<int32_t, int64_t> nan_value_counts;
  std::map<int32_t, std::string> lower_bounds;  ///< single-value serialization
  std::map<int32_t, std::string> upper_bounds;
  std::vector<int64_t> split_offsets;  ///< ascending
};

/// One line of a manifest.
struct ManifestEntry {
  enum class Change { kExisting = 0, kAdded = 1, kDeleted = 2 };
  Change change = Change::kAdded;
  std::optional<int64_t> snapshot_id;
  std::optional<int64_t> sequence_number;  ///< absent: that of the manifest, once it is listed
  std::optional<int64_t> file_sequence_number;
  DataFile file;
};

/// A manifest as a manifest list describes it (`manifest_file` in the specification).
struct ManifestFile {
  std::string path;
  int64_t length = 0;
  int32_t partition_spec_id = 0;
  FileContent content = FileContent::kData;  ///< data, or deletes of either kind
  int64_t sequence_number = 0;
  int64_t min_sequence_number = 0;
  int64_t added_snapshot_id = 0;
  /// Absent where a version 1 writer left them out.
  std::optional<int64_t> added_files, existing_files, deleted_files;
  std::optional<int64_t> added_rows, existing_rows, deleted_rows;
  int64_t partition_fields = 0;  ///< summaries in field 507, which are not kept
};

/// Parses a manifest. Entries come in the order of the file, DELETED ones included. Fields are
/// found by id, so that unknown ones do no harm. Corrupt if it breaks Avro or lacks what is
/// required.
Result<std::vector<ManifestEntry>> ParseManifest(std::string_view bytes);

/// The file of a data manifest (version 2, unpartitioned) that adds `files` in the snapshot
/// `snapshot_id`. Sequence numbers are left to be inherited.
/// `schema_json` is the table's schema in its JSON form.
Result<std::string> FormatDataManifest(const std::vector<DataFile>& files, int64_t snapshot_id,
                                       std::string_view schema_json, int32_t schema_id);

/// Parses a manifest list of a version 1 or 2 table.
Result<std::vector<ManifestFile>> ParseManifestList(std::string_view bytes);

/// The file of a manifest list (version 2). Manifests of partitioned specs are InvalidArgument: the
/// summaries of their partitions are not kept.
Result<std::string> FormatManifestList(const std::vector<ManifestFile>& manifests,
                                       int64_t snapshot_id,
                                       std::optional<int64_t> parent_snapshot_id,
                                       int64_t sequence_number);

}  // namespace tusk::iceberg
