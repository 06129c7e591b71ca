#include "tusk/lance/delete_rows.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "tusk/base/uuid.h"
#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

/// The rows for which `filter` is true.
Result<AffectedRows> FindRows(const Dataset& dataset,
                              const std::shared_ptr<const expr::Filter>& filter,
                              const OperationContext& context) {
  ScanOptions options;
  options.columns = {std::string(kRowAddressColumn)};
  options.filter = filter;
  ARROW_ASSIGN_OR_RAISE(const auto reader, dataset.Scan(options, context));
  AffectedRows found;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return found;
    const auto& addresses = static_cast<const arrow::UInt64Array&>(*batch->column(0));
    for (int64_t i = 0; i < addresses.length(); ++i) {
      const uint64_t address = addresses.Value(i);
      const auto offset = static_cast<int64_t>(address & 0xFFFFFFFF);
      // A scan goes through the fragments in order, and through the rows of each.
      ARROW_RETURN_NOT_OK(found[address >> 32].Add(offset, offset + 1));
    }
  }
}

void RemoveDeletionFiles(const io::StorePath& table, const DeleteRowsOp& deletion,
                         const OperationContext& context) {
  OperationContext unstoppable = context;
  unstoppable.stop = {};
  for (const Fragment& fragment : deletion.updated) {
    (void)table.store->Delete(io::JoinPath(table.path, DeletionPath(fragment)), unstoppable);
  }
}

/// Writes the deletion files of a version in which also `rows` are deleted. What was written stands
/// in `deletion`, also after an error.
Status WriteDeletionFiles(const io::StorePath& table, const Dataset::State& state,
                          const AffectedRows& rows, DeleteRowsOp* deletion,
                          const OperationContext& context) {
  for (const Fragment& fragment : state.manifest.fragments) {
    const auto found = rows.find(fragment.id);
    if (found == rows.end()) continue;
    ARROW_RETURN_NOT_OK(context.CheckStop());
    DeletedRows all = found->second;
    ARROW_ASSIGN_OR_RAISE(const auto before, state.FindDeletedRows(fragment, context));
    if (before != nullptr) {
      ARROW_ASSIGN_OR_RAISE(all, Union(*before, all));
    }
    if (all.count() == fragment.physical_rows) {
      deletion->removed.push_back(fragment.id);
      continue;
    }
    Fragment changed = fragment;
    ARROW_ASSIGN_OR_RAISE(
        changed.deletion_file,
        WriteDeletedRows(table, fragment.id, state.manifest.version, all, context));
    deletion->updated.push_back(std::move(changed));
  }
  return Status::OK();
}

/// One look for the rows and one try to commit.
Result<DeleteResult> TryToDelete(const io::StorePath& table,
                                 const std::shared_ptr<const expr::Filter>& filter,
                                 const DeleteOptions& options, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, context));
  const Dataset::State& state = dataset->state();
  const Status writable = CheckWritable(state.manifest);
  if (!writable.ok()) return WithContext(writable, table.path);
  ARROW_ASSIGN_OR_RAISE(const AffectedRows rows, FindRows(*dataset, filter, context));
  DeleteResult result;
  for (const auto& [fragment, deleted] : rows) result.num_deleted_rows += deleted.count();

  DeleteRowsOp deletion{.predicate = filter->ToString()};
  const Status written = WriteDeletionFiles(table, state, rows, &deletion, context);
  if (!written.ok()) {
    RemoveDeletionFiles(table, deletion, context);
    return written;
  }
  const Transaction transaction{.read_version = state.manifest.version,
                                .uuid = RandomUuidString(),
                                .properties = options.transaction_properties,
                                .operation = deletion};
  bool outcome_known = true;
  auto committed = CommitTransaction(table, transaction, TableVersion::Of(state),
                                     {.affected_rows = &rows}, context, &outcome_known);
  if (!committed.ok()) {
    if (outcome_known) {
      RemoveDeletionFiles(table, deletion, context);
      RemoveTransactionFile(table, transaction, context);
    }
    return committed.status();
  }
  ARROW_ASSIGN_OR_RAISE(result.dataset,
                        Dataset::State::Make(state.uri, table, std::move(committed->manifest),
                                             std::move(committed->path)));
  return result;
}

}  // namespace

Result<DeleteResult> DeleteRows(const io::StorePath& table,
                                const std::shared_ptr<const expr::Filter>& filter,
                                const DeleteOptions& options, const OperationContext& context) {
  if (filter == nullptr) return InvalidArgument("delete needs a filter; true deletes every row");
  for (int attempt = 0;; ++attempt) {
    auto result = TryToDelete(table, filter, options, context);
    const bool is_conflict = GetErrorCode(result.status()) == ErrorCode::kCommitConflict;
    if (result.ok() || !is_conflict || attempt >= options.max_retries) return result;
  }
}

}  // namespace tusk::lance
