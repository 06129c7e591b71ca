#include <utility>

#include "tusk/base/uuid.h"
#include "tusk/lake/counting_reader.h"
#include "tusk/lake/table_stage.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/commit.h"

namespace tusk::lake {
namespace {

class LanceStage final : public TableStage {
 public:
  LanceStage(const LakeParts& parts, TableAppend append)
      : parts_(parts), append_(std::move(append)) {
    change_.name = append_.name;
    change_.kind = catalog::TableKind::kLance;
  }

  const catalog::TableChange& change() const override { return change_; }

  Status Stage(const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(auto entry, LoadForAppend(parts_, change_, context));
    ARROW_RETURN_NOT_OK(SetTable(entry));
    if (!entry) {
      ARROW_ASSIGN_OR_RAISE(const bool is_there, IsThere(context));
      if (is_there) {
        // Another writer of the lake may have made it since the catalog was asked, which knows of
        // every table before it is published.
        ARROW_ASSIGN_OR_RAISE(entry, LoadForAppend(parts_, change_, context));
        if (!entry) {
          return AlreadyExists("there is a Lance table at '", table_.path,
                               "' that the lake does not know; move it away first");
        }
        ARROW_RETURN_NOT_OK(SetTable(entry));
      }
    }
    CountingReader reader(append_.data);
    ARROW_RETURN_NOT_OK(Write(&reader, context));
    change_.added_rows = reader.rows();
    return Status::OK();
  }

  Result<bool> Restage(const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto entry, LoadForAppend(parts_, change_, context));
    if (!entry && !change_.expected) return false;
    if (!entry) return CommitConflict("the table was dropped by another writer");
    if (change_.expected && *change_.expected == entry->pointer) return false;
    ARROW_RETURN_NOT_OK(CheckVersion(static_cast<uint64_t>(entry->pointer.version)));
    if (!change_.expected) return AppendToOthersTable(*entry, context);
    ARROW_ASSIGN_OR_RAISE(lance::StagedManifest staged,
                          lance::Restage(table_, staged_, parts_.handler.get(), context));
    if (staged.staged_path != staged_.staged_path) Abort(context);
    change_.expected = entry->pointer;
    SetStaged(std::move(staged));
    return true;
  }

  void Abort(const OperationContext& context) override {
    if (!staged_.staged_path.empty()) (void)parts_.handler->Abort(table_, staged_, context);
  }

 private:
  /// CommitConflict if the rows were chosen for another version than the table is at.
  Status CheckVersion(uint64_t version) const {
    if (!append_.expected_version || version == *append_.expected_version) return Status::OK();
    return CommitConflict("the rows were chosen for version ", *append_.expected_version,
                          " of the table, which another writer has brought to version ", version);
  }

  /// Takes over where the table is, or where it will be.
  Status SetTable(const std::optional<catalog::TableEntry>& entry) {
    if (entry) {
      change_.expected = entry->pointer;
      change_.uuid = entry->uuid;
      change_.location = entry->location;
    } else {
      change_.uuid = RandomUuidString();
      change_.location = NewLanceLocation(change_.name);
    }
    ARROW_ASSIGN_OR_RAISE(table_, LanceTablePath(parts_, change_.location));
    return Status::OK();
  }

  /// Whether the table has a published version.
  Result<bool> IsThere(const OperationContext& context) const {
    const Result<uint64_t> latest = parts_.handler->Latest(table_, context);
    if (latest.ok()) return true;
    if (GetErrorCode(latest.status()) == ErrorCode::kNotFound) return false;
    return latest.status();
  }

  Status Write(arrow::RecordBatchReader* data, const OperationContext& context) {
    lance::WriteOptions options;
    std::shared_ptr<const lance::Dataset> base;
    if (!change_.expected) {
      ARROW_RETURN_NOT_OK(CheckVersion(0));
      options.mode = lance::WriteMode::kCreate;
      options.enable_stable_row_ids = true;
      options.config = append_.properties;
      options.config[kLakeConfigKey] = parts_.catalog->uuid();
    } else {
      options.mode = lance::WriteMode::kAppend;
      // The latest there is, not the pointer: what others wrote by path must stay in the table.
      ARROW_ASSIGN_OR_RAISE(base, lance::Dataset::Open(table_, {}, context));
      if (base->version() < static_cast<uint64_t>(change_.expected->version)) {
        return Corrupt("version ", change_.expected->version, " was published but '", table_.path,
                       "' ends at version ", base->version());
      }
      ARROW_RETURN_NOT_OK(CheckVersion(base->version()));
    }
    ARROW_ASSIGN_OR_RAISE(
        lance::StagedManifest staged,
        lance::StageWrite(data, table_, base, options, parts_.handler.get(), context));
    SetStaged(std::move(staged));
    return Status::OK();
  }

  /// Two writers made the table: the other one won, and what is staged here made a table of its
  /// own. Its rows are read back and written as an append.
  Result<bool> AppendToOthersTable(const catalog::TableEntry& entry,
                                   const OperationContext& context) {
    lance::OpenOptions options;
    options.manifest_path = staged_.staged_path;
    ARROW_ASSIGN_OR_RAISE(const auto own, lance::Dataset::Open(table_, options, context));
    ARROW_ASSIGN_OR_RAISE(const auto rows, own->Scan({}, context));
    const lance::StagedManifest first = staged_;
    ARROW_RETURN_NOT_OK(SetTable(entry));
    ARROW_RETURN_NOT_OK(Write(rows.get(), context));
    (void)parts_.handler->Abort(table_, first, context);
    return true;
  }

  void SetStaged(lance::StagedManifest staged) {
    staged_ = std::move(staged);
    change_.next = {.path = staged_.staged_path,
                    .version = static_cast<int64_t>(staged_.version),
                    .size_bytes = staged_.size_bytes,
                    .transaction_uuid = staged_.transaction_uuid};
  }

  const LakeParts& parts_;
  TableAppend append_;
  catalog::TableChange change_;
  io::StorePath table_;
  lance::StagedManifest staged_;
};

}  // namespace

std::unique_ptr<TableStage> MakeLanceStage(const LakeParts& parts, TableAppend append) {
  return std::make_unique<LanceStage>(parts, std::move(append));
}

}  // namespace tusk::lake
