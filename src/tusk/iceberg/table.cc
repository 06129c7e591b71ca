#include "tusk/iceberg/table.h"

#include <ranges>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/type.h>

#include "tusk/iceberg/location.h"
#include "tusk/iceberg/metadata_edit.h"
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

const std::map<std::string, SnapshotRef>& Table::refs() const { return state_->metadata.refs; }

const PartitionSpec& Table::partition_spec() const { return state_->metadata.spec(); }

const std::map<int32_t, PartitionSpec>& Table::partition_specs() const {
  return state_->metadata.specs;
}

namespace {

/// The id of the snapshot that was current at the time.
Result<int64_t> SnapshotAsOf(const Table::State& table, int64_t time_ms) {
  const auto& log = table.metadata.snapshot_log;
  for (const SnapshotLogEntry& entry : std::views::reverse(log)) {
    if (entry.timestamp_ms <= time_ms) return entry.snapshot_id;
  }
  return NotFound("table at '", table.folder, "' had no snapshot at ", time_ms, " ms since 1970",
                  log.empty() ? "" : "; its log begins at ",
                  log.empty() ? std::string() : std::to_string(log.front().timestamp_ms));
}

Result<int64_t> SnapshotOfRef(const Table::State& table, const std::string& name) {
  const auto ref = table.metadata.refs.find(name);
  if (ref != table.metadata.refs.end()) return ref->second.snapshot_id;
  std::string known;
  for (const auto& [other, unused] : table.metadata.refs)
    known += (known.empty() ? "" : ", ") + other;
  return NotFound("table at '", table.folder, "' has no branch or tag '", name, "'",
                  known.empty() ? "" : "; it has ", known);
}

}  // namespace

Result<const MetadataSnapshot*> ChooseSnapshot(const Table::State& table,
                                               const SnapshotChoice& choice) {
  const int ways = (choice.snapshot_id ? 1 : 0) + (choice.as_of_ms ? 1 : 0) + (choice.ref ? 1 : 0);
  if (ways > 1) {
    return InvalidArgument("a snapshot is chosen by its id, by a time or by a branch or tag, ",
                           "but by one of them only");
  }
  const auto& current = table.metadata.current_snapshot_id;
  if (ways == 0 && !current.has_value()) return nullptr;
  int64_t id = current.value_or(0);
  if (choice.snapshot_id) id = *choice.snapshot_id;
  if (choice.as_of_ms) {
    ARROW_ASSIGN_OR_RAISE(id, SnapshotAsOf(table, *choice.as_of_ms));
  }
  if (choice.ref) {
    // A new table has its main branch, on which there is nothing.
    if (*choice.ref == kMainBranch && !current.has_value()) return nullptr;
    ARROW_ASSIGN_OR_RAISE(id, SnapshotOfRef(table, *choice.ref));
  }
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

Result<ManifestReader> OpenManifest(const Table::State& table, const ManifestFile& manifest,
                                    ManifestReadOptions options, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, FileInTable(manifest.path, table.folder));
  ARROW_ASSIGN_OR_RAISE(auto bytes, table.store->Get(path, context));
  ARROW_RETURN_NOT_OK(CheckWhole(manifest, bytes->size()));
  options.path = path;
  return ManifestReader::Open(std::move(bytes), std::move(options));
}

Result<std::vector<ManifestEntry>> ReadManifest(const Table::State& table,
                                                const ManifestFile& manifest,
                                                const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, FileInTable(manifest.path, table.folder));
  ARROW_ASSIGN_OR_RAISE(const auto bytes, table.store->Get(path, context));
  ARROW_RETURN_NOT_OK(CheckWhole(manifest, bytes->size()));
  auto entries = ParseManifest(std::string_view(*bytes));
  if (!entries.ok()) return WithContext(entries.status(), "manifest '" + path + "'");
  for (ManifestEntry& entry : *entries) {
    const auto inherit = [&](std::optional<int64_t>* number, int64_t inherited) {
      if (!number->has_value()) *number = inherited;
    };
    inherit(&entry.snapshot_id, manifest.added_snapshot_id);
    inherit(&entry.sequence_number, manifest.sequence_number);
    inherit(&entry.file_sequence_number, manifest.sequence_number);
  }
  return entries;
}

bool MayHaveLiveFiles(const ManifestFile& manifest) {
  return manifest.added_files != 0 || manifest.existing_files != 0;
}

}  // namespace tusk::iceberg
