#include "tusk/iceberg/rewrite.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/iceberg/data_writer.h"
#include "tusk/iceberg/file_scan.h"
#include "tusk/iceberg/plan.h"
#include "tusk/iceberg/position_deletes.h"
#include "tusk/iceberg/replace_files.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/table_state.h"

namespace tusk::iceberg {
namespace {

constexpr int64_t kBatchRows = 65536;

/// A live data file.
struct Candidate {
  FileTask task;
  bool has_many_deletes = false;
};

/// The values of a file's partition as a key, with the spec that they are of.
std::string PartitionKey(const FileTask& task) {
  std::string key = std::to_string(task.spec_id);
  for (const auto& [id, value] : task.file.partition) {
    key += '/' + std::to_string(id);
    if (value.has_value()) key += '=' + std::to_string(value->size()) + ':' + *value;
  }
  return key;
}

/// Of the files of one partition those that are rewritten, in their order.
std::vector<FileTask> Choose(std::vector<Candidate> files, int64_t target_file_bytes) {
  const auto is_small = [&](const Candidate& file) {
    return file.task.file.size_bytes < target_file_bytes / 4 * 3;
  };
  // Rows and not bytes are counted: those of a small file are mostly its footer's.
  int64_t small_rows = 0;
  std::vector<int64_t> lengths;
  for (const Candidate& file : files) {
    if (!is_small(file)) continue;
    lengths.push_back(file.task.file.record_count);
    if (__builtin_add_overflow(small_rows, lengths.back(), &small_rows)) return {};
  }
  // From the longest on, as long as it has more than twice the rows of all the shorter ones.
  std::ranges::sort(lengths, std::greater());
  int64_t longest = std::numeric_limits<int64_t>::max();
  size_t num_small = lengths.size();
  for (const int64_t rows : lengths) {
    if (rows / 2 <= small_rows - rows) break;
    longest = rows - 1;
    small_rows -= rows;
    --num_small;
  }
  std::vector<FileTask> chosen;
  for (Candidate& file : files) {
    const bool is_merged =
        num_small > 1 && is_small(file) && file.task.file.record_count <= longest;
    if (is_merged || file.has_many_deletes) chosen.push_back(std::move(file.task));
  }
  return chosen;
}

Result<bool> HasManyDeletes(const FileTask& task, double share, PositionDeletes* deletes,
                            const OperationContext& context) {
  if (task.deletes.empty()) return false;
  ARROW_ASSIGN_OR_RAISE(const auto rows, deletes->Find(task, context));
  return static_cast<double>(rows.size()) > share * static_cast<double>(task.file.record_count);
}

Result<RewritePlan> MakePlan(const std::shared_ptr<const Table::State>& table,
                             const MetadataSnapshot* snapshot, const DataFileRewrite& options,
                             const OperationContext& context) {
  if (options.target_file_bytes <= 0 || !(options.deleted_share >= 0)) {
    return InvalidArgument("cannot rewrite data files to ", options.target_file_bytes,
                           " bytes where a share of ", options.deleted_share, " is deleted");
  }
  PositionDeletes deletes(table->store);
  std::map<std::string, std::vector<Candidate>> partitions;
  ARROW_ASSIGN_OR_RAISE(
      FilePlan files, FilePlan::Make(table, snapshot, nullptr, table->metadata.schema(), context));
  std::map<std::string, std::shared_ptr<const DeleteFile>> delete_files;
  std::map<std::string, std::set<std::string>> deletes_of;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto task, files.Next(context));
    if (!task.has_value()) break;
    Candidate file{.task = *std::move(task)};
    ARROW_ASSIGN_OR_RAISE(file.has_many_deletes,
                          HasManyDeletes(file.task, options.deleted_share, &deletes, context));
    for (const auto& each : file.task.deletes) {
      delete_files.emplace(each->file.path, each);
      deletes_of[each->file.path].insert(file.task.file.path);
    }
    partitions[PartitionKey(file.task)].push_back(std::move(file));
  }
  RewritePlan plan{.metadata_location = table->metadata_location};
  for (auto& [key, candidates] : partitions) {
    auto chosen = Choose(std::move(candidates), options.target_file_bytes);
    std::ranges::move(chosen, std::back_inserter(plan.rewritten));
  }
  for (const FileTask& task : plan.rewritten) {
    for (const auto& each : task.deletes) deletes_of[each->file.path].erase(task.file.path);
  }
  for (const auto& [path, needed_by] : deletes_of) {
    if (needed_by.empty()) plan.needless.push_back(delete_files.at(path));
  }
  return plan;
}

/// The live rows of files, all columns of the table.
class LiveRows final : public arrow::RecordBatchReader {
 public:
  LiveRows(const std::shared_ptr<const Table::State>& table, const std::vector<FileTask>& files,
           const OperationContext& context)
      : scan_(table, table->metadata.schema(), kBatchRows, context),
        schema_(table->metadata.schema()),
        files_(files),
        context_(context) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    while (true) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      ARROW_ASSIGN_OR_RAISE(*out, scan_.ReadBatch());
      if (*out != nullptr || next_ == files_.size()) return Status::OK();
      ARROW_RETURN_NOT_OK(scan_.Open(files_[next_++]));
    }
  }

 private:
  FileScan scan_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<FileTask>& files_;
  const OperationContext& context_;
  size_t next_ = 0;
};

}  // namespace

Result<RewritePlan> PlanRewrite(const std::shared_ptr<const Table>& base,
                                const DataFileRewrite& options, const OperationContext& context) {
  const auto& state = base->shared_state();
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* parent, BranchHead(*state, options.branch));
  return MakePlan(state, parent, options, context);
}

Result<std::optional<StagedRewrite>> StageRewrite(const std::shared_ptr<io::ObjectStore>& store,
                                                  const std::shared_ptr<const Table>& base,
                                                  const DataFileRewrite& options,
                                                  const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckWritable(*base->shared_state()));
  ARROW_ASSIGN_OR_RAISE(const RewritePlan plan, PlanRewrite(base, options, context));
  if (plan.rewritten.empty()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(auto staged, StageRewrite(store, base, plan, options, context));
  return std::optional(std::move(staged));
}

Result<StagedRewrite> StageRewrite(const std::shared_ptr<io::ObjectStore>& store,
                                   const std::shared_ptr<const Table>& base,
                                   const RewritePlan& plan, const DataFileRewrite& options,
                                   const OperationContext& context) {
  const auto& state = base->shared_state();
  ARROW_RETURN_NOT_OK(CheckWritable(*state));
  if (plan.metadata_location != base->metadata_location()) {
    return InvalidArgument("a rewrite planned for ", plan.metadata_location, " cannot be done on ",
                           base->metadata_location());
  }
  ARROW_ASSIGN_OR_RAISE(const MetadataSnapshot* parent, BranchHead(*state, options.branch));
  WrittenFiles written(store.get(), context);
  ARROW_ASSIGN_OR_RAISE(TablePlace place, TablePlace::Parse(base->location()));
  const StagingArea area{
      .place = std::move(place), .store = store.get(), .written = &written, .context = context};
  ARROW_ASSIGN_OR_RAISE(const WriteTarget target,
                        ResolveTarget(*state->metadata.schema(), state.get(), {}));
  MetadataSnapshot snapshot = NextSnapshot(state.get(), parent);
  snapshot.info.summary["operation"] = "replace";
  FileReplacement replacement;
  for (const FileTask& task : plan.rewritten) replacement.RemoveData(task.file);
  for (const auto& file : plan.needless) replacement.RemoveDeletes(file->file);
  LiveRows rows(state, plan.rewritten, context);
  ARROW_ASSIGN_OR_RAISE(replacement.added,
                        WriteDataFiles(&rows, target, options.target_file_bytes, area));
  StagedRewrite result;
  result.files_removed = std::ssize(replacement.removed);
  result.files_added = std::ssize(replacement.added);
  ARROW_ASSIGN_OR_RAISE(result.staged,
                        StageReplacement(*state, parent, std::move(snapshot), options.branch,
                                         std::move(replacement), target, area));
  written.Keep();
  return result;
}

}  // namespace tusk::iceberg
