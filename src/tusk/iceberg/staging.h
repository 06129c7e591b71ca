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
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/metadata.h"
#include "tusk/iceberg/metadata_edit.h"
#include "tusk/iceberg/table.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

/// A metadata file that is written, durable and that no catalog points to yet. Making it true is
/// the catalog's compare-and-set from `previous_metadata_location` (empty: the table is new).
struct StagedMetadata {
  std::string metadata_location;  ///< absolute
  std::string previous_metadata_location;
  std::string table_uuid;
  /// Of the new snapshot, whose files go if this is given up; nothing if no snapshot is new.
  std::optional<int64_t> snapshot_id;
};

/// Milliseconds since 1970 of this machine's clock.
int64_t NowMs();

/// Removes files that an operation wrote, unless it came to its end.
class WrittenFiles {
 public:
  WrittenFiles(io::ObjectStore* store, const OperationContext& context)
      : store_(store), context_(context) {}
  WrittenFiles(const WrittenFiles&) = delete;
  WrittenFiles& operator=(const WrittenFiles&) = delete;
  ~WrittenFiles();
  void Add(std::string path) { paths_.push_back(std::move(path)); }
  void Keep() { paths_.clear(); }

 private:
  io::ObjectStore* store_;
  const OperationContext& context_;
  std::vector<std::string> paths_;
};

/// Where the files of a table are.
struct TablePlace {
  std::string location;  ///< without a slash at its end; what is written begins with it
  std::string folder;    ///< the same as a path of the store

  static Result<TablePlace> Parse(std::string_view location);
  std::string Location(std::string_view name) const { return io::JoinPath(location, name); }
  std::string Path(std::string_view name) const { return io::JoinPath(folder, name); }
};

/// What an operation writes with. All is borrowed.
struct StagingArea {
  TablePlace place;
  io::ObjectStore* store;
  WrittenFiles* written;
  const OperationContext& context;

  /// Writes a new file `name` of the table.
  Status Put(const std::string& name, std::string_view bytes) const;
};

/// Unsupported if the table is of a format version that is read only.
Status CheckWritable(const Table::State& table);

/// The head of `branch`; null if the branch is not there or the table is empty. InvalidArgument if
/// it is a tag.
Result<const MetadataSnapshot*> BranchHead(const Table::State& table, const std::string& branch);

/// A snapshot after `parent`, the head of a branch (may be null), without its files; of a new table
/// if `base` is null. Its time is later than the table's last change, whatever the clock says.
MetadataSnapshot NextSnapshot(const Table::State* base, const MetadataSnapshot* parent);

/// The same snapshot once more after another state of the table.
void PutAfter(const TableMetadata& base, const MetadataSnapshot* parent, SnapshotInfo* snapshot);

/// Writes a manifest of `entries`, which are not none.
Result<ManifestFile> WriteManifest(ManifestHeader header, const std::vector<ManifestEntry>& entries,
                                   const SnapshotInfo& snapshot, const StagingArea& area);

/// Writes the manifest list of a snapshot and gives its location.
Result<std::string> WriteManifestList(const std::vector<ManifestFile>& manifests,
                                      const SnapshotInfo& snapshot, const StagingArea& area);

/// Adds to `summary` what `files` are under the keys "<prefix>-data-files", "<prefix>-records" and
/// "<files_size>"; nothing where there is nothing.
void Summarize(const std::vector<DataFile>& files, const std::string& prefix,
               const std::string& files_size, std::map<std::string, std::string>* summary);

/// Sets the totals of `summary`, which says what was added and deleted, to those after `parent`
/// (null: after nothing).
void SetTotals(std::map<std::string, std::string>* summary, const MetadataSnapshot* parent);

/// Writes the metadata file that follows `base` (null: the first).
Result<StagedMetadata> StageMetadata(MetadataEdit edit, int64_t timestamp_ms,
                                     const Table::State* base, const StagingArea& area);

}  // namespace tusk::iceberg
