#include <functional>
#include <utility>

#include <arrow/record_batch.h>

#include "tusk/iceberg/append.h"
#include "tusk/iceberg/metadata_change.h"
#include "tusk/iceberg/overwrite.h"
#include "tusk/iceberg/rewrite.h"
#include "tusk/iceberg/table.h"
#include "tusk/iceberg/update.h"
#include "tusk/lake/table_stage.h"

namespace tusk::lake {
namespace {

using TablePtr = std::shared_ptr<const iceberg::Table>;

/// Stages the next metadata file of a table, from its state of now.
using Change = std::function<Result<iceberg::StagedMetadata>(const TablePtr& base,
                                                             const OperationContext& context)>;

/// Rows of a table, without counting them anew where nothing of them changed.
Result<int64_t> AddedRows(const TablePtr& base, const TablePtr& next,
                          const OperationContext& context) {
  if (base->current_snapshot_id() == next->current_snapshot_id()) return 0;
  ARROW_ASSIGN_OR_RAISE(const int64_t before, base->CountRows(nullptr, {}, context));
  ARROW_ASSIGN_OR_RAISE(const int64_t after, next->CountRows(nullptr, {}, context));
  return after - before;
}

/// A change that is made anew, after a lost race, on the newer state.
class IcebergChangeStage final : public TableStage {
 public:
  IcebergChangeStage(const LakeParts& parts, const catalog::TableName& name, Change change_table)
      : parts_(parts), change_table_(std::move(change_table)) {
    change_.name = name;
    change_.kind = catalog::TableKind::kIceberg;
  }

  const catalog::TableChange& change() const override { return change_; }

  Status Stage(const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto entry, LoadForAppend(parts_, change_, context));
    if (!entry) return NotFound("there is no such table");
    return StageOn(*entry, context);
  }

  Result<bool> Restage(const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto entry, LoadForAppend(parts_, change_, context));
    if (!entry) return CommitConflict("the table was dropped by another client");
    if (change_.expected->path == entry->pointer.path) return false;
    Abort(context);
    ARROW_RETURN_NOT_OK(StageOn(*entry, context));
    return true;
  }

  void Abort(const OperationContext& context) override {
    if (staged_.metadata_location.empty()) return;
    (void)iceberg::AbortStaged(parts_.root.store, staged_, context);
    staged_ = {};
  }

 private:
  Status StageOn(const catalog::TableEntry& entry, const OperationContext& context) {
    const auto& store = parts_.root.store;
    ARROW_ASSIGN_OR_RAISE(const TablePtr base,
                          iceberg::Table::Open(store, entry.pointer.path, context));
    ARROW_ASSIGN_OR_RAISE(staged_, change_table_(base, context));
    ARROW_ASSIGN_OR_RAISE(const TablePtr next,
                          iceberg::Table::Open(store, staged_.metadata_location, context));
    ARROW_ASSIGN_OR_RAISE(change_.added_rows, AddedRows(base, next, context));
    change_.expected = entry.pointer;
    change_.location = base->location();
    change_.uuid = staged_.table_uuid;
    change_.next = {.path = staged_.metadata_location,
                    .version = next->current_snapshot_id().value_or(0),
                    .size_bytes = 0,
                    .transaction_uuid = ""};
    return Status::OK();
  }

  const LakeParts& parts_;
  Change change_table_;
  catalog::TableChange change_;
  iceberg::StagedMetadata staged_;
};

}  // namespace

std::unique_ptr<TableStage> MakeIcebergUpdateStage(const LakeParts& parts,
                                                   const catalog::TableName& name,
                                                   iceberg::TableUpdate update) {
  return std::make_unique<IcebergChangeStage>(
      parts, name,
      [&parts, update = std::move(update)](const TablePtr& base, const OperationContext& context) {
        return iceberg::StageUpdate(parts.root.store, base, update, context);
      });
}

std::unique_ptr<TableStage> MakeIcebergOverwriteStage(const LakeParts& parts,
                                                      const catalog::TableName& name,
                                                      iceberg::Overwrite overwrite) {
  bool is_used_up = false;
  const auto change =
      [&parts, overwrite = std::move(overwrite), is_used_up](
          const TablePtr& base,
          const OperationContext& context) mutable -> Result<iceberg::StagedMetadata> {
    if (is_used_up) {
      return CommitConflict("another writer changed the table in the meantime, and the new rows ",
                            "were read already; overwrite again");
    }
    is_used_up = overwrite.data != nullptr;
    return iceberg::StageOverwrite(parts.root.store, base, overwrite, context);
  };
  return std::make_unique<IcebergChangeStage>(parts, name, change);
}

std::unique_ptr<TableStage> MakeIcebergRestoreStage(const LakeParts& parts,
                                                    const catalog::TableEntry& then) {
  const auto restore = [&parts, path = then.pointer.path](
                           const TablePtr& base,
                           const OperationContext& context) -> Result<iceberg::StagedMetadata> {
    ARROW_ASSIGN_OR_RAISE(const TablePtr old,
                          iceberg::Table::Open(parts.root.store, path, context));
    return iceberg::StageRestore(parts.root.store, base, *old, context);
  };
  return std::make_unique<IcebergChangeStage>(parts, then.name, restore);
}

std::unique_ptr<TableStage> MakeIcebergExpireStage(const LakeParts& parts,
                                                   const catalog::TableName& name,
                                                   std::set<int64_t> dropped) {
  const auto expire = [&parts, dropped = std::move(dropped)](const TablePtr& base,
                                                             const OperationContext& context) {
    std::set<int64_t> kept;
    for (const iceberg::SnapshotInfo& snapshot : base->snapshots()) {
      if (!dropped.contains(snapshot.snapshot_id)) kept.insert(snapshot.snapshot_id);
    }
    return iceberg::StageExpire(parts.root.store, base, kept, context);
  };
  return std::make_unique<IcebergChangeStage>(parts, name, expire);
}

std::unique_ptr<TableStage> MakeIcebergRewriteStage(const LakeParts& parts,
                                                    const catalog::TableName& name,
                                                    iceberg::DataFileRewrite options,
                                                    iceberg::RewritePlan plan,
                                                    int64_t* files_removed, int64_t* files_added) {
  const auto rewrite = [&parts, options = std::move(options),
                        plan = std::make_shared<iceberg::RewritePlan>(std::move(plan)),
                        files_removed, files_added](
                           const TablePtr& base,
                           const OperationContext& context) -> Result<iceberg::StagedMetadata> {
    if (plan->metadata_location != base->metadata_location()) {
      ARROW_ASSIGN_OR_RAISE(*plan, iceberg::PlanRewrite(base, options, context));
    }
    if (plan->rewritten.empty()) {
      return CommitConflict("another writer has put its files together in the meantime");
    }
    ARROW_ASSIGN_OR_RAISE(auto done,
                          iceberg::StageRewrite(parts.root.store, base, *plan, options, context));
    *files_removed = done.files_removed;
    *files_added = done.files_added;
    return std::move(done.staged);
  };
  return std::make_unique<IcebergChangeStage>(parts, name, rewrite);
}

}  // namespace tusk::lake
