#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "tusk/iceberg/metadata_change.h"
#include "tusk/lake/joint_commit.h"
#include "tusk/lake/lake_state.h"
#include "tusk/lake/maintenance.h"
#include "tusk/lake/survey.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/refs.h"

namespace tusk::lake {
namespace {

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// What the joint versions that stay need of one table.
struct Kept {
  std::set<std::string> manifests;  ///< of a Lance table, relative to it
  /// Of the same. Between a manifest's getting its final name and the catalog's learning of it,
  /// only the version tells that it is needed.
  std::set<uint64_t> lance_versions;
  std::set<int64_t> snapshots;  ///< of an Iceberg table
};

using Entries = std::vector<catalog::TableEntry>;

/// By name of the table.
Result<std::map<catalog::TableName, Kept>> CollectKept(const LakeParts& parts,
                                                       const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto needed, parts.catalog->NeededChanges(context));
  std::map<catalog::TableName, Kept> kept;
  for (const catalog::NeededChange& change : needed) {
    Kept& table = kept[change.change.name];
    if (change.change.kind == catalog::TableKind::kLance) {
      table.manifests.insert(change.change.next.path);
      table.lance_versions.insert(static_cast<uint64_t>(change.change.next.version));
    } else {
      table.snapshots.insert(change.change.next.version);
    }
  }
  return kept;
}

/// The manifests of versions that nobody keeps: below the pointer of `entry`, made before the
/// cutoff, neither needed by a joint version nor tagged. Ascending.
Result<std::vector<std::string>> UnkeptManifests(const LakeParts& parts,
                                                 const catalog::TableEntry& entry, const Kept& kept,
                                                 int64_t cutoff_ms,
                                                 const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const io::StorePath table, LanceTablePath(parts, entry.location));
  ARROW_ASSIGN_OR_RAISE(const lance::TableRefs refs,
                        lance::ReadRefs(table, /*branch=*/{}, context));
  if (refs.has_branches) return Unsupported("it has branches, which are not covered yet");
  ARROW_ASSIGN_OR_RAISE(const auto locations, lance::ListManifests(table, context));
  std::vector<std::string> unkept;
  for (const lance::ManifestLocation& location : locations) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    if (location.version >= static_cast<uint64_t>(entry.pointer.version)) break;
    if (kept.manifests.contains(location.path) || kept.lance_versions.contains(location.version) ||
        refs.tagged.contains(location.version)) {
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const lance::Manifest manifest,
                          lance::ReadManifest(table, location.path, context));
    if (manifest.timestamp_ns / 1'000'000 >= cutoff_ms) continue;
    unkept.push_back(location.path);
  }
  return unkept;
}

/// Removes old versions of the Lance tables; their files stay for the sweep.
Status RemoveLanceVersions(const LakeParts& parts, const Entries& entries,
                           const std::map<catalog::TableName, Kept>& kept, int64_t cutoff_ms,
                           CleanupReport* report, const OperationContext& context) {
  for (const catalog::TableEntry& entry : entries) {
    if (entry.kind != catalog::TableKind::kLance || !entry.published) continue;
    const auto found = kept.find(entry.name);
    const auto unkept = UnkeptManifests(parts, entry, found == kept.end() ? Kept() : found->second,
                                        cutoff_ms, context);
    if (!unkept.ok()) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      report->skipped.push_back(entry.name.ToString() + ": " + unkept.status().message());
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const io::StorePath table, LanceTablePath(parts, entry.location));
    for (const std::string& path : *unkept) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      ARROW_RETURN_NOT_OK(table.store->Delete(io::JoinPath(table.path, path), context));
      ++report->lance_versions;
    }
  }
  return Status::OK();
}

/// The snapshots of `table` that stay: those of joint versions, and what was made since the cutoff.
std::set<int64_t> KeptSnapshots(const iceberg::Table& table, const Kept& kept, int64_t cutoff_ms) {
  std::set<int64_t> snapshots = kept.snapshots;
  for (const iceberg::SnapshotInfo& snapshot : table.snapshots()) {
    if (snapshot.timestamp_ms >= cutoff_ms) snapshots.insert(snapshot.snapshot_id);
  }
  return snapshots;
}

/// Lets old snapshots of the lake's own Iceberg tables go, in one joint commit.
Status ExpireSnapshots(const LakeParts& parts, const Entries& entries,
                       const std::map<catalog::TableName, Kept>& kept, int64_t cutoff_ms,
                       const std::string& author, CleanupReport* report,
                       const OperationContext& context) {
  const Staging staging(parts);
  std::vector<std::unique_ptr<TableStage>> stages;
  for (const catalog::TableEntry& entry : entries) {
    const auto found = kept.find(entry.name);
    // A table that the log does not know is another client's to keep.
    if (entry.kind != catalog::TableKind::kIceberg || found == kept.end()) continue;
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const auto table = iceberg::Table::Open(parts.root.store, entry.pointer.path, context);
    if (!table.ok()) {
      report->skipped.push_back(entry.name.ToString() + ": " + table.status().message());
      continue;
    }
    const std::set<int64_t> snapshots = KeptSnapshots(**table, found->second, cutoff_ms);
    ARROW_ASSIGN_OR_RAISE(const int64_t expired, iceberg::CountExpired(**table, snapshots));
    if (expired == 0) continue;
    report->iceberg_snapshots += expired;
    std::set<int64_t> dropped;
    for (const iceberg::SnapshotInfo& snapshot : (*table)->snapshots()) {
      if (!snapshots.contains(snapshot.snapshot_id)) dropped.insert(snapshot.snapshot_id);
    }
    stages.push_back(MakeIcebergExpireStage(staging.parts(), entry.name, std::move(dropped)));
  }
  if (stages.empty()) return Status::OK();
  const CommitInfo info{
      .message = "let " + std::to_string(report->iceberg_snapshots) + " old snapshots go",
      .author = author,
      .properties = {{"tusk.operation", "cleanup"}}};
  return CommitJointly(staging, stages, info, "cleaning up", std::nullopt, context).status();
}

/// Removes files that are not needed any more: at once those that were needed before, and others
/// once they are old enough not to be a writer's that is still at work.
Status Sweep(const LakeParts& parts, const Survey& before, int64_t young_since_ms,
             CleanupReport* report, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const Survey now, TakeSurvey(parts, context));
  const auto remove = [&](const io::ObjectInfo& file) -> Status {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_RETURN_NOT_OK(parts.root.store->Delete(file.path, context));
    ++report->removed_files;
    report->removed_bytes += file.size;
    return Status::OK();
  };
  for (const io::ObjectInfo& file : now.files) {
    const TableNeeds* table = now.TableOf(file.path);
    if (table != nullptr && (!table->unclear.ok() || table->Needs(file.path))) continue;
    const TableNeeds* earlier = before.TableOf(file.path);
    const bool was_needed =
        earlier != nullptr && earlier->unclear.ok() && earlier->Needs(file.path);
    if (was_needed || file.modified_ms < young_since_ms) ARROW_RETURN_NOT_OK(remove(file));
  }
  for (const io::ObjectInfo& file : now.half_written) {
    if (file.modified_ms < young_since_ms) ARROW_RETURN_NOT_OK(remove(file));
  }
  for (const auto& [root, table] : now.tables) {
    if (table.unclear.ok()) continue;
    report->skipped.push_back(table.name.ToString() + ": " + table.unclear.message());
  }
  return Status::OK();
}

}  // namespace

Result<CleanupReport> CleanUp(Lake* lake, const CleanupOptions& options,
                              const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*lake, "clean it up"));
  const LakeParts& parts = lake->state().parts;
  ARROW_ASSIGN_OR_RAISE(const catalog::Retention written, parts.catalog->LoadRetention(context));
  CleanupReport report;
  report.older_than_ms =
      options.older_than_ms.value_or(written.older_than_ms.value_or(kDefaultOlderThanMs));
  report.keep_last = options.keep_last.value_or(written.keep_last.value_or(kDefaultKeepLast));
  if (report.older_than_ms < 0 || options.min_age_ms < 0) {
    return InvalidArgument("ages of ", report.older_than_ms, " and ", options.min_age_ms, " ms");
  }
  const int64_t now_ms = NowMs();
  const int64_t cutoff_ms = now_ms - report.older_than_ms;
  const catalog::RetentionRules rules{.replaced_before_us = cutoff_ms * 1000,
                                      .keep_last = report.keep_last};
  if (options.dry_run) {
    ARROW_ASSIGN_OR_RAISE(report.given_up, parts.catalog->GiveUp(rules, true, context));
    return report;
  }
  (void)lake->Recover(context);
  ARROW_ASSIGN_OR_RAISE(const Survey before, TakeSurvey(parts, context));
  ARROW_ASSIGN_OR_RAISE(report.given_up, parts.catalog->GiveUp(rules, false, context));
  // Pointers first: what a writer commits after this look lies above them, and was perhaps staged
  // before the cutoff.
  ARROW_ASSIGN_OR_RAISE(const Entries entries, parts.catalog->ListTables(std::nullopt, context));
  ARROW_ASSIGN_OR_RAISE(const auto kept, CollectKept(parts, context));
  ARROW_RETURN_NOT_OK(
      ExpireSnapshots(parts, entries, kept, cutoff_ms, options.author, &report, context));
  ARROW_RETURN_NOT_OK(RemoveLanceVersions(parts, entries, kept, cutoff_ms, &report, context));
  ARROW_RETURN_NOT_OK(Sweep(parts, before, now_ms - options.min_age_ms, &report, context));
  return report;
}

}  // namespace tusk::lake
