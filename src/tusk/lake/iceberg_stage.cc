#include <utility>

#include "tusk/iceberg/append.h"
#include "tusk/iceberg/table.h"
#include "tusk/lake/counting_reader.h"
#include "tusk/lake/table_stage.h"

namespace tusk::lake {
namespace {

class IcebergStage final : public TableStage {
 public:
  IcebergStage(const LakeParts& parts, TableAppend append)
      : parts_(parts), append_(std::move(append)) {
    change_.name = append_.name;
    change_.kind = catalog::TableKind::kIceberg;
  }

  const catalog::TableChange& change() const override { return change_; }

  Status Stage(const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto entry, LoadForAppend(parts_, change_, context));
    std::shared_ptr<const iceberg::Table> base;
    change_.location = NewIcebergLocation(parts_.root, change_.name);
    if (entry && append_.must_be_new) return TableExists();
    if (entry) {
      ARROW_ASSIGN_OR_RAISE(base, OpenBase(*entry, context));
    }
    CountingReader reader(append_.data);
    ARROW_RETURN_NOT_OK(Write(&reader, base, context));
    change_.added_rows = reader.rows();
    return Status::OK();
  }

  Result<bool> Restage(const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto entry, LoadForAppend(parts_, change_, context));
    if (!entry && !change_.expected) return false;
    if (!entry) return CommitConflict("the table was dropped by another client");
    if (change_.expected && change_.expected->path == entry->pointer.path) return false;
    const bool was_new = !change_.expected;
    if (was_new && append_.must_be_new) return TableExists();
    ARROW_ASSIGN_OR_RAISE(auto base, OpenBase(*entry, context));
    if (was_new) return AppendToOthersTable(base, context);
    ARROW_ASSIGN_OR_RAISE(iceberg::StagedMetadata staged,
                          iceberg::Restage(parts_.root.store, staged_, base, context));
    SetStaged(std::move(staged));
    return true;
  }

  void Abort(const OperationContext& context) override {
    if (staged_.metadata_location.empty()) return;
    (void)iceberg::AbortStaged(parts_.root.store, staged_, context);
  }

 private:
  Status TableExists() const {
    return AlreadyExists("there is a table '", append_.name.ToString(), "' already");
  }

  /// Opens the state that the pointer names and expects it from now on.
  Result<std::shared_ptr<const iceberg::Table>> OpenBase(const catalog::TableEntry& entry,
                                                         const OperationContext& context) {
    ARROW_ASSIGN_OR_RAISE(auto base,
                          iceberg::Table::Open(parts_.root.store, entry.pointer.path, context));
    change_.expected = entry.pointer;
    change_.location = base->location();
    return base;
  }

  Status Write(arrow::RecordBatchReader* data, const std::shared_ptr<const iceberg::Table>& base,
               const OperationContext& context) {
    iceberg::AppendOptions options;
    options.properties = append_.properties;
    options.partition_by = append_.partition_by;
    options.branch = append_.branch;
    ARROW_ASSIGN_OR_RAISE(
        iceberg::StagedMetadata staged,
        iceberg::StageAppend(data, parts_.root.store, change_.location, base, options, context));
    SetStaged(std::move(staged));
    return Status::OK();
  }

  /// Two writers made the table: the other one won, and what is staged here is a table of its own.
  /// Its rows are read back and written as an append.
  Result<bool> AppendToOthersTable(const std::shared_ptr<const iceberg::Table>& base,
                                   const OperationContext& context) {
    const iceberg::StagedMetadata first = staged_;
    ARROW_ASSIGN_OR_RAISE(
        const auto own, iceberg::Table::Open(parts_.root.store, first.metadata_location, context));
    ARROW_ASSIGN_OR_RAISE(const auto rows, own->Scan({}, context));
    ARROW_RETURN_NOT_OK(Write(rows.get(), base, context));
    (void)iceberg::AbortStaged(parts_.root.store, first, context);
    return true;
  }

  void SetStaged(iceberg::StagedMetadata staged) {
    staged_ = std::move(staged);
    change_.uuid = staged_.table_uuid;
    change_.next = {.path = staged_.metadata_location,
                    .version = staged_.snapshot_id.value_or(0),
                    .size_bytes = 0,
                    .transaction_uuid = ""};
  }

  const LakeParts& parts_;
  TableAppend append_;
  catalog::TableChange change_;
  iceberg::StagedMetadata staged_;
};

}  // namespace

std::unique_ptr<TableStage> MakeIcebergStage(const LakeParts& parts, TableAppend append) {
  return std::make_unique<IcebergStage>(parts, std::move(append));
}

}  // namespace tusk::lake
