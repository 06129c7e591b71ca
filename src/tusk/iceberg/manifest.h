#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/iceberg/avro_file.h"
#include "tusk/iceberg/transform.h"

namespace tusk::iceberg {

/// What a data or delete file holds (field 134), and what a manifest lists (field 517).
enum class FileContent { kData = 0, kPositionDeletes = 1, kEqualityDeletes = 2 };

/// Values by field id, ascending. A field that is not there is unknown, not zero.
template <typename T>
class FieldMap {
 public:
  using Entry = std::pair<int32_t, T>;
  using value_type = Entry;
  using const_iterator = typename std::vector<Entry>::const_iterator;

  FieldMap() = default;
  FieldMap(std::initializer_list<Entry> entries) : FieldMap(std::vector<Entry>(entries)) {}
  /// Of entries with the same id the last one counts.
  explicit FieldMap(std::vector<Entry> entries) : entries_(std::move(entries)) {
    const auto not_ascending = [](const Entry& a, const Entry& b) { return a.first >= b.first; };
    if (std::ranges::adjacent_find(entries_, not_ascending) == entries_.end()) return;
    std::map<int32_t, T> last;
    for (Entry& entry : entries_) last.insert_or_assign(entry.first, std::move(entry.second));
    entries_.clear();
    for (auto& [id, value] : last) entries_.emplace_back(id, std::move(value));
  }

  /// Null if there is none.
  const T* Find(int32_t id) const {
    const auto it = std::ranges::lower_bound(entries_, id, {}, &Entry::first);
    return it == entries_.end() || it->first != id ? nullptr : &it->second;
  }
  bool contains(int32_t id) const { return Find(id) != nullptr; }
  const T& at(int32_t id) const { return *Find(id); }  ///< which must be there
  T& operator[](int32_t id) {
    // Ids come ascending nearly always.
    if (entries_.empty() || entries_.back().first < id)
      return entries_.emplace_back(id, T()).second;
    const auto it = std::ranges::lower_bound(entries_, id, {}, &Entry::first);
    if (it != entries_.end() && it->first == id) return it->second;
    return entries_.emplace(it, id, T())->second;
  }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  const_iterator begin() const { return entries_.begin(); }
  const_iterator end() const { return entries_.end(); }
  bool operator==(const FieldMap&) const = default;

 private:
  std::vector<Entry> entries_;
};

/// A data or delete file as a manifest describes it (`data_file` in the specification).
struct DataFile {
  FileContent content = FileContent::kData;
  std::string path;                                ///< as written: with or without a scheme
  std::string format;                              ///< as written: "PARQUET"; compare without case
  FieldMap<std::optional<std::string>> partition;  ///< by partition field; single values
  int64_t record_count = 0;
  int64_t size_bytes = 0;
  FieldMap<int64_t> column_sizes;  ///< bytes
  FieldMap<int64_t> value_counts;  ///< nulls and NaNs included
  FieldMap<int64_t> null_value_counts;
  FieldMap<int64_t> nan_value_counts;
  FieldMap<std::string> lower_bounds;  ///< single-value serialization
  FieldMap<std::string> upper_bounds;
  std::optional<std::string> key_metadata;
  std::vector<int64_t> split_offsets;  ///< ascending
  std::vector<int32_t> equality_ids;   ///< of equality deletes
  std::optional<int32_t> sort_order_id;
  std::optional<std::string> referenced_data_file;  ///< of position deletes of one file alone
  bool operator==(const DataFile&) const = default;
};

/// One line of a manifest.
struct ManifestEntry {
  enum class Change { kExisting = 0, kAdded = 1, kDeleted = 2 };
  Change change = Change::kAdded;
  std::optional<int64_t> snapshot_id;
  std::optional<int64_t> sequence_number;  ///< absent: that of the manifest, once it is listed
  std::optional<int64_t> file_sequence_number;
  DataFile file;
  bool operator==(const ManifestEntry&) const = default;
};

/// What a manifest list tells of the values of one partition field in a manifest.
struct PartitionSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan = std::nullopt;
  std::optional<std::string> lower_bound =
      std::nullopt;  ///< single value; of values neither null nor NaN
  std::optional<std::string> upper_bound = std::nullopt;
  bool operator==(const PartitionSummary&) const = default;
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
  /// In the order of the spec's fields; absent if nothing is told.
  std::optional<std::vector<PartitionSummary>> partitions;
  std::optional<std::string> key_metadata;
  bool operator==(const ManifestFile&) const = default;
};

/// Corrupt if `size`, the bytes of the file, are fewer than the list says of `manifest`: whoever
/// reads Avro does not miss the blocks that are cut off.
Status CheckWhole(const ManifestFile& manifest, int64_t size);

struct ManifestReadOptions {
  /// The columns whose counts and bounds are kept, ascending; all if absent.
  std::optional<std::vector<int32_t>> columns;
  /// Where the manifest lies, which every error names; left out if empty.
  std::string path = {};
};

/// Reads a manifest some entries at a time: of what it says, no more than one inflated block and
/// those entries are held. Fields are found by id, so that unknown ones do no harm.
class ManifestReader {
 public:
  /// Corrupt if it breaks Avro or lacks what is required.
  static Result<ManifestReader> Open(std::shared_ptr<arrow::Buffer> bytes,
                                     ManifestReadOptions options = {});

  /// Puts the next entries into `entries`, in the order of the file, DELETED ones included: up to a
  /// thousand, fewer if they are large. Returns false behind the last.
  Result<bool> Next(std::vector<ManifestEntry>* entries);

 private:
  Result<bool> Decode(std::vector<ManifestEntry>* entries);
  ManifestReader(std::shared_ptr<arrow::Buffer> bytes, AvroFile file, ManifestReadOptions options);

  std::shared_ptr<arrow::Buffer> bytes_;
  AvroFile file_;
  ManifestReadOptions options_;
  size_t position_ = 0;
  std::optional<AvroBlock> block_;
};

/// All entries of a manifest. Corrupt if they would take memory out of all proportion to `bytes`.
Result<std::vector<ManifestEntry>> ParseManifest(std::string_view bytes);

/// What a manifest says about itself. `partition_fields` are those of the spec with the types of
/// their values, as PartitionFields gives them.
struct ManifestHeader {
  FileContent content = FileContent::kData;
  std::string schema_json;  ///< the table's schema
  int32_t schema_id = 0;
  PartitionSpec spec;
  std::vector<std::shared_ptr<arrow::Field>> partition_fields;
};

/// Builds the file of a manifest (version 2) and what a list tells of it.
class ManifestBuilder {
 public:
  explicit ManifestBuilder(ManifestHeader header);
  ~ManifestBuilder();

  /// Of an ADDED entry sequence numbers are left to be inherited, whatever it has. Corrupt if the
  /// rows of all entries are more than can be counted.
  Status Append(const ManifestEntry& entry);
  int64_t entry_count() const;
  /// The file. Fills in `listed` all but path, sequence number and adding snapshot; its least
  /// sequence number is that of the EXISTING entries, or `sequence_number` if there is none.
  Result<std::string> Finish(int64_t sequence_number, ManifestFile* listed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Parses a manifest list of a version 1 or 2 table. Corrupt if it would take memory out of all
/// proportion to `bytes`.
Result<std::vector<ManifestFile>> ParseManifestList(std::string_view bytes);

/// The file of a manifest list (version 2). Unsupported if a version 1 writer left counts out.
Result<std::string> FormatManifestList(const std::vector<ManifestFile>& manifests,
                                       int64_t snapshot_id,
                                       std::optional<int64_t> parent_snapshot_id,
                                       int64_t sequence_number);

}  // namespace tusk::iceberg
