#include "tusk/lance/table/commit.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/rebase.h"

namespace tusk::lance {
namespace {

/// Nothing that reads tables looks below this folder; docs/decisions/020-staged-manifests.md.
constexpr std::string_view kStagedFolder = "_staged/";

class PutIfAbsentHandler final : public CommitHandler {
 public:
  Result<uint64_t> Latest(const io::StorePath& table, const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto latest, FindLatestManifest(table, context));
    if (!latest) return NotFound("no Lance table at '", table.path, "'");
    return latest->version;
  }

  Result<std::vector<uint64_t>> List(const io::StorePath& table,
                                     const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto locations, ListManifests(table, context));
    std::vector<uint64_t> versions;
    versions.reserve(locations.size());
    for (const ManifestLocation& location : locations) versions.push_back(location.version);
    return versions;
  }

  Result<StagedManifest> Stage(const io::StorePath& table, uint64_t version,
                               std::string_view manifest_bytes, std::string_view transaction_uuid,
                               const OperationContext& context) override {
    StagedManifest staged{.staged_path = std::string(kStagedFolder) + std::to_string(version) +
                                         "-" + std::string(transaction_uuid) + ".manifest",
                          .version = version,
                          .size_bytes = static_cast<int64_t>(manifest_bytes.size()),
                          .transaction_uuid = std::string(transaction_uuid)};
    ARROW_RETURN_NOT_OK(io::CheckRelativePath(staged.staged_path));
    ARROW_RETURN_NOT_OK(
        table.store->Put(io::JoinPath(table.path, staged.staged_path), manifest_bytes, context));
    return staged;
  }

  Result<uint64_t> Publish(const io::StorePath& table, const StagedManifest& staged,
                           const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(io::CheckRelativePath(staged.staged_path));
    const std::string path = FinalManifestPath(staged.version);
    const Status linked = table.store->LinkIfAbsent(io::JoinPath(table.path, staged.staged_path),
                                                    io::JoinPath(table.path, path), context);
    if (linked.ok()) {
      WriteVersionHint(table, staged.version, context);
      return staged.version;
    }
    // The name is taken, the staged manifest is gone, or nobody knows what the store did: in each
    // case an earlier call may have published it.
    const auto holds = HoldsTransaction(table, path, staged.transaction_uuid, context);
    if (holds.ok() && *holds) return staged.version;
    if (GetErrorCode(linked) != ErrorCode::kAlreadyExists) return linked;
    ARROW_RETURN_NOT_OK(holds);
    return CommitConflict("cannot publish version ", staged.version, " of ", table.path,
                          ": another writer has committed it");
  }

  Status Abort(const io::StorePath& table, const StagedManifest& staged,
               const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(io::CheckRelativePath(staged.staged_path));
    if (!staged.staged_path.starts_with(kStagedFolder)) return Status::OK();
    return table.store->Delete(io::JoinPath(table.path, staged.staged_path), context);
  }
};

/// Reads the deletion files of versions of a table.
class DeletionsByVersion {
 public:
  DeletionsByVersion(const io::StorePath& table, const OperationContext& context)
      : table_(table), context_(context) {}

  /// The rows of a fragment that were deleted in a version. NotFound if either is gone.
  Result<DeletedRows> Of(uint64_t fragment_id, uint64_t version) {
    const auto [known, is_new] = manifests_.try_emplace(version);
    if (is_new) {
      ARROW_ASSIGN_OR_RAISE(const ManifestLocation location,
                            FindManifest(table_, version, context_));
      ARROW_ASSIGN_OR_RAISE(known->second, ReadManifest(table_, location.path, context_));
    }
    const Manifest& manifest = known->second;
    const auto fragment =
        std::ranges::lower_bound(manifest.fragments, fragment_id, {}, &Fragment::id);
    if (fragment == manifest.fragments.end() || fragment->id != fragment_id) {
      return NotFound("version ", version, " has no fragment ", fragment_id);
    }
    if (!fragment->deletion_file) return DeletedRows();
    ARROW_ASSIGN_OR_RAISE(const TableBase base,
                          FindBase(table_, manifest, fragment->deletion_file->base_id));
    return ReadDeletedRows(base.place, *fragment, context_);
  }

 private:
  const io::StorePath& table_;
  const OperationContext& context_;
  std::map<uint64_t, Manifest> manifests_;
};

/// The rows that a delete, or an update that writes rows anew, takes from fragments, as its
/// deletion files and those of the versions that they were written for tell. NotFound if they do
/// not tell.
Result<AffectedRows> FindAffectedRows(const io::StorePath& table, const Transaction& transaction,
                                      const OperationContext& context) {
  const auto* deletion = transaction.As<DeleteRowsOp>();
  const auto* update = transaction.As<UpdateRows>();
  if (deletion == nullptr && (update == nullptr || update->mode != UpdateMode::kRewriteRows)) {
    return NotFound("the operation takes no rows from fragments");
  }
  AffectedRows affected;
  DeletionsByVersion before(table, context);
  for (const Fragment& fragment : deletion != nullptr ? deletion->updated : update->updated) {
    if (!fragment.deletion_file || fragment.deletion_file->base_id) {
      return NotFound("fragment ", fragment.id, " has no deletion file of its own");
    }
    ARROW_ASSIGN_OR_RAISE(const DeletedRows all, ReadDeletedRows(table, fragment, context));
    ARROW_ASSIGN_OR_RAISE(const DeletedRows old,
                          before.Of(fragment.id, fragment.deletion_file->read_version));
    ARROW_ASSIGN_OR_RAISE(affected[fragment.id], Difference(all, old));
  }
  return affected;
}

/// The same; nothing if they do not tell.
Result<std::optional<AffectedRows>> AffectedRowsOf(const io::StorePath& table,
                                                   const Transaction& transaction,
                                                   const OperationContext& context) {
  auto affected = FindAffectedRows(table, transaction, context);
  if (GetErrorCode(affected.status()) == ErrorCode::kNotFound) return std::nullopt;
  ARROW_RETURN_NOT_OK(affected);
  return std::optional(*std::move(affected));
}

/// Makes a transaction that goes with what was committed since its read version fit the latest.
/// `affected`: the rows that it concerns, if that is known. What was written stands in `files`,
/// also after an error.
Status FitLatest(const io::StorePath& table, const Manifest& latest,
                 const std::optional<AffectedRows>& affected, Transaction* transaction,
                 RebasedFiles* files, const OperationContext& context) {
  if (transaction->read_version == 0 || transaction->read_version == latest.version) {
    return Status::OK();
  }
  const auto location = FindManifest(table, transaction->read_version, context);
  // What it has read was cleaned up. Then no row change can be carried over, but it need not be.
  if (GetErrorCode(location.status()) == ErrorCode::kNotFound) return Status::OK();
  ARROW_RETURN_NOT_OK(location);
  ARROW_ASSIGN_OR_RAISE(const Manifest before, ReadManifest(table, location->path, context));
  return RebaseContent(table, before, latest, affected ? &*affected : nullptr, transaction, files,
                       context);
}

/// Stages the version after the latest one. `files` as in FitLatest.
Result<StagedManifest> StageOn(const io::StorePath& table, Transaction transaction,
                               const std::optional<TableVersion>& latest,
                               const std::optional<AffectedRows>& affected, bool stable_row_ids,
                               CommitHandler* handler, RebasedFiles* files,
                               const OperationContext& context) {
  if (latest) {
    if (latest->naming == ManifestNaming::kV1) {
      return Unsupported(table.path,
                         " names its manifests by the old scheme: they cannot be staged; migrate "
                         "the table's manifest paths first");
    }
    ARROW_RETURN_NOT_OK(CheckCommitLock(latest->manifest, /*has_lock=*/false, table.path));
    const std::string before = SerializeTransaction(transaction);
    ARROW_RETURN_NOT_OK(FitLatest(table, latest->manifest, affected, &transaction, files, context));
    if (SerializeTransaction(transaction) != before) {
      ARROW_RETURN_NOT_OK(WriteTransactionFile(table, transaction, context));
    }
  }
  ARROW_ASSIGN_OR_RAISE(const NextVersion next, BuildNextVersion(table, transaction, latest,
                                                                 {.stable_row_ids = stable_row_ids},
                                                                 &files->written, context));
  return handler->Stage(table, next.manifest.version, next.file, transaction.uuid, context);
}

/// Stages the version after the latest one; after a failure no file is left that was written for
/// it.
Result<StagedManifest> StageNext(const io::StorePath& table, const Transaction& transaction,
                                 const std::optional<TableVersion>& latest,
                                 const std::optional<AffectedRows>& affected, bool stable_row_ids,
                                 CommitHandler* handler, const OperationContext& context) {
  RebasedFiles files;
  auto staged =
      StageOn(table, transaction, latest, affected, stable_row_ids, handler, &files, context);
  if (!staged.ok()) {
    OperationContext unstoppable = context;
    unstoppable.stop = {};
    for (const std::string& path : files.written) {
      (void)table.store->Delete(io::JoinPath(table.path, path), unstoppable);
    }
  }
  return staged;
}

}  // namespace

std::shared_ptr<CommitHandler> MakePutIfAbsentHandler() {
  return std::make_shared<PutIfAbsentHandler>();
}

std::string FinalManifestPath(uint64_t version) {
  return ManifestPath(version, ManifestNaming::kV2);
}

Result<StagedManifest> Restage(const io::StorePath& table, const StagedManifest& staged,
                               CommitHandler* handler, const OperationContext& context) {
  ARROW_RETURN_NOT_OK(io::CheckRelativePath(staged.staged_path));
  ARROW_ASSIGN_OR_RAISE(const Manifest manifest, ReadManifest(table, staged.staged_path, context));
  ARROW_ASSIGN_OR_RAISE(const Transaction transaction,
                        ReadTransaction(table, staged.staged_path, manifest, context));
  if (transaction.uuid != staged.transaction_uuid) {
    return Corrupt(io::JoinPath(table.path, staged.staged_path), " holds transaction ",
                   transaction.uuid, ", not ", staged.transaction_uuid);
  }
  ARROW_ASSIGN_OR_RAISE(const auto affected, AffectedRowsOf(table, transaction, context));
  ARROW_ASSIGN_OR_RAISE(Rebase rebase, RebaseOnLatest(table, transaction, transaction.read_version,
                                                      affected.has_value(), context));
  if (rebase.already_committed) {
    const uint64_t version = rebase.already_committed->manifest.version;
    ARROW_ASSIGN_OR_RAISE(
        const io::ObjectInfo info,
        table.store->Head(io::JoinPath(table.path, rebase.already_committed->path), context));
    return StagedManifest{.staged_path = FinalManifestPath(version),
                          .version = version,
                          .size_bytes = info.size,
                          .transaction_uuid = transaction.uuid};
  }
  return StageNext(table, transaction, rebase.latest, affected, HasStableRowIds(manifest), handler,
                   context);
}

Result<StagedManifest> StageTransaction(const io::StorePath& table, Transaction transaction,
                                        CommitHandler* handler, const OperationContext& context) {
  if (transaction.read_version == 0) {
    ARROW_ASSIGN_OR_RAISE(transaction.read_version, handler->Latest(table, context));
  }
  ARROW_ASSIGN_OR_RAISE(const auto affected, AffectedRowsOf(table, transaction, context));
  ARROW_ASSIGN_OR_RAISE(Rebase rebase, RebaseOnLatest(table, transaction, transaction.read_version,
                                                      affected.has_value(), context));
  if (rebase.already_committed) {
    return AlreadyExists("transaction ", transaction.uuid, " is version ",
                         rebase.already_committed->manifest.version, " of ", table.path);
  }
  if (!rebase.latest) return NotFound("no Lance table at '", table.path, "'");
  if (transaction.read_version > rebase.latest->manifest.version) {
    return NotFound("table at '", table.path, "' has no version ", transaction.read_version);
  }
  ARROW_RETURN_NOT_OK(WriteTransactionFile(table, transaction, context));
  auto staged = StageNext(table, transaction, rebase.latest, affected, /*stable_row_ids=*/false,
                          handler, context);
  if (!staged.ok()) RemoveTransactionFile(table, transaction, context);
  return staged;
}

}  // namespace tusk::lance
