#include "tusk/lance/table/row_change.h"

#include <algorithm>
#include <span>
#include <utility>

#include "tusk/base/uuid.h"
#include "tusk/lance/file/data_version.h"
#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/row_ids.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

/// The files of a change that no version has: a failure removes them. Best effort; not to be
/// stopped.
void RemoveFiles(const io::StorePath& table, const UpdateRows& update,
                 const OperationContext& context) {
  OperationContext unstoppable = context;
  unstoppable.stop = {};
  for (const Fragment& fragment : update.updated) {
    (void)table.store->Delete(io::JoinPath(table.path, DeletionPath(fragment)), unstoppable);
  }
  RemoveDataFiles(table, update.added, unstoppable);
}

/// Writes the deletion files of a version in which also `gone` are deleted. What was written stands
/// in `update`, also after an error.
Status WriteDeletionFiles(const Dataset::State& state, const RowsByFragment& gone,
                          UpdateRows* update, const OperationContext& context) {
  for (const Fragment& fragment : state.manifest.fragments) {
    const auto found = gone.find(fragment.id);
    if (found == gone.end()) continue;
    ARROW_RETURN_NOT_OK(context.CheckStop());
    DeletedRows all = found->second;
    ARROW_ASSIGN_OR_RAISE(const auto before, state.FindDeletedRows(fragment, context));
    if (before != nullptr) {
      ARROW_ASSIGN_OR_RAISE(all, Union(*before, all));
    }
    if (all.count() == fragment.physical_rows) {
      update->removed.push_back(fragment.id);
      continue;
    }
    Fragment changed = fragment;
    ARROW_ASSIGN_OR_RAISE(
        changed.deletion_file,
        WriteDeletedRows(state.location, fragment.id, state.manifest.version, all, context));
    update->updated.push_back(std::move(changed));
  }
  return Status::OK();
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

Status AddAddresses(std::span<const uint64_t> addresses, RowsByFragment* rows) {
  for (const uint64_t address : addresses) {
    const auto offset = static_cast<int64_t>(address & 0xFFFFFFFF);
    ARROW_RETURN_NOT_OK((*rows)[address >> 32].Add(offset, offset + 1));
  }
  return Status::OK();
}

Status AddRows(RowsByFragment more, RowsByFragment* rows) {
  for (auto& [id, added] : more) {
    const auto [there, is_new] = rows->try_emplace(id, std::move(added));
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

Result<std::shared_ptr<const Dataset>> CommitRowChange(
    const Dataset& base, RowChange change, const std::map<std::string, std::string>& properties,
    const OperationContext& context) {
  const Dataset::State& state = base.state();
  const io::StorePath& table = state.location;
  UpdateRows update;
  update.added = std::move(change.added);
  update.fields_preserving_indices = std::move(change.fields);
  update.inserted_rows = std::move(change.inserted_keys);
  GiveMovedIds(change.moved_ids, &update.added);
  const Status written = WriteDeletionFiles(state, change.gone, &update, context);
  if (!written.ok()) {
    RemoveFiles(table, update, context);
    return written;
  }
  Transaction transaction;
  transaction.uuid = RandomUuidString();
  transaction.read_version = state.manifest.version;
  transaction.properties = properties;
  transaction.operation = std::move(update);
  const bool is_v1 =
      state.manifest_path == ManifestPath(state.manifest.version, ManifestNaming::kV1);
  TableVersion version{.manifest = state.manifest,
                       .path = state.manifest_path,
                       .naming = is_v1 ? ManifestNaming::kV1 : ManifestNaming::kV2};
  bool outcome_known = true;
  auto committed = CommitTransaction(table, transaction, std::move(version),
                                     /*stable_row_ids=*/false, context, &outcome_known);
  if (!committed.ok()) {
    if (outcome_known) {
      RemoveFiles(table, *transaction.As<UpdateRows>(), context);
      RemoveTransactionFile(table, transaction, context);
    }
    return committed.status();
  }
  return Dataset::State::Make(state.uri, table, std::move(committed->manifest),
                              std::move(committed->path));
}

void AddFieldIds(const Field& field, std::vector<uint32_t>* ids) {
  ids->push_back(static_cast<uint32_t>(field.id));
  for (const Field& child : field.children) AddFieldIds(child, ids);
}

}  // namespace tusk::lance
