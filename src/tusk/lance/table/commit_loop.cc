#include "tusk/lance/table/commit_loop.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "tusk/lance/table/build_manifest.h"
#include "tusk/lance/table/conflicts.h"

namespace tusk::lance {
namespace {

constexpr int kMaxAttempts = 20;

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
          .naming = is_v1 ? ManifestNaming::kV1 : ManifestNaming::kV2};
}

Result<NextVersion> BuildNextVersion(const io::StorePath& table, const Transaction& transaction,
                                     const std::optional<TableVersion>& previous,
                                     bool stable_row_ids, const OperationContext& context) {
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
    ARROW_ASSIGN_OR_RAISE(VersionContent content, BuildNextManifest(transaction, previous->manifest,
                                                                    std::move(indices), NowNs()));
    if (!keeps_indices) index_section = SerializeIndexSection(content.indices);
    next.manifest = std::move(content.manifest);
  } else {
    ARROW_ASSIGN_OR_RAISE(next.manifest, BuildFirstManifest(transaction, stable_row_ids, NowNs()));
  }
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
                              uint64_t checked, const OperationContext& context) {
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
      const Status status = CheckConflict(transaction, theirs, location.version);
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
  (void)table.store->Put(io::JoinPath(table.path, kVersionHint), text, unstoppable);
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

Result<TableVersion> CommitTransaction(const io::StorePath& table, const Transaction& transaction,
                                       std::optional<TableVersion> base, bool stable_row_ids,
                                       const OperationContext& context, bool* outcome_known) {
  *outcome_known = true;
  ARROW_RETURN_NOT_OK(WriteTransactionFile(table, transaction, context));
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    const auto begin = Clock::now();
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_ASSIGN_OR_RAISE(NextVersion next,
                          BuildNextVersion(table, transaction, base, stable_row_ids, context));
    const ManifestNaming naming = base ? base->naming : ManifestNaming::kV2;
    std::string path = ManifestPath(next.manifest.version, naming);
    const Status put = table.store->PutIfAbsent(io::JoinPath(table.path, path), next.file, context);
    if (put.ok()) {
      WriteVersionHint(table, next.manifest.version, context);
      return TableVersion{
          .manifest = std::move(next.manifest), .path = std::move(path), .naming = naming};
    }
    if (GetErrorCode(put) != ErrorCode::kAlreadyExists) {
      // Nobody knows what the store did: the name tells, also if the caller wants to stop.
      OperationContext unstoppable = context;
      unstoppable.stop = {};
      const auto holds = HoldsTransaction(table, path, transaction.uuid, unstoppable);
      if (!holds.ok() || !*holds) {
        *outcome_known = holds.ok() || GetErrorCode(holds.status()) == ErrorCode::kNotFound;
        return put;
      }
      return TableVersion{
          .manifest = std::move(next.manifest), .path = std::move(path), .naming = naming};
    }
    const uint64_t checked = base ? base->manifest.version : 0;
    ARROW_ASSIGN_OR_RAISE(Rebase rebase, RebaseOnLatest(table, transaction, checked, context));
    if (rebase.already_committed) return *std::move(rebase.already_committed);
    base = std::move(rebase.latest);
    ARROW_RETURN_NOT_OK(BackOff(attempt, Clock::now() - begin, context));
  }
  return CommitConflict("cannot commit to ", table.path, ": lost ", kMaxAttempts,
                        " races in a row against other writers; try again");
}

}  // namespace tusk::lance
