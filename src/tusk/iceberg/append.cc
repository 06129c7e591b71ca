#include "tusk/iceberg/append.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/iceberg/location.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

/// Entries that add `files` in a snapshot.
std::vector<ManifestEntry> AddedEntries(std::vector<DataFile> files, int64_t snapshot_id) {
  std::vector<ManifestEntry> entries;
  for (DataFile& file : files) {
    ManifestEntry& entry = entries.emplace_back();
    entry.snapshot_id = snapshot_id;
    entry.file = std::move(file);
  }
  return entries;
}

/// The manifests of `parent`, which may be null, that have live files.
Result<std::vector<ManifestFile>> ParentManifests(const Table::State* base,
                                                  const MetadataSnapshot* parent,
                                                  const OperationContext& context) {
  if (parent == nullptr) return std::vector<ManifestFile>();
  ARROW_ASSIGN_OR_RAISE(auto manifests, ReadManifestList(*base, *parent, context));
  std::erase_if(manifests, [](const auto& manifest) { return !MayHaveLiveFiles(manifest); });
  return manifests;
}

/// The snapshot that adds `files`, its manifests written.
Result<MetadataSnapshot> WriteSnapshot(const WriteTarget& target, std::vector<DataFile> files,
                                       const AppendOptions& options, const StagingArea& area) {
  const MetadataSnapshot* parent = nullptr;
  if (target.base != nullptr) {
    ARROW_ASSIGN_OR_RAISE(parent, BranchHead(*target.base, options.branch));
  }
  MetadataSnapshot snapshot = NextSnapshot(target.base, parent);
  snapshot.info.summary = options.summary;
  snapshot.info.summary["operation"] = "append";
  Summarize(files, "added", "added-files-size", &snapshot.info.summary);
  SetTotals(&snapshot.info.summary, parent);
  std::vector<ManifestFile> manifests;
  if (!files.empty()) {
    ARROW_ASSIGN_OR_RAISE(
        ManifestFile added,
        WriteManifest(target.Header(), AddedEntries(std::move(files), snapshot.info.snapshot_id),
                      snapshot.info, area));
    manifests.push_back(std::move(added));
  }
  ARROW_ASSIGN_OR_RAISE(auto kept, ParentManifests(target.base, parent, area.context));
  std::ranges::move(kept, std::back_inserter(manifests));
  ARROW_ASSIGN_OR_RAISE(snapshot.manifest_list, WriteManifestList(manifests, snapshot.info, area));
  return snapshot;
}

/// InvalidArgument if the table does not lie at the place.
Status CheckPlace(const TablePlace& place, const Table::State& base) {
  if (place.folder == base.folder) return Status::OK();
  return InvalidArgument("the table lies at '", base.folder, "', not at '", place.location, "'");
}

}  // namespace

Result<StagedMetadata> StageAppend(arrow::RecordBatchReader* data,
                                   const std::shared_ptr<io::ObjectStore>& store,
                                   std::string_view location,
                                   const std::shared_ptr<const Table>& base,
                                   const AppendOptions& options, const OperationContext& context) {
  const Table::State* base_state = base == nullptr ? nullptr : &base->state();
  WrittenFiles written(store.get(), context);
  ARROW_ASSIGN_OR_RAISE(TablePlace place, TablePlace::Parse(location));
  if (base_state != nullptr) ARROW_RETURN_NOT_OK(CheckPlace(place, *base_state));
  const StagingArea area{
      .place = std::move(place), .store = store.get(), .written = &written, .context = context};
  ARROW_ASSIGN_OR_RAISE(
      const WriteTarget target,
      ResolveTarget(*data->schema(), base_state,
                    {.properties = options.properties, .partition_by = options.partition_by}));
  ARROW_ASSIGN_OR_RAISE(auto files, WriteDataFiles(data, target, options.target_file_bytes, area));
  std::optional<MetadataSnapshot> snapshot;
  // A new table without rows has no snapshot, as everywhere; an append always leaves one.
  if (!files.empty() || base != nullptr) {
    ARROW_ASSIGN_OR_RAISE(snapshot, WriteSnapshot(target, std::move(files), options, area));
  }
  const int64_t time = snapshot ? snapshot->info.timestamp_ms : NowMs();
  const std::string uuid = base == nullptr ? RandomUuidString() : base->uuid();
  ARROW_ASSIGN_OR_RAISE(MetadataEdit edit,
                        base_state != nullptr
                            ? MetadataEdit::Of(base_state->metadata, base_state->metadata_location)
                            : MetadataEdit::OfNewTable({.uuid = uuid,
                                                        .location = area.place.location,
                                                        .schema = target.schema,
                                                        .spec = target.spec,
                                                        .properties = target.properties},
                                                       time));
  if (snapshot) ARROW_RETURN_NOT_OK(edit.AddSnapshot(*snapshot, options.branch));
  ARROW_ASSIGN_OR_RAISE(StagedMetadata staged,
                        StageMetadata(std::move(edit), time, base_state, area));
  staged.table_uuid = uuid;
  if (snapshot) staged.snapshot_id = snapshot->info.snapshot_id;
  written.Keep();
  return staged;
}

namespace {

/// CommitConflict unless files written for `first` are right for `base` too.
Status CheckSameShape(const Table::State& first, const Table::State& base) {
  const TableMetadata& then = first.metadata;
  const TableMetadata& now = base.metadata;
  const auto conflict = [&](std::string_view what) {
    return CommitConflict("cannot append to the table at '", base.folder, "': another writer ",
                          what, " in the meantime; append again");
  };
  if (then.uuid != now.uuid) return conflict("has put another table in its place");
  if (then.current_schema_id != now.current_schema_id || !then.schema()->Equals(*now.schema())) {
    return conflict("has changed its schema");
  }
  if (then.default_spec_id != now.default_spec_id) return conflict("has changed its partitioning");
  return CheckWritable(base);
}

/// The branch that a snapshot, which was just added to `table`, is the head of.
std::string BranchOf(const Table::State& table, int64_t snapshot_id) {
  for (const auto& [name, ref] : table.metadata.refs) {
    if (!ref.is_tag && ref.snapshot_id == snapshot_id) return name;
  }
  return kMainBranch;
}

/// The manifests that `snapshot` of `table` added itself.
Result<std::vector<ManifestFile>> AddedManifests(const Table::State& table,
                                                 const MetadataSnapshot& snapshot,
                                                 const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto manifests, ReadManifestList(table, snapshot, context));
  std::erase_if(manifests, [&](const ManifestFile& manifest) {
    return manifest.added_snapshot_id != snapshot.info.snapshot_id;
  });
  return manifests;
}

}  // namespace

Result<StagedMetadata> Restage(const std::shared_ptr<io::ObjectStore>& store,
                               const StagedMetadata& staged,
                               const std::shared_ptr<const Table>& base,
                               const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto opened, Table::Open(store, staged.metadata_location, context));
  const Table::State& first = opened->state();
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* before,
                        ChooseSnapshot(first, {.snapshot_id = staged.snapshot_id}));
  if (before == nullptr) {
    return InvalidArgument("'", staged.metadata_location, "' has no snapshot to stage again");
  }
  const Table::State& state = base->state();
  ARROW_RETURN_NOT_OK(CheckSameShape(first, state));
  WrittenFiles written(store.get(), context);
  ARROW_ASSIGN_OR_RAISE(TablePlace place, TablePlace::Parse(base->location()));
  const StagingArea area{
      .place = std::move(place), .store = store.get(), .written = &written, .context = context};

  // The id stays, since the kept manifest says that this snapshot added it.
  MetadataSnapshot snapshot = *before;
  const std::string branch = BranchOf(first, before->info.snapshot_id);
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* parent, BranchHead(state, branch));
  PutAfter(state.metadata, parent, &snapshot.info);
  SetTotals(&snapshot.info.summary, parent);
  ARROW_ASSIGN_OR_RAISE(auto manifests, AddedManifests(first, *before, context));
  for (ManifestFile& manifest : manifests) {
    manifest.sequence_number = snapshot.info.sequence_number;
    manifest.min_sequence_number = snapshot.info.sequence_number;
  }
  ARROW_ASSIGN_OR_RAISE(auto kept, ParentManifests(&state, parent, context));
  std::ranges::move(kept, std::back_inserter(manifests));
  ARROW_ASSIGN_OR_RAISE(snapshot.manifest_list, WriteManifestList(manifests, snapshot.info, area));
  ARROW_ASSIGN_OR_RAISE(MetadataEdit edit,
                        MetadataEdit::Of(state.metadata, state.metadata_location));
  ARROW_RETURN_NOT_OK(edit.AddSnapshot(snapshot, branch));
  ARROW_ASSIGN_OR_RAISE(StagedMetadata again,
                        StageMetadata(std::move(edit), snapshot.info.timestamp_ms, &state, area));
  again.snapshot_id = staged.snapshot_id;
  written.Keep();
  // What cannot be removed is garbage that nothing refers to.
  for (const std::string& old : {staged.metadata_location, before->manifest_list}) {
    const auto path = FileInTable(old, first.folder);
    if (path.ok()) (void)store->Delete(*path, context);
  }
  return again;
}

Status AbortStaged(const std::shared_ptr<io::ObjectStore>& store, const StagedMetadata& staged,
                   const OperationContext& context) {
  auto opened = Table::Open(store, staged.metadata_location, context);
  if (GetErrorCode(opened.status()) == ErrorCode::kNotFound) return Status::OK();
  ARROW_RETURN_NOT_OK(opened.status());
  const Table::State& table = (*opened)->state();
  std::vector<std::string> locations;
  // Ids are positive: 0 finds nothing.
  const int64_t snapshot_id = staged.snapshot_id.value_or(0);
  const MetadataSnapshot* snapshot = table.metadata.FindSnapshot(snapshot_id);
  if (snapshot != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto manifests, ReadManifestList(table, *snapshot, context));
    for (const ManifestFile& manifest : manifests) {
      if (manifest.added_snapshot_id != snapshot_id) continue;
      ARROW_ASSIGN_OR_RAISE(const auto entries, ReadManifest(table, manifest, context));
      for (const ManifestEntry& entry : entries) {
        if (entry.change == ManifestEntry::Change::kAdded &&
            entry.snapshot_id.value_or(manifest.added_snapshot_id) == snapshot_id) {
          locations.push_back(entry.file.path);
        }
      }
      locations.push_back(manifest.path);
    }
    locations.push_back(snapshot->manifest_list);
  }
  // The metadata file goes last: as long as it is there, a second try finds the others.
  locations.push_back(staged.metadata_location);
  for (const std::string& file : locations) {
    ARROW_ASSIGN_OR_RAISE(const std::string path, FileInTable(file, table.folder));
    ARROW_RETURN_NOT_OK(store->Delete(path, context));
  }
  return Status::OK();
}

}  // namespace tusk::iceberg
