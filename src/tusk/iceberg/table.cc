#include "tusk/iceberg/table.h"

#include <utility>

#include <arrow/buffer.h>
#include <arrow/type.h>

#include "tusk/iceberg/location.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

/// The table's own idea of where it lies must be where its metadata file was found: all other
/// locations in it are absolute and would lead elsewhere.
Status CheckPlace(const Table::State& table) {
  ARROW_ASSIGN_OR_RAISE(const std::string location, LocationToPath(table.metadata.location));
  if (location == table.folder) return Status::OK();
  return Unsupported("the table says that it lies at '", table.metadata.location,
                     "', but its metadata file was found in '", table.folder,
                     "': moved tables are not supported yet");
}

}  // namespace

Result<std::shared_ptr<const Table>> Table::Open(std::shared_ptr<io::ObjectStore> store,
                                                 std::string_view metadata_location,
                                                 const OperationContext& context) {
  auto state = std::make_unique<State>();
  state->store = std::move(store);
  state->metadata_location = metadata_location;
  ARROW_ASSIGN_OR_RAISE(const std::string path, LocationToPath(metadata_location));
  if (path.ends_with(".gz.metadata.json") || path.ends_with(".metadata.json.gz")) {
    return Unsupported("gzip-compressed metadata is not supported yet: '", path, "'");
  }
  ARROW_ASSIGN_OR_RAISE(state->folder, TableFolder(path));
  ARROW_ASSIGN_OR_RAISE(const auto bytes, state->store->Get(path, context));
  auto metadata = ParseMetadata(std::string_view(*bytes));
  if (!metadata.ok()) return WithContext(metadata.status(), "metadata file '" + path + "'");
  state->metadata = *std::move(metadata);
  ARROW_RETURN_NOT_OK(CheckPlace(*state));
  for (const MetadataSnapshot& snapshot : state->metadata.snapshots) {
    state->snapshots.push_back(snapshot.info);
  }
  return std::make_shared<const Table>(std::move(state));
}

Table::Table(std::unique_ptr<State> state) : state_(std::move(state)) {}

Table::~Table() = default;

const std::string& Table::metadata_location() const { return state_->metadata_location; }

const std::string& Table::uuid() const { return state_->metadata.uuid; }

const std::string& Table::location() const { return state_->metadata.location; }

const std::shared_ptr<arrow::Schema>& Table::schema() const { return state_->metadata.schema(); }

std::optional<int64_t> Table::current_snapshot_id() const {
  return state_->metadata.current_snapshot_id;
}

const std::vector<SnapshotInfo>& Table::snapshots() const { return state_->snapshots; }

const std::map<std::string, std::string>& Table::properties() const {
  return state_->metadata.properties;
}

Result<const MetadataSnapshot*> ChooseSnapshot(const Table::State& table,
                                               std::optional<int64_t> snapshot_id) {
  const auto& current = table.metadata.current_snapshot_id;
  if (!snapshot_id.has_value() && !current.has_value()) return nullptr;
  const int64_t id = snapshot_id.has_value() ? *snapshot_id : *current;
  const MetadataSnapshot* snapshot = table.metadata.FindSnapshot(id);
  if (snapshot == nullptr) {
    return NotFound("table at '", table.folder, "' has no snapshot ", id, " (it knows ",
                    table.snapshots.size(), " snapshots)");
  }
  return snapshot;
}

Result<std::vector<ManifestFile>> ReadManifestList(const Table::State& table,
                                                   const MetadataSnapshot& snapshot,
                                                   const OperationContext& context) {
  if (snapshot.manifest_list.empty()) {
    return Unsupported("snapshot ", snapshot.info.snapshot_id,
                       " lists its manifests inline, which is not supported yet");
  }
  ARROW_ASSIGN_OR_RAISE(const std::string path, FileInTable(snapshot.manifest_list, table.folder));
  ARROW_ASSIGN_OR_RAISE(const auto bytes, table.store->Get(path, context));
  auto manifests = ParseManifestList(std::string_view(*bytes));
  if (!manifests.ok()) return WithContext(manifests.status(), "manifest list '" + path + "'");
  return manifests;
}

Result<std::vector<ManifestEntry>> ReadManifest(const Table::State& table,
                                                const ManifestFile& manifest,
                                                const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, FileInTable(manifest.path, table.folder));
  ARROW_ASSIGN_OR_RAISE(const auto bytes, table.store->Get(path, context));
  auto entries = ParseManifest(std::string_view(*bytes));
  if (!entries.ok()) return WithContext(entries.status(), "manifest '" + path + "'");
  return entries;
}

bool MayHaveLiveFiles(const ManifestFile& manifest) {
  return manifest.added_files != 0 || manifest.existing_files != 0;
}

Result<std::vector<DataFile>> ListDataFiles(const Table::State& table,
                                            const MetadataSnapshot& snapshot,
                                            const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto manifests, ReadManifestList(table, snapshot, context));
  std::vector<DataFile> files;
  for (const ManifestFile& manifest : manifests) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    if (!MayHaveLiveFiles(manifest)) continue;
    if (manifest.content != FileContent::kData) {
      return Unsupported("snapshot ", snapshot.info.snapshot_id, " of the table at '", table.folder,
                         "' has delete files, which are not supported yet");
    }
    ARROW_ASSIGN_OR_RAISE(auto entries, ReadManifest(table, manifest, context));
    for (ManifestEntry& entry : entries) {
      if (entry.change == ManifestEntry::Change::kDeleted) continue;
      if (entry.file.content != FileContent::kData) {
        return Corrupt("manifest '", manifest.path, "' of data files lists a delete file");
      }
      files.push_back(std::move(entry.file));
    }
  }
  return files;
}

}  // namespace tusk::iceberg
