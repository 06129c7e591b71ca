#include "tusk/lance/table/commit_loop.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "tusk/io/deferring_store.h"
#include "tusk/lance/table/auto_cleanup.h"
#include "tusk/lance/table/build_manifest.h"
#include "tusk/lance/table/conflicts.h"
#include "tusk/lance/table/fragment_reuse.h"

namespace tusk::lance {
namespace {

/// A version that was read longer ago may have been followed by others that were cleaned up, so
/// that the name after it is free again.
constexpr auto kFresh = std::chrono::seconds(2);

/// A transaction above this is only in its file, not in the manifest's.
constexpr size_t kMaxInlineTransaction = 20 << 20;

constexpr std::string_view kVersionHint = "_versions/latest_version_hint.json";

using Clock = std::chrono::steady_clock;

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Waits for a random one of ever more slots, each as long as an attempt took, so that writers who
/// collided do not meet again.
Status BackOff(int attempt, Clock::duration attempt_time, const OperationContext& context) {
  constexpr auto kLongest = std::chrono::seconds(2);
  constexpr auto kStep = std::chrono::milliseconds(20);
  std::random_device random;
  const int slots = 4 << std::min(attempt, 6);
  const auto wait = std::uniform_int_distribution<int>(0, slots - 1)(random) * attempt_time;
  const auto until = Clock::now() + std::min<Clock::duration>(wait, kLongest);
  while (Clock::now() < until) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    std::this_thread::sleep_for(std::min<Clock::duration>(until - Clock::now(), kStep));
  }
  return context.CheckStop();
}

Result<TableVersion> ReadVersion(const io::StorePath& table, const ManifestLocation& location,
                                 const OperationContext& context) {
  TableVersion version{.manifest = {}, .path = location.path, .naming = location.naming};
  ARROW_ASSIGN_OR_RAISE(version.manifest, ReadManifest(table, location.path, context));
  if (version.manifest.version != location.version) {
    return Corrupt(io::JoinPath(table.path, location.path), " holds version ",
                   version.manifest.version, ", its name says ", location.version);
  }
  return version;
}

std::string TransactionPath(const io::StorePath& table, const Transaction& transaction) {
  return io::JoinPath(io::JoinPath(table.path, "_transactions"), TransactionFileName(transaction));
}

}  // namespace

TableVersion TableVersion::Of(const Dataset::State& state) {
  const bool is_v1 =
      state.manifest_path == ManifestPath(state.manifest.version, ManifestNaming::kV1);
  return {.manifest = state.manifest,
          .path = state.manifest_path,
          .naming = is_v1 ? ManifestNaming::kV1 : ManifestNaming::kV2,
          .read_at = state.read_at};
}

Result<NextVersion> BuildNextVersion(const io::StorePath& table, const Transaction& transaction,
                                     std::optional<TableVersion> previous,
                                     const NextVersionOptions& options,
                                     std::vector<std::string>* written,
                                     const OperationContext& context) {
  NextVersion next;
  std::string index_section;
  if (const auto* restore = transaction.As<RestoreVersion>()) {
    if (!previous) return NotFound("cannot restore: there is no Lance table at '", table.path, "'");
    ARROW_ASSIGN_OR_RAISE(const ManifestLocation location,
                          FindManifest(table, restore->version, context));
    ARROW_ASSIGN_OR_RAISE(const TableVersion restored, ReadVersion(table, location, context));
    ARROW_ASSIGN_OR_RAISE(next.manifest, BuildRestoredManifest(transaction, restored.manifest,
                                                               previous->manifest, NowNs()));
    ARROW_ASSIGN_OR_RAISE(index_section,
                          ReadIndexSection(table, restored.path, restored.manifest, context));
  } else if (previous) {
    if (transaction.kind() != Operation::kOverwrite) {
      ARROW_ASSIGN_OR_RAISE(index_section,
                            ReadIndexSection(table, previous->path, previous->manifest, context));
    }
    std::vector<IndexMetadata> indices;
    const bool keeps_indices = KeepsIndices(transaction);
    if (!keeps_indices && !index_section.empty()) {
      ARROW_ASSIGN_OR_RAISE(indices, ParseIndexSection(index_section));
    }
    MovedRowsAccount account{.moved = options.moved_rows};
    ARROW_ASSIGN_OR_RAISE(account.reuse,
                          ReadFragmentReuse(table, previous->manifest, indices, context));
    const uint64_t base = previous->manifest.version;
    ARROW_ASSIGN_OR_RAISE(VersionContent content,
                          BuildNextManifest(transaction, std::move(previous->manifest),
                                            std::move(indices), NowNs(), std::move(account)));
    if (content.account.reuse) {
      std::erase_if(content.indices, IsFragmentReuse);
      ARROW_ASSIGN_OR_RAISE(
          content.indices.emplace_back(),
          WriteFragmentReuse(table, *content.account.reuse, base, written, context));
    }
    if (!keeps_indices) index_section = SerializeIndexSection(content.indices);
    next.manifest = std::move(content.manifest);
  } else {
    ARROW_ASSIGN_OR_RAISE(next.manifest,
                          BuildFirstManifest(transaction, options.stable_row_ids, NowNs()));
  }
  if (options.version != 0) next.manifest.version = options.version;
  std::string inline_transaction = SerializeTransaction(transaction);
  if (inline_transaction.size() > kMaxInlineTransaction) inline_transaction.clear();
  next.file = SerializeManifestFile(&next.manifest, index_section, inline_transaction);
  if (next.file.empty()) {
    return InvalidArgument("cannot commit to ", table.path, ": the manifest of ",
                           next.manifest.fragments.size(),
                           " fragments would exceed 2 GiB: compact the table");
  }
  return next;
}

Result<Rebase> RebaseOnLatest(const io::StorePath& table, const Transaction& transaction,
                              uint64_t checked, bool knows_rows, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto locations, ListManifests(table, context));
  Rebase rebase;
  uint64_t expected = checked + 1;
  for (const ManifestLocation& location : locations) {
    const bool is_latest = location.version == locations.back().version;
    if (location.version < expected && !is_latest) continue;
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_ASSIGN_OR_RAISE(TableVersion version, ReadVersion(table, location, context));
    if (location.version >= expected) {
      if (location.version != expected) {
        return CommitConflict(
            "cannot commit to ", table.path, ": version ", expected,
            " was cleaned up before it could be checked against a commit based on ", "version ",
            transaction.read_version);
      }
      ARROW_ASSIGN_OR_RAISE(const Transaction theirs,
                            ReadTransaction(table, location.path, version.manifest, context));
      if (theirs.uuid == transaction.uuid) {
        rebase.already_committed = std::move(version);
        return rebase;
      }
      const Status status = CheckConflict(transaction, theirs, location.version, knows_rows);
      if (!status.ok()) return WithContext(status, table.path);
      ++expected;
    }
    if (is_latest) rebase.latest = std::move(version);
  }
  return rebase;
}

Status WriteTransactionFile(const io::StorePath& table, const Transaction& transaction,
                            const OperationContext& context) {
  return table.store->Put(TransactionPath(table, transaction), SerializeTransaction(transaction),
                          context);
}

void RemoveTransactionFile(const io::StorePath& table, const Transaction& transaction,
                           const OperationContext& context) {
  OperationContext unstoppable = context;
  unstoppable.stop = {};
  (void)table.store->Delete(TransactionPath(table, transaction), unstoppable);
}

void WriteVersionHint(const io::StorePath& table, uint64_t version,
                      const OperationContext& context) {
  OperationContext unstoppable = context;
  unstoppable.stop = {};
  const std::string text = "{\"version\":" + std::to_string(version) + "}";
  // Nobody relies on it, so that it is not worth waiting for the disk.
  const std::shared_ptr<io::ObjectStore> store = io::Deferring(table).store;
  const std::string path = io::JoinPath(table.path, kVersionHint);
  // Some file systems (ext4) write a file to the disk before they let it replace another.
  (void)store->Delete(path, unstoppable);
  (void)store->Put(path, text, unstoppable);
}

Result<bool> HoldsTransaction(const io::StorePath& table, const std::string& path,
                              std::string_view uuid, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const Manifest manifest, ReadManifest(table, path, context));
  auto transaction = ReadTransaction(table, path, manifest, context);
  // A version that does not say what made it was not made here.
  if (GetErrorCode(transaction.status()) == ErrorCode::kNotFound) return false;
  ARROW_RETURN_NOT_OK(transaction);
  return transaction->uuid == uuid;
}

Status CheckCommitLock(const Manifest& manifest, bool has_lock, std::string_view path) {
  const auto kind = manifest.config.find(std::string(kCommitLockKey));
  if (has_lock || kind == manifest.config.end()) return Status::OK();
  return InvalidArgument("cannot commit to ", path, ": its writers agreed on a commit lock ('",
                         kCommitLockKey, "' in its config is '", kind->second,
                         "'), and this one has none: open the table with commit_lock, or remove "
                         "the key under the lock if nobody needs it any more");
}

namespace {

/// One commit with all its attempts.
class Committer {
 public:
  Committer(const io::StorePath& table, Transaction transaction, const CommitOptions& options,
            const OperationContext& context)
      : table_(options.written == nullptr
                   ? io::Deferring(table)
                   : io::StorePath{.store = options.written, .path = table.path}),
        transaction_(std::move(transaction)),
        options_(options),
        context_(context) {}

  Result<TableVersion> Run(std::optional<TableVersion> base, bool* outcome_known);

 private:
  /// The version that is committed; nothing if another writer has the name.
  Result<std::optional<TableVersion>> Try(std::optional<TableVersion>* base, bool* outcome_known);
  /// `base` to make the next version of. What is not needed again leaves it: of a manifest of many
  /// fragments a copy takes longer than to read it.
  std::optional<TableVersion> TakeBase(std::optional<TableVersion>* base) const;
  /// Moves `base` to the latest version and the transaction with it. The version that is committed,
  /// if an earlier attempt was successful after all.
  Result<std::optional<TableVersion>> Rebase(std::optional<TableVersion>* base);
  /// CommitConflict if there is a version that is not the base.
  Status CheckIsLatest(const std::optional<TableVersion>& base);
  Status Publish(const std::string& path, uint64_t version, std::string_view file);
  void Remove(const std::vector<std::string>& paths);

  /// With a store that defers, if there is one: all becomes durable with the manifest.
  const io::StorePath table_;
  Transaction transaction_;
  const CommitOptions& options_;
  const OperationContext& context_;
  RebasedFiles rebased_;
  std::vector<std::string> built_;  ///< written by the last attempt
};

Status Committer::Publish(const std::string& path, uint64_t version, std::string_view file) {
  const auto put = [&] {
    return io::SyncAndPutIfAbsent(table_.store.get(), io::JoinPath(table_.path, path), file,
                                  context_);
  };
  if (!options_.lock) return put();
  Status status = options_.lock(version, put);
  if (GetErrorCode(status) != ErrorCode::kCommitConflict) return status;
  return AlreadyExists(status.message());
}

std::optional<TableVersion> Committer::TakeBase(std::optional<TableVersion>* base) const {
  if (!*base || NeedsVersionBefore(transaction_)) return *base;
  const uint64_t version = (*base)->manifest.version;
  std::optional<TableVersion> taken = std::exchange(*base, TableVersion());
  (*base)->manifest.version = version;
  return taken;
}

Result<std::optional<TableVersion>> Committer::Try(std::optional<TableVersion>* base,
                                                   bool* outcome_known) {
  const ManifestNaming naming = *base ? (*base)->naming : options_.naming;
  if (*base) {
    const Manifest& manifest = (*base)->manifest;
    ARROW_RETURN_NOT_OK(CheckCommitLock(manifest, options_.lock != nullptr, table_.path));
  }
  // What an attempt that lost its race has written belongs to no version.
  Remove(std::exchange(built_, {}));
  ARROW_ASSIGN_OR_RAISE(NextVersion next,
                        BuildNextVersion(table_, transaction_, TakeBase(base),
                                         {.stable_row_ids = options_.stable_row_ids,
                                          .moved_rows = options_.moved_rows},
                                         &built_, context_));
  std::string path = ManifestPath(next.manifest.version, naming);
  const Status put = Publish(path, next.manifest.version, next.file);
  if (GetErrorCode(put) == ErrorCode::kAlreadyExists) return std::nullopt;
  if (!put.ok()) {
    // Nobody knows what the store did: the name tells, also if the caller wants to stop.
    OperationContext unstoppable = context_;
    unstoppable.stop = {};
    const auto holds = HoldsTransaction(table_, path, transaction_.uuid, unstoppable);
    if (!holds.ok() || !*holds) {
      *outcome_known = holds.ok() || GetErrorCode(holds.status()) == ErrorCode::kNotFound;
      return put;
    }
  } else {
    WriteVersionHint(table_, next.manifest.version, context_);
  }
  return TableVersion{
      .manifest = std::move(next.manifest), .path = std::move(path), .naming = naming};
}

Status Committer::CheckIsLatest(const std::optional<TableVersion>& base) {
  const uint64_t read = base ? base->manifest.version : 0;
  ARROW_ASSIGN_OR_RAISE(const auto latest, FindLatestManifest(table_, context_));
  const uint64_t found = latest ? latest->version : 0;
  if (found == read) return Status::OK();
  return CommitConflict("cannot commit ", OperationName(transaction_.kind()), " to ", table_.path,
                        ": it may only follow version ", read, ", but there is version ", found);
}

Result<std::optional<TableVersion>> Committer::Rebase(std::optional<TableVersion>* base) {
  const uint64_t checked = *base ? (*base)->manifest.version : 0;
  const bool knows_rows = options_.affected_rows != nullptr;
  ARROW_ASSIGN_OR_RAISE(lance::Rebase rebase,
                        RebaseOnLatest(table_, transaction_, checked, knows_rows, context_));
  if (rebase.already_committed) return std::move(rebase.already_committed);
  if (*base && rebase.latest && rebase.latest->manifest.version != checked) {
    const std::string before = SerializeTransaction(transaction_);
    const Status rebased =
        RebaseContent(table_, (*base)->manifest, rebase.latest->manifest, options_.affected_rows,
                      &transaction_, &rebased_, context_);
    if (!rebased.ok()) return WithContext(rebased, table_.path);
    if (SerializeTransaction(transaction_) != before) {
      ARROW_RETURN_NOT_OK(WriteTransactionFile(table_, transaction_, context_));
    }
  }
  *base = std::move(rebase.latest);
  return std::nullopt;
}

void Committer::Remove(const std::vector<std::string>& paths) {
  OperationContext unstoppable = context_;
  unstoppable.stop = {};
  for (const std::string& path : paths) {
    (void)table_.store->Delete(io::JoinPath(table_.path, path), unstoppable);
  }
}

Result<TableVersion> Committer::Run(std::optional<TableVersion> base, bool* outcome_known) {
  *outcome_known = true;
  const auto attempts = [&]() -> Result<TableVersion> {
    ARROW_RETURN_NOT_OK(WriteTransactionFile(table_, transaction_, context_));
    const auto begin = Clock::now();
    bool is_behind = base && begin - base->read_at > kFresh;
    int attempt = 0;
    for (; attempt < options_.max_attempts; ++attempt) {
      if (attempt > 0 && Clock::now() - begin > options_.timeout) break;
      const auto attempt_begin = Clock::now();
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      if (options_.is_strict) {
        ARROW_RETURN_NOT_OK(CheckIsLatest(base));
      } else if (is_behind) {
        ARROW_ASSIGN_OR_RAISE(auto done, Rebase(&base));
        if (done) return *std::move(done);
      }
      ARROW_ASSIGN_OR_RAISE(auto committed, Try(&base, outcome_known));
      if (committed) return *std::move(committed);
      is_behind = true;
      ARROW_RETURN_NOT_OK(BackOff(attempt, Clock::now() - attempt_begin, context_));
    }
    // The last one to come in may have been ours.
    ARROW_ASSIGN_OR_RAISE(auto done, Rebase(&base));
    if (done) return *std::move(done);
    return CommitConflict("cannot commit ", OperationName(transaction_.kind()), " to ", table_.path,
                          ": lost ", attempt, " races in a row against other writers; try again");
  };
  auto committed = attempts();
  // A file that was written and then replaced is in both lists.
  if (committed.ok()) {
    Remove(rebased_.replaced);
  } else if (*outcome_known) {
    Remove(rebased_.written);
    Remove(built_);
  }
  return committed;
}

}  // namespace

Result<TableVersion> CommitTransaction(const io::StorePath& table, const Transaction& transaction,
                                       std::optional<TableVersion> base,
                                       const CommitOptions& options,
                                       const OperationContext& context, bool* outcome_known) {
  auto committed =
      Committer(table, transaction, options, context).Run(std::move(base), outcome_known);
  if (committed.ok()) CleanUpAfterCommit(table, committed->manifest, committed->path, context);
  return committed;
}

}  // namespace tusk::lance
