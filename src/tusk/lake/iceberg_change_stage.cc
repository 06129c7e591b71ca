#include <functional>
#include <utility>

#include "tusk/iceberg/append.h"
#include "tusk/iceberg/metadata_change.h"
#include "tusk/iceberg/table.h"
#include "tusk/lake/table_stage.h"

namespace tusk::lake {
namespace {

using TablePtr = std::shared_ptr<const iceberg::Table>;

/// Stages the next metadata file of a table, from its state of now.
using Change = std::function<Result<iceberg::StagedMetadata>(const TablePtr& base,
                                                             const OperationContext& context)>;

/// A change that writes no data: a lost race makes it again on the newer state.
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
    if (!entry) return CommitConflict("the table was dropped by another client");
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
    // Nothing but the metadata file was written.
    if (!staged_path_.empty()) (void)parts_.root.store->Delete(staged_path_, context);
    staged_path_.clear();
  }

 private:
  Status StageOn(const catalog::TableEntry& entry, const OperationContext& context) {
    const auto& store = parts_.root.store;
    ARROW_ASSIGN_OR_RAISE(const TablePtr base,
                          iceberg::Table::Open(store, entry.pointer.path, context));
    ARROW_ASSIGN_OR_RAISE(const auto staged, change_table_(base, context));
    staged_path_ = staged.metadata_location;
    change_.expected = entry.pointer;
    change_.location = base->location();
    change_.uuid = staged.table_uuid;
    change_.next = {.path = staged.metadata_location,
                    .version = staged.snapshot_id.value_or(0),
                    .size_bytes = 0,
                    .transaction_uuid = ""};
    if (staged.snapshot_id == base->current_snapshot_id()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const TablePtr next,
                          iceberg::Table::Open(store, staged.metadata_location, context));
    ARROW_ASSIGN_OR_RAISE(const int64_t before, base->CountRows(nullptr, {}, context));
    ARROW_ASSIGN_OR_RAISE(const int64_t after, next->CountRows(nullptr, {}, context));
    change_.added_rows = after - before;
    return Status::OK();
  }

  const LakeParts& parts_;
  Change change_table_;
  catalog::TableChange change_;
  std::string staged_path_;
};

}  // namespace

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
                                                   std::set<int64_t> kept) {
  const auto expire = [&parts, kept = std::move(kept)](const TablePtr& base,
                                                       const OperationContext& context) {
    return iceberg::StageExpire(parts.root.store, base, kept, context);
  };
  return std::make_unique<IcebergChangeStage>(parts, name, expire);
}

}  // namespace tusk::lake
