#include "tusk/iceberg/overwrite.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/iceberg/data_writer.h"
#include "tusk/iceberg/file_scan.h"
#include "tusk/iceberg/plan.h"
#include "tusk/iceberg/replace_files.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

constexpr int64_t kTargetFileBytes = 512 << 20;
constexpr int64_t kBatchRows = 65536;

/// What happens to the files of a snapshot.
struct Fate {
  FileReplacement replacement;      ///< without the files that are to come
  std::vector<FileTask> rewritten;  ///< of the removed ones, which have rows that may stay
};

/// Decides by what manifests tell alone.
Result<Fate> Decide(const std::shared_ptr<const Table::State>& table,
                    const MetadataSnapshot* snapshot, const expr::Filter::Bound* filter,
                    const std::shared_ptr<arrow::Schema>& schema, const OperationContext& context) {
  Fate fate;
  FilePruner rest;
  if (filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(rest,
                          FilePruner::Make(filter->complement(), *schema, table->metadata.specs));
  }
  ARROW_ASSIGN_OR_RAISE(FilePlan plan, FilePlan::Make(table, snapshot, filter, schema, context));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto task, plan.Next(context));
    if (!task.has_value()) return fate;
    fate.replacement.RemoveData(task->file);
    if (filter != nullptr && rest.MayMatch(task->file, task->spec_id)) {
      fate.rewritten.push_back(*std::move(task));
    }
  }
}

/// The rows of `batch` that the filter does not keep.
Result<std::shared_ptr<arrow::RecordBatch>> NotKept(
    const expr::Filter::Bound& filter, const std::shared_ptr<arrow::RecordBatch>& batch,
    const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto kept, filter.Judge(*batch, context));
  if (kept->true_count() == 0) return batch;
  arrow::compute::ExecContext exec(context.pool);
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum others, arrow::compute::Invert(kept, &exec));
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum rows,
      arrow::compute::Filter(batch, others, arrow::compute::FilterOptions::Defaults(), &exec));
  return rows.record_batch();
}

/// The rows of files that stay, all columns of the table. A file of which all stay is taken out of
/// the fate.
class SurvivingRows final : public arrow::RecordBatchReader {
 public:
  SurvivingRows(const std::shared_ptr<const Table::State>& table, Fate* fate,
                std::shared_ptr<const expr::Filter::Bound> filter, const OperationContext& context)
      : scan_(table, table->metadata.schema(), kBatchRows, context),
        schema_(table->metadata.schema()),
        fate_(fate),
        filter_(std::move(filter)),
        context_(context) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    while (true) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      ARROW_ASSIGN_OR_RAISE(auto batch, scan_.ReadBatch());
      if (batch == nullptr) {
        ARROW_ASSIGN_OR_RAISE(const bool more, OpenNext());
        if (more) continue;
        out->reset();
        return Status::OK();
      }
      ARROW_ASSIGN_OR_RAISE(*out, NotKept(*filter_, batch, context_));
      if ((*out)->num_rows() > 0) return Status::OK();
    }
  }

 private:
  /// Opens the next file that loses rows.
  Result<bool> OpenNext() {
    while (next_ < fate_->rewritten.size()) {
      const FileTask& task = fate_->rewritten[next_++];
      ARROW_RETURN_NOT_OK(scan_.Open(task));
      ARROW_ASSIGN_OR_RAISE(const bool loses, LosesRows());
      if (loses) {
        ARROW_RETURN_NOT_OK(scan_.Open(task));
        return true;
      }
      fate_->replacement.KeepData(task.file);
    }
    return false;
  }

  Result<bool> LosesRows() {
    while (true) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      ARROW_ASSIGN_OR_RAISE(const auto batch, scan_.ReadBatch());
      if (batch == nullptr) return false;
      ARROW_ASSIGN_OR_RAISE(const auto staying, NotKept(*filter_, batch, context_));
      if (staying->num_rows() < batch->num_rows()) return true;
    }
  }

  FileScan scan_;
  const std::shared_ptr<arrow::Schema> schema_;
  Fate* fate_;
  const std::shared_ptr<const expr::Filter::Bound> filter_;
  const OperationContext& context_;
  size_t next_ = 0;
};

}  // namespace

Result<StagedMetadata> StageOverwrite(const std::shared_ptr<io::ObjectStore>& store,
                                      const std::shared_ptr<const Table>& base,
                                      const Overwrite& overwrite, const OperationContext& context) {
  const std::shared_ptr<const Table::State>& state = base->shared_state();
  const TableMetadata& metadata = state->metadata;
  WrittenFiles written(store.get(), context);
  ARROW_ASSIGN_OR_RAISE(TablePlace place, TablePlace::Parse(base->location()));
  const StagingArea area{
      .place = std::move(place), .store = store.get(), .written = &written, .context = context};
  ARROW_ASSIGN_OR_RAISE(const WriteTarget target,
                        ResolveTarget(*metadata.schema(), state.get(), {}));
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* parent, BranchHead(*state, overwrite.branch));
  MetadataSnapshot snapshot = NextSnapshot(state.get(), parent);

  std::shared_ptr<const expr::Filter::Bound> filter;
  if (overwrite.filter != nullptr) {
    ARROW_ASSIGN_OR_RAISE(filter, overwrite.filter->Bind(*metadata.schema(), context));
  }
  ARROW_ASSIGN_OR_RAISE(Fate fate, Decide(state, parent, filter.get(), metadata.schema(), context));
  std::vector<DataFile> added;
  if (!fate.rewritten.empty()) {
    SurvivingRows rows(state, &fate, filter, context);
    ARROW_ASSIGN_OR_RAISE(added, WriteDataFiles(&rows, target, kTargetFileBytes, area));
  }
  if (overwrite.data != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const WriteTarget data_target,
                          ResolveTarget(*overwrite.data->schema(), state.get(), {}));
    ARROW_ASSIGN_OR_RAISE(
        auto files, WriteDataFiles(overwrite.data.get(), data_target, kTargetFileBytes, area));
    std::ranges::move(files, std::back_inserter(added));
  }

  snapshot.info.summary = overwrite.summary;
  snapshot.info.summary["operation"] = added.empty() ? "delete" : "overwrite";
  fate.replacement.added = std::move(added);
  ARROW_ASSIGN_OR_RAISE(StagedMetadata staged,
                        StageReplacement(*state, parent, std::move(snapshot), overwrite.branch,
                                         std::move(fate.replacement), target, area));
  written.Keep();
  return staged;
}

}  // namespace tusk::iceberg
