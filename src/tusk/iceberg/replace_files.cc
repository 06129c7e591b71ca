#include "tusk/iceberg/replace_files.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace tusk::iceberg {
namespace {

/// Of a manifest that is written in the place of others.
constexpr size_t kEntriesPerManifest = 20000;

using Change = ManifestEntry::Change;

/// Writes manifests anew without some files, those of one kind and partition spec together.
class ManifestRewriter {
 public:
  ManifestRewriter(const Table::State& table, const SnapshotInfo& snapshot,
                   const WriteTarget& target, const StagingArea& area)
      : table_(table), snapshot_(snapshot), target_(target), area_(area) {}

  /// Takes `manifest` over without the removed files; as it is, if none of them is in it.
  Status Add(ManifestFile manifest, const std::set<std::string>& removed) {
    ARROW_ASSIGN_OR_RAISE(auto entries, ReadManifest(table_, manifest, area_.context));
    // What was deleted before is no news any more.
    std::erase_if(entries, [](const auto& entry) { return entry.change == Change::kDeleted; });
    bool has_removed = false;
    for (ManifestEntry& entry : entries) {
      entry.change = Change::kExisting;
      if (!removed.contains(entry.file.path)) continue;
      has_removed = true;
      entry.change = Change::kDeleted;
      entry.snapshot_id = snapshot_.snapshot_id;
    }
    if (!has_removed) {
      done_.push_back(std::move(manifest));
      return Status::OK();
    }
    auto& open = open_[{manifest.content, manifest.partition_spec_id}];
    std::ranges::move(entries, std::back_inserter(open));
    return open.size() < kEntriesPerManifest ? Status::OK()
                                             : Write(manifest.content, manifest.partition_spec_id);
  }

  /// All manifests, after the last was added.
  Result<std::vector<ManifestFile>> Finish() && {
    while (!open_.empty()) {
      const auto [content, spec_id] = open_.begin()->first;
      ARROW_RETURN_NOT_OK(Write(content, spec_id));
    }
    return std::move(done_);
  }

 private:
  Status Write(FileContent content, int32_t spec_id) {
    const auto spec = table_.metadata.specs.find(spec_id);
    if (spec == table_.metadata.specs.end()) {
      return Corrupt("a manifest is of the unknown partition spec ", spec_id);
    }
    ManifestHeader header = target_.Header();
    header.content = content;
    header.spec = spec->second;
    ARROW_ASSIGN_OR_RAISE(header.partition_fields, PartitionFields(header.spec, [&](int32_t id) {
                            return table_.metadata.FindColumn(id);
                          }));
    const auto open = open_.find({content, spec_id});
    ARROW_ASSIGN_OR_RAISE(auto manifest,
                          WriteManifest(std::move(header), open->second, snapshot_, area_));
    done_.push_back(std::move(manifest));
    open_.erase(open);
    return Status::OK();
  }

  const Table::State& table_;
  const SnapshotInfo& snapshot_;
  const WriteTarget& target_;
  const StagingArea& area_;
  std::map<std::pair<FileContent, int32_t>, std::vector<ManifestEntry>> open_;
  std::vector<ManifestFile> done_;
};

/// The manifests of the parent, without the removed files.
Result<std::vector<ManifestFile>> KeptManifests(
    const Table::State& table, const MetadataSnapshot* parent, const FileReplacement& replacement,
    const SnapshotInfo& snapshot, const WriteTarget& target, const StagingArea& area) {
  if (parent == nullptr) return std::vector<ManifestFile>();
  ARROW_ASSIGN_OR_RAISE(auto manifests, ReadManifestList(table, *parent, area.context));
  std::vector<ManifestFile> kept;
  ManifestRewriter rewriter(table, snapshot, target, area);
  for (ManifestFile& manifest : manifests) {
    ARROW_RETURN_NOT_OK(area.context.CheckStop());
    if (!MayHaveLiveFiles(manifest)) continue;
    const bool may_change = manifest.content == FileContent::kData
                                ? !replacement.removed_data_files.empty()
                                : !replacement.removed_delete_files.empty();
    if (may_change) {
      ARROW_RETURN_NOT_OK(rewriter.Add(std::move(manifest), replacement.removed));
    } else {
      kept.push_back(std::move(manifest));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto rewritten, std::move(rewriter).Finish());
  std::ranges::move(rewritten, std::back_inserter(kept));
  return kept;
}

/// Adds the delete files to what `summary` says of removed files.
void SummarizeDeletes(const std::vector<DataFile>& files,
                      std::map<std::string, std::string>* summary) {
  if (files.empty()) return;
  std::map<std::string, std::string> counts;
  Summarize(files, "deleted", "removed-files-size", &counts);
  (*summary)["removed-delete-files"] = counts["deleted-data-files"];
  (*summary)["removed-position-delete-files"] = counts["deleted-data-files"];
  (*summary)["removed-position-deletes"] = counts["deleted-records"];
}

}  // namespace

void FileReplacement::RemoveData(const DataFile& file) {
  if (removed.insert(file.path).second) removed_data_files.push_back(file);
}

void FileReplacement::KeepData(const DataFile& file) {
  removed.erase(file.path);
  std::erase_if(removed_data_files, [&](const DataFile& each) { return each.path == file.path; });
}

void FileReplacement::RemoveDeletes(const DataFile& file) {
  if (removed.insert(file.path).second) removed_delete_files.push_back(file);
}

Result<StagedMetadata> StageReplacement(const Table::State& table, const MetadataSnapshot* parent,
                                        MetadataSnapshot snapshot, const std::string& branch,
                                        FileReplacement replacement, const WriteTarget& target,
                                        const StagingArea& area) {
  auto& summary = snapshot.info.summary;
  Summarize(replacement.added, "added", "added-files-size", &summary);
  Summarize(replacement.removed_data_files, "deleted", "removed-files-size", &summary);
  SummarizeDeletes(replacement.removed_delete_files, &summary);
  SetTotals(&summary, parent);
  std::vector<ManifestFile> manifests;
  if (!replacement.added.empty()) {
    std::vector<ManifestEntry> entries;
    for (DataFile& file : replacement.added) {
      ManifestEntry& entry = entries.emplace_back();
      entry.snapshot_id = snapshot.info.snapshot_id;
      entry.file = std::move(file);
    }
    ARROW_ASSIGN_OR_RAISE(auto manifest,
                          WriteManifest(target.Header(), entries, snapshot.info, area));
    manifests.push_back(std::move(manifest));
  }
  ARROW_ASSIGN_OR_RAISE(auto kept,
                        KeptManifests(table, parent, replacement, snapshot.info, target, area));
  std::ranges::move(kept, std::back_inserter(manifests));
  ARROW_ASSIGN_OR_RAISE(snapshot.manifest_list, WriteManifestList(manifests, snapshot.info, area));
  ARROW_ASSIGN_OR_RAISE(MetadataEdit edit,
                        MetadataEdit::Of(table.metadata, table.metadata_location));
  ARROW_RETURN_NOT_OK(edit.AddSnapshot(snapshot, branch));
  ARROW_ASSIGN_OR_RAISE(StagedMetadata staged,
                        StageMetadata(std::move(edit), snapshot.info.timestamp_ms, &table, area));
  staged.snapshot_id = snapshot.info.snapshot_id;
  return staged;
}

}  // namespace tusk::iceberg
