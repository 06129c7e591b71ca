#include <string>
#include <utility>

#include "tusk/base/uuid.h"
#include "tusk/lake/table_stage.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/commit.h"
#include "tusk/lance/table/transaction_json.h"

namespace tusk::lake {
namespace {

/// A transaction on a Lance table that is there.
class LanceChangeStage final : public TableStage {
 public:
  /// `uuid`: of the table, which must not have become another one; empty if it may.
  LanceChangeStage(const LakeParts& parts, const catalog::TableName& name, std::string uuid,
                   lance::Transaction transaction)
      : parts_(parts), uuid_(std::move(uuid)), transaction_(std::move(transaction)) {
    change_.name = name;
    change_.kind = catalog::TableKind::kLance;
  }

  const catalog::TableChange& change() const override { return change_; }

  Status Stage(const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto entry, LoadForAppend(parts_, change_, context));
    if (uuid_.empty()) {
      if (!entry) return NotFound("no table '", change_.name.ToString(), "' in the lake");
      uuid_ = entry->uuid;
    }
    ARROW_RETURN_NOT_OK(CheckSame(entry));
    change_.uuid = entry->uuid;
    change_.location = entry->location;
    change_.expected = entry->pointer;
    ARROW_ASSIGN_OR_RAISE(table_, LanceTablePath(parts_, change_.location));
    // On top of the latest there is, so that what others wrote by path stays in the history.
    ARROW_ASSIGN_OR_RAISE(
        staged_, lance::StageTransaction(table_, transaction_, parts_.handler.get(), context));
    SetStaged();
    return CountRows(context);
  }

  Result<bool> Restage(const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto entry, LoadForAppend(parts_, change_, context));
    ARROW_RETURN_NOT_OK(CheckSame(entry));
    if (*change_.expected == entry->pointer) return false;
    ARROW_ASSIGN_OR_RAISE(lance::StagedManifest staged,
                          lance::Restage(table_, staged_, parts_.handler.get(), context));
    if (staged.staged_path != staged_.staged_path) Abort(context);
    staged_ = std::move(staged);
    change_.expected = entry->pointer;
    SetStaged();
    ARROW_RETURN_NOT_OK(CountRows(context));
    return true;
  }

  void Abort(const OperationContext& context) override {
    if (!staged_.staged_path.empty()) (void)parts_.handler->Abort(table_, staged_, context);
  }

 private:
  Status CheckSame(const std::optional<catalog::TableEntry>& entry) const {
    if (entry && entry->uuid == uuid_) return Status::OK();
    return CommitConflict("the table was dropped since");
  }

  void SetStaged() {
    change_.next = {.path = staged_.staged_path,
                    .version = static_cast<int64_t>(staged_.version),
                    .size_bytes = staged_.size_bytes,
                    .transaction_uuid = staged_.transaction_uuid};
  }

  Result<int64_t> RowsAt(const std::string& path, const OperationContext& context) const {
    lance::OpenOptions options;
    options.manifest_path = path;
    ARROW_ASSIGN_OR_RAISE(const auto dataset, lance::Dataset::Open(table_, options, context));
    return dataset->CountRows(nullptr, context);
  }

  Status CountRows(const OperationContext& context) {
    ARROW_ASSIGN_OR_RAISE(const int64_t before, RowsAt(change_.expected->path, context));
    ARROW_ASSIGN_OR_RAISE(const int64_t after, RowsAt(staged_.staged_path, context));
    change_.added_rows = after - before;
    return Status::OK();
  }

  const LakeParts& parts_;
  std::string uuid_;
  const lance::Transaction transaction_;
  catalog::TableChange change_;
  io::StorePath table_;
  lance::StagedManifest staged_;
};

}  // namespace

std::unique_ptr<TableStage> MakeLanceRestoreStage(const LakeParts& parts,
                                                  const catalog::TableEntry& then) {
  const auto version = static_cast<uint64_t>(then.pointer.version);
  lance::Transaction transaction{.uuid = RandomUuidString(),
                                 .operation = lance::RestoreVersion{.version = version}};
  return std::make_unique<LanceChangeStage>(parts, then.name, then.uuid, std::move(transaction));
}

Result<std::unique_ptr<TableStage>> MakeLanceChangeStage(const LakeParts& parts,
                                                         const LanceChange& change) {
  lance::Schema schema;
  if (change.schema != nullptr) {
    ARROW_ASSIGN_OR_RAISE(schema, lance::Schema::FromArrow(*change.schema));
  }
  ARROW_ASSIGN_OR_RAISE(lance::Transaction transaction,
                        lance::ParseTransactionJson(change.transaction,
                                                    change.schema == nullptr ? nullptr : &schema));
  return std::make_unique<LanceChangeStage>(parts, change.name, "", std::move(transaction));
}

}  // namespace tusk::lake
