#include <utility>

#include "tusk/lake/table_stage.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/commit.h"

namespace tusk::lake {
namespace {

class LanceRestoreStage final : public TableStage {
 public:
  LanceRestoreStage(const LakeParts& parts, const catalog::TableEntry& then)
      : parts_(parts), then_(then) {
    change_.name = then.name;
    change_.kind = catalog::TableKind::kLance;
    change_.uuid = then.uuid;
    change_.location = then.location;
  }

  const catalog::TableChange& change() const override { return change_; }

  Status Stage(const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto entry, LoadForAppend(parts_, change_, context));
    ARROW_RETURN_NOT_OK(CheckSame(entry));
    change_.expected = entry->pointer;
    ARROW_ASSIGN_OR_RAISE(table_, LanceTablePath(parts_, change_.location));
    // The latest there is, so that what others wrote by path stays in the history.
    ARROW_ASSIGN_OR_RAISE(const auto base, lance::Dataset::Open(table_, {}, context));
    ARROW_ASSIGN_OR_RAISE(
        staged_, lance::StageRestore(table_, base, static_cast<uint64_t>(then_.pointer.version),
                                     parts_.handler.get(), context));
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
    if (entry && entry->uuid == then_.uuid) return Status::OK();
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
  const catalog::TableEntry then_;
  catalog::TableChange change_;
  io::StorePath table_;
  lance::StagedManifest staged_;
};

}  // namespace

std::unique_ptr<TableStage> MakeLanceRestoreStage(const LakeParts& parts,
                                                  const catalog::TableEntry& then) {
  return std::make_unique<LanceRestoreStage>(parts, then);
}

}  // namespace tusk::lake
