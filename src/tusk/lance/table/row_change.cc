#include "tusk/lance/table/row_change.h"

#include <algorithm>
#include <span>
#include <utility>

#include "tusk/base/uuid.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lance/file/data_version.h"
#include "tusk/lance/table/commit_change.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/row_ids.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

/// Fragments that lost rows.
struct ChangedFragments {
  std::vector<Fragment> updated;  ///< with their new deletion files
  std::vector<uint64_t> removed;  ///< ids of those without a row left
};

/// Writes the deletion files of a version in which also `gone` are deleted to `target`, the table.
/// What was written stands in `changed`, also after an error.
Status WriteDeletionFiles(const Dataset::State& state, const AffectedRows& gone,
                          const io::StorePath& target, ChangedFragments* changed,
                          const OperationContext& context) {
  for (const Fragment& fragment : state.manifest.fragments) {
    const auto found = gone.find(fragment.id);
    if (found == gone.end()) continue;
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const DeletedRows* all = &found->second;
    ARROW_ASSIGN_OR_RAISE(const auto before, state.FindDeletedRows(fragment, context));
    DeletedRows both;
    if (before != nullptr) {
      ARROW_ASSIGN_OR_RAISE(both, Union(*before, *all));
      all = &both;
    }
    if (all->count() == fragment.physical_rows) {
      changed->removed.push_back(fragment.id);
      continue;
    }
    Fragment updated = fragment;
    ARROW_ASSIGN_OR_RAISE(
        updated.deletion_file,
        WriteDeletedRows(target, fragment.id, state.manifest.version, *all, context));
    changed->updated.push_back(std::move(updated));
  }
  return Status::OK();
}

/// Removes files that no version has. Best effort; cannot be stopped.
void RemoveFiles(const Dataset::State& base, const std::vector<Fragment>& updated,
                 const std::vector<Fragment>& added, const OperationContext& context) {
  const io::StorePath& table = base.location;
  OperationContext unstoppable = context;
  unstoppable.stop = {};
  for (const Fragment& fragment : updated) {
    (void)table.store->Delete(io::JoinPath(table.path, DeletionPath(fragment)), unstoppable);
  }
  RemoveDataFiles(table, added, context, base.manifest.base_paths);
}

/// Tells the fragments which of their rows have moved into them.
void GiveMovedIds(std::span<const uint64_t> ids, std::vector<Fragment>* added) {
  for (Fragment& fragment : *added) {
    const auto count = std::min<size_t>(ids.size(), fragment.physical_rows);
    if (count == 0) return;
    fragment.row_ids = SerializeRowIds(ids.first(count));
    ids = ids.subspan(count);
  }
}

}  // namespace

Status AddAddresses(std::span<const uint64_t> addresses, AffectedRows* rows) {
  constexpr uint64_t kOffsets = 0xFFFFFFFF;
  for (size_t i = 0; i < addresses.size();) {
    const uint64_t fragment = addresses[i] >> 32;
    DeletedRows& of_fragment = (*rows)[fragment];
    while (i < addresses.size() && addresses[i] >> 32 == fragment) {
      const auto begin = static_cast<int64_t>(addresses[i] & kOffsets);
      int64_t end = begin + 1;
      for (++i; i < addresses.size() && addresses[i] == addresses[i - 1] + 1; ++i) ++end;
      ARROW_RETURN_NOT_OK(of_fragment.Add(begin, end));
    }
  }
  return Status::OK();
}

Status AddRows(const AffectedRows& more, AffectedRows* rows) {
  for (const auto& [id, added] : more) {
    const auto [there, is_new] = rows->try_emplace(id, added);
    if (is_new) continue;
    ARROW_ASSIGN_OR_RAISE(there->second, Union(there->second, added));
  }
  return Status::OK();
}

Status CheckRowsCanChange(const Dataset& dataset) {
  const Dataset::State& state = dataset.state();
  const Status writable = CheckWritable(state.manifest);
  return writable.ok() ? writable : WithContext(writable, state.location.path);
}

Result<uint16_t> MinorVersionOfRows(const Dataset::State& state,
                                    const std::optional<std::string>& asked,
                                    std::string_view operation) {
  if (asked) return ParseDataVersion(*asked);
  const std::string& version = state.manifest.data_version;
  if (version == "2.1" || version == "2.2") return ParseDataVersion(version);
  return Unsupported("cannot ", operation, " ", state.location.path, " in its data version '",
                     version, "': ask for files of 2.1 or 2.2");
}

namespace {

/// The same of a change whose rows `gone` stand apart, which may be very many.
Result<Transaction> WriteRowChange(const Dataset& base, RowChange change, const AffectedRows& gone,
                                   const std::map<std::string, std::string>& properties,
                                   const OperationContext& context) {
  const Dataset::State& state = base.state();
  GiveMovedIds(change.moved_ids, &change.added);
  ChangedFragments changed;
  io::StorePath target = state.location;
  if (change.store != nullptr) target.store = change.store;
  const Status written = WriteDeletionFiles(state, gone, target, &changed, context);
  if (!written.ok()) {
    RemoveFiles(state, changed.updated, change.added, context);
    return written;
  }
  Transaction transaction{
      .read_version = state.manifest.version, .uuid = RandomUuidString(), .properties = properties};
  if (change.predicate) {
    transaction.operation = DeleteRowsOp{.updated = std::move(changed.updated),
                                         .removed = std::move(changed.removed),
                                         .predicate = *std::move(change.predicate)};
  } else {
    transaction.operation = UpdateRows{.removed = std::move(changed.removed),
                                       .updated = std::move(changed.updated),
                                       .added = std::move(change.added),
                                       .fields_preserving_indices = std::move(change.fields),
                                       .inserted_rows = std::move(change.inserted_keys)};
  }
  return transaction;
}

}  // namespace

Result<Transaction> WriteRowChange(const Dataset& base, RowChange change,
                                   const std::map<std::string, std::string>& properties,
                                   const OperationContext& context) {
  const AffectedRows gone = std::exchange(change.gone, {});
  return WriteRowChange(base, std::move(change), gone, properties, context);
}

Result<std::shared_ptr<const Dataset>> CommitRowChange(
    const Dataset& base, RowChange change, const std::map<std::string, std::string>& properties,
    const OperationContext& context) {
  const AffectedRows gone = std::exchange(change.gone, {});
  const CommitLock lock = change.lock;
  if (change.store == nullptr) change.store = io::Deferring(base.state().location).store;
  const std::shared_ptr<io::ObjectStore> store = change.store;
  ARROW_ASSIGN_OR_RAISE(const Transaction transaction,
                        WriteRowChange(base, std::move(change), gone, properties, context));
  const auto remove_files = [&] {
    if (const auto* deletion = transaction.As<DeleteRowsOp>()) {
      RemoveFiles(base.state(), deletion->updated, {}, context);
    } else {
      const auto* update = transaction.As<UpdateRows>();
      RemoveFiles(base.state(), update->updated, update->added, context);
    }
  };
  return CommitChange(base, transaction, {.affected_rows = &gone, .lock = lock, .written = store},
                      remove_files, context);
}

}  // namespace tusk::lance
