#include "tusk/lake/publish.h"

#include <utility>

namespace tusk::lake {
namespace {

/// A foreign writer can take the next free name each time; after so many it is reported.
constexpr int kPublishAttempts = 20;

lance::StagedManifest StagedFrom(const catalog::TablePointer& pointer) {
  return {.staged_path = pointer.path,
          .version = static_cast<uint64_t>(pointer.version),
          .size_bytes = pointer.size_bytes,
          .transaction_uuid = pointer.transaction_uuid};
}

/// Removes a staged manifest that is not needed any more. What stays is garbage, not an error.
void RemoveStaged(const LakeParts& parts, const io::StorePath& table,
                  const lance::StagedManifest& staged, const OperationContext& context) {
  if (staged.staged_path == lance::FinalManifestPath(staged.version)) return;
  (void)parts.handler->Abort(table, staged, context);
}

/// Publishes `original` under its own version or, where foreign versions are in the way, under the
/// next free one.
Result<catalog::TablePointer> PublishManifest(const LakeParts& parts, const io::StorePath& table,
                                              const lance::StagedManifest& original,
                                              const OperationContext& context) {
  lance::StagedManifest staged = original;
  for (int attempt = 0; attempt < kPublishAttempts; ++attempt) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const Result<uint64_t> version = parts.handler->Publish(table, staged, context);
    if (staged.staged_path != original.staged_path) RemoveStaged(parts, table, staged, context);
    if (version.ok()) {
      return catalog::TablePointer{.path = lance::FinalManifestPath(*version),
                                   .version = static_cast<int64_t>(*version),
                                   .size_bytes = staged.size_bytes,
                                   .transaction_uuid = staged.transaction_uuid};
    }
    // NotFound: another process published and removed the manifest that it staged again as we did.
    const auto code = GetErrorCode(version.status());
    if (code != ErrorCode::kCommitConflict && code != ErrorCode::kNotFound) return version.status();
    // Always from the original: it stays until the publication is recorded.
    ARROW_ASSIGN_OR_RAISE(staged, lance::Restage(table, original, parts.handler.get(), context));
  }
  return CommitConflict("other writers took each of ", kPublishAttempts,
                        " versions in a row; try again when they pause");
}

/// True if the pointer of `change` still waits at joint version `number`.
Result<bool> StillWaits(const LakeParts& parts, int64_t number, const catalog::TableChange& change,
                        const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const catalog::TableEntry entry,
                        parts.catalog->LoadTable(change.name, number, context));
  return !entry.published && entry.pointer == change.next;
}

}  // namespace

Status PublishChange(const LakeParts& parts, int64_t number, const catalog::TableChange& change,
                     const OperationContext& context) {
  const std::string what = "publishing joint version " + std::to_string(number) + " of table '" +
                           change.name.ToString() + "'";
  ARROW_ASSIGN_OR_RAISE(const io::StorePath table, LanceTablePath(parts, change.location));
  const lance::StagedManifest staged = StagedFrom(change.next);
  const Result<catalog::TablePointer> published = PublishManifest(parts, table, staged, context);
  if (!published.ok()) {
    // Another process may have published, recorded and removed it in the meantime.
    const Result<bool> waits = StillWaits(parts, number, change, context);
    if (waits.ok() && !*waits) return Status::OK();
    return WithContext(published.status(), what);
  }
  ARROW_RETURN_NOT_OK(
      WithContext(parts.catalog->RecordPublished(number, change.name, *published, context), what));
  RemoveStaged(parts, table, staged, context);
  return Status::OK();
}

Status PublishAll(const LakeParts& parts, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<catalog::LogEntry> waiting,
                        parts.catalog->Unpublished(context));
  Status first;
  for (const catalog::LogEntry& entry : waiting) {
    for (const catalog::TableChange& change : entry.changes) {
      const Status status = PublishChange(parts, entry.number, change, context);
      if (first.ok()) first = status;
    }
  }
  return first;
}

Result<catalog::TableEntry> LoadPublished(const LakeParts& parts, const catalog::TableName& name,
                                          const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(catalog::TableEntry entry, parts.catalog->LoadTable(name, {}, context));
  if (entry.published) return entry;
  ARROW_ASSIGN_OR_RAISE(const std::vector<catalog::LogEntry> waiting,
                        parts.catalog->Unpublished(context));
  for (const catalog::LogEntry& joint : waiting) {
    for (const catalog::TableChange& change : joint.changes) {
      if (change.name != name) continue;
      ARROW_RETURN_NOT_OK(PublishChange(parts, joint.number, change, context));
    }
  }
  return parts.catalog->LoadTable(name, {}, context);
}

}  // namespace tusk::lake
