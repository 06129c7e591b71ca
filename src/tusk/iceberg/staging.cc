#include "tusk/iceberg/staging.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "tusk/base/uuid.h"
#include "tusk/iceberg/location.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

int64_t RandomSnapshotId() {
  const auto uuid = RandomUuid();
  // The bytes at 0..7 of a version 4 UUID have fixed bits in the 7th; mixing in the others frees
  // them.
  uint64_t high = 0;
  uint64_t low = 0;
  std::memcpy(&high, uuid.data(), sizeof(high));
  std::memcpy(&low, uuid.data() + sizeof(high), sizeof(low));
  const auto id = static_cast<int64_t>((high ^ (low << 16 | low >> 48)) >> 1);
  return id == 0 ? 1 : id;
}

std::optional<int64_t> SummaryNumber(const std::map<std::string, std::string>& summary,
                                     const std::string& key) {
  const auto entry = summary.find(key);
  if (entry == summary.end()) return std::nullopt;
  int64_t value = 0;
  const char* end = entry->second.data() + entry->second.size();
  const auto [parsed, error] = std::from_chars(entry->second.data(), end, value);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return value;
}

/// The number in front of a metadata file's name, plus one; 0 for a new table.
int64_t NextMetadataNumber(const Table::State* base) {
  if (base == nullptr) return 0;
  std::string_view name = base->metadata_location;
  name.remove_prefix(name.rfind('/') + 1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool has_number = error == std::errc() && number >= 0 && end != name.data() + name.size();
  return has_number && number < 1'000'000'000'000 ? number + 1 : 1;
}

std::string MetadataName(const Table::State* base) {
  char number[32];
  std::snprintf(number, sizeof(number), "%05lld", static_cast<long long>(NextMetadataNumber(base)));
  return "metadata/" + std::string(number) + "-" + RandomUuidString() + ".metadata.json";
}

}  // namespace

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

WrittenFiles::~WrittenFiles() {
  // Cleaning up must also work for an operation that was stopped. What cannot be removed is garbage
  // that nothing refers to.
  OperationContext context = context_;
  context.stop = {};
  for (const std::string& path : paths_) (void)store_->Delete(path, context);
}

Result<TablePlace> TablePlace::Parse(std::string_view location) {
  TablePlace place;
  place.location = location;
  ARROW_ASSIGN_OR_RAISE(place.folder, LocationToPath(location));
  if (place.location.ends_with('/')) place.location.pop_back();
  return place;
}

Status StagingArea::Put(const std::string& name, std::string_view bytes) const {
  written->Add(place.Path(name));
  return store->PutIfAbsent(place.Path(name), bytes, context);
}

Status CheckWritable(const Table::State& table) {
  if (table.metadata.format_version == 2) return Status::OK();
  return Unsupported("cannot change the table at '", table.folder, "': format version ",
                     table.metadata.format_version, " is read only, 2 is written");
}

Result<const MetadataSnapshot*> BranchHead(const Table::State& table, const std::string& branch) {
  const auto ref = table.metadata.refs.find(branch);
  if (ref == table.metadata.refs.end()) return nullptr;
  if (ref->second.is_tag) {
    return InvalidArgument("'", branch, "' of the table at '", table.folder,
                           "' is a tag, which commits do not move");
  }
  return ChooseSnapshot(table, {.snapshot_id = ref->second.snapshot_id});
}

void PutAfter(const TableMetadata& base, const MetadataSnapshot* parent, SnapshotInfo* snapshot) {
  snapshot->parent_snapshot_id.reset();
  if (parent != nullptr) snapshot->parent_snapshot_id = parent->info.snapshot_id;
  snapshot->sequence_number = base.last_sequence_number + 1;
  // Clocks of writers differ; the history of one table does not run backwards.
  snapshot->timestamp_ms = std::max(NowMs(), base.last_updated_ms + 1);
}

MetadataSnapshot NextSnapshot(const Table::State* base, const MetadataSnapshot* parent) {
  MetadataSnapshot snapshot;
  snapshot.info.snapshot_id = RandomSnapshotId();
  snapshot.info.sequence_number = 1;
  snapshot.info.timestamp_ms = NowMs();
  snapshot.schema_id = 0;
  if (base == nullptr) return snapshot;
  while (base->metadata.FindSnapshot(snapshot.info.snapshot_id) != nullptr) {
    snapshot.info.snapshot_id = RandomSnapshotId();
  }
  snapshot.schema_id = base->metadata.current_schema_id;
  PutAfter(base->metadata, parent, &snapshot.info);
  return snapshot;
}

Result<ManifestFile> WriteManifest(ManifestHeader header, const std::vector<ManifestEntry>& entries,
                                   const SnapshotInfo& snapshot, const StagingArea& area) {
  ManifestBuilder builder(std::move(header));
  for (const ManifestEntry& entry : entries) ARROW_RETURN_NOT_OK(builder.Append(entry));
  ManifestFile manifest;
  ARROW_ASSIGN_OR_RAISE(const std::string bytes,
                        builder.Finish(snapshot.sequence_number, &manifest));
  const std::string name = "metadata/" + RandomUuidString() + "-m0.avro";
  ARROW_RETURN_NOT_OK(area.Put(name, bytes));
  manifest.path = area.place.Location(name);
  manifest.sequence_number = snapshot.sequence_number;
  manifest.added_snapshot_id = snapshot.snapshot_id;
  return manifest;
}

Result<std::string> WriteManifestList(const std::vector<ManifestFile>& manifests,
                                      const SnapshotInfo& snapshot, const StagingArea& area) {
  const std::string name = "metadata/snap-" + std::to_string(snapshot.snapshot_id) + "-1-" +
                           RandomUuidString() + ".avro";
  ARROW_ASSIGN_OR_RAISE(const std::string bytes,
                        FormatManifestList(manifests, snapshot.snapshot_id,
                                           snapshot.parent_snapshot_id, snapshot.sequence_number));
  ARROW_RETURN_NOT_OK(area.Put(name, bytes));
  return area.place.Location(name);
}

void Summarize(const std::vector<DataFile>& files, const std::string& prefix,
               const std::string& files_size, std::map<std::string, std::string>* summary) {
  int64_t records = 0;
  int64_t bytes = 0;
  // Manifests of others may tell numbers whose sum is none; then it is left out.
  for (const DataFile& file : files) {
    if (records >= 0 && __builtin_add_overflow(records, file.record_count, &records)) records = -1;
    if (bytes >= 0 && __builtin_add_overflow(bytes, file.size_bytes, &bytes)) bytes = -1;
  }
  const auto add = [&](const std::string& key, int64_t value) {
    if (value > 0) (*summary)[key] = std::to_string(value);
  };
  add(prefix + "-data-files", std::ssize(files));
  add(prefix == "added" ? "added-records" : "deleted-records", records);
  add(files_size, bytes);
}

void SetTotals(std::map<std::string, std::string>* summary, const MetadataSnapshot* parent) {
  struct Total {
    std::string total;
    std::string added;
    std::string removed;
  };
  static const auto* totals = new std::vector<Total>{
      {"total-data-files", "added-data-files", "deleted-data-files"},
      {"total-records", "added-records", "deleted-records"},
      {"total-files-size", "added-files-size", "removed-files-size"},
      {"total-delete-files", "added-delete-files", "removed-delete-files"},
      {"total-position-deletes", "added-position-deletes", "removed-position-deletes"},
      {"total-equality-deletes", "added-equality-deletes", "removed-equality-deletes"}};
  for (const Total& total : *totals) {
    const auto before = parent == nullptr ? 0 : SummaryNumber(parent->info.summary, total.total);
    // A parent that does not tell its total, or one that cannot be, leaves ours unknown.
    const int64_t added = SummaryNumber(*summary, total.added).value_or(0);
    const int64_t removed = SummaryNumber(*summary, total.removed).value_or(0);
    int64_t after = 0;
    if (before.has_value() && !__builtin_add_overflow(*before, added, &after) &&
        !__builtin_sub_overflow(after, removed, &after)) {
      (*summary)[total.total] = std::to_string(after);
    } else {
      summary->erase(total.total);
    }
  }
}

Result<StagedMetadata> StageMetadata(MetadataEdit edit, int64_t timestamp_ms,
                                     const Table::State* base, const StagingArea& area) {
  ARROW_ASSIGN_OR_RAISE(const std::string document, edit.Finish(timestamp_ms));
  const std::string name = MetadataName(base);
  ARROW_RETURN_NOT_OK(area.Put(name, document));
  StagedMetadata staged;
  staged.metadata_location = area.place.Location(name);
  if (base != nullptr) {
    staged.previous_metadata_location = base->metadata_location;
    staged.table_uuid = base->metadata.uuid;
  }
  return staged;
}

}  // namespace tusk::iceberg
