#include "tusk/lance/compact.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <utility>

#include <arrow/record_batch.h>

#include "tusk/base/uuid.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lance/table/blob_writer.h"
#include "tusk/lance/table/carried_lineage.h"
#include "tusk/lance/table/commit_change.h"
#include "tusk/lance/table/compaction_plan.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/fragment_reuse.h"
#include "tusk/lance/table/index_coverage.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/merge_schema.h"
#include "tusk/lance/table/page_copy.h"
#include "tusk/lance/table/rewritten_columns.h"
#include "tusk/lance/table/row_change.h"
#include "tusk/lance/table/scan_plan.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

Status CheckOptions(const CompactionOptions& options) {
  if (options.target_rows_per_fragment < 1) {
    return InvalidArgument("cannot compact to fragments of ", options.target_rows_per_fragment,
                           " rows: it must be at least one");
  }
  for (const auto& limit :
       {options.max_source_fragments, options.max_source_rows, options.max_source_bytes}) {
    if (limit && *limit < 1) {
      return InvalidArgument("cannot compact with a limit of ", *limit, ": it must be positive");
    }
  }
  if (options.num_threads && *options.num_threads < 1) {
    return InvalidArgument("cannot compact with ", *options.num_threads, " threads");
  }
  if (options.copy_read_bytes < 0) {
    return InvalidArgument("cannot read ", options.copy_read_bytes, " bytes of pages at a time");
  }
  return Status::OK();
}

/// Unsupported if the table cannot keep account of moved rows, as is asked.
Status CheckDeferring(const Dataset::State& state, const CompactionOptions& options) {
  if (!options.defer_index_remap || !HasStableRowIds(state.manifest)) return Status::OK();
  return Unsupported("cannot compact ", state.location.path,
                     " with defer_index_remap: its row ids are stable, so that indices find rows "
                     "which moved; compact it without");
}

std::vector<FragmentLoad> LoadsOf(const Manifest& manifest,
                                  const std::vector<IndexCoverage>& coverage,
                                  const CompactionOptions& options) {
  const std::set<int32_t> fields = AllFieldIds(manifest.schema.fields);
  const std::set<uint64_t> excluded(options.excluded_fragments.begin(),
                                    options.excluded_fragments.end());
  std::vector<FragmentLoad> loads;
  for (const Fragment& fragment : manifest.fragments) {
    FragmentLoad load{.id = fragment.id,
                      .physical_rows = fragment.physical_rows,
                      .deleted_rows = fragment.physical_rows - fragment.CountRows(),
                      .is_excluded = excluded.contains(fragment.id)};
    for (const DataFile& file : fragment.files) {
      const bool is_read =
          std::ranges::any_of(file.field_ids, [&](int32_t id) { return fields.contains(id); });
      if (is_read) load.bytes += static_cast<int64_t>(file.size_bytes);
    }
    for (size_t i = 0; i < coverage.size(); ++i) {
      if (!coverage[i].fragments.Contains(static_cast<int64_t>(fragment.id))) continue;
      load.is_excluded |= coverage[i].holds_addresses && !options.defer_index_remap;
      load.indices.push_back(i);
    }
    loads.push_back(std::move(load));
  }
  return loads;
}

Result<std::vector<Fragment>> FindFragments(const Manifest& manifest,
                                            const std::vector<uint64_t>& ids) {
  std::vector<Fragment> found;
  for (const uint64_t id : ids) {
    const auto fragment = std::ranges::lower_bound(manifest.fragments, id, {}, &Fragment::id);
    if (fragment == manifest.fragments.end() || fragment->id != id) {
      return InvalidArgument("version ", manifest.version, " has no fragment ", id);
    }
    if (!found.empty() && found.back().id >= id) {
      return InvalidArgument("the fragments of a compaction task must ascend");
    }
    found.push_back(*fragment);
  }
  if (found.empty()) return InvalidArgument("a compaction task has no fragments");
  return found;
}

bool HasBlobsV2(const std::vector<Field>& fields) {
  return std::ranges::any_of(
      fields, [](const Field& field) { return field.is_blob_v2() || HasBlobsV2(field.children); });
}

/// A version whose scans give large values of version 1 as their bytes, not where these lie: what
/// is written again must be whole.
Result<std::shared_ptr<const Dataset>> WithWholeValues(const Dataset& dataset) {
  const Dataset::State& state = dataset.state();
  return state.ReadAs({.blobs = BlobForm::kBytes, .base_places = state.base_places});
}

int64_t CountFiles(const std::vector<Fragment>& fragments) {
  int64_t count = 0;
  for (const Fragment& fragment : fragments) {
    count += std::ssize(fragment.files) + (fragment.deletion_file ? 1 : 0);
  }
  return count;
}

int64_t CountRows(const std::vector<Fragment>& fragments) {
  int64_t rows = 0;
  for (const Fragment& fragment : fragments) rows += fragment.CountRows();
  return rows;
}

/// What is written again.
struct Rewriting {
  const Dataset& dataset;
  const std::vector<Fragment>& before;
  uint16_t minor_version = 0;
  int64_t max_rows_per_file = 0;
  const io::StorePath& target;  ///< the table, by the store through which new files are written
};

Result<std::vector<Fragment>> CopyPages(const Rewriting& rewriting,
                                        const CompactionOptions& options,
                                        const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const PageCopy copy,
                        PageCopy::Plan(rewriting.dataset.state(), rewriting.before,
                                       rewriting.minor_version, context));
  return copy.Write(rewriting.target,
                    {.max_rows_per_file = rewriting.max_rows_per_file,
                     .max_bytes_per_file = options.max_bytes_per_file,
                     .read_bytes = options.copy_read_bytes},
                    context);
}

Result<std::vector<Fragment>> Reencode(const Rewriting& rewriting, const CompactionOptions& options,
                                       const OperationContext& context) {
  const Dataset& dataset = rewriting.dataset;
  const Manifest& manifest = dataset.state().manifest;
  WriteOptions write;
  write.mode = WriteMode::kAppend;
  write.max_rows_per_file = rewriting.max_rows_per_file;
  write.max_bytes_per_file = options.max_bytes_per_file;
  ScanOptions scan;
  scan.fragments.emplace();
  for (const Fragment& fragment : rewriting.before) scan.fragments->push_back(fragment.id);
  scan.batch_rows = options.batch_rows;
  scan.with_row_address = HasBlobsV2(manifest.schema.fields);  // these are found by it
  scan.all_at_once = true;
  ARROW_ASSIGN_OR_RAISE(const auto whole, WithWholeValues(dataset));
  std::vector<std::string> names;
  names.reserve(manifest.schema.fields.size());
  for (const Field& field : manifest.schema.fields) names.push_back(field.name);
  ARROW_ASSIGN_OR_RAISE(const auto columns,
                        RewrittenColumns::Make(whole->state(), names, "a compaction",
                                               /*keeps_addresses=*/true));
  ARROW_ASSIGN_OR_RAISE(auto scanned, ScanOnce(whole, scan, context));
  ARROW_ASSIGN_OR_RAISE(const auto reader, columns.Convert(std::move(scanned)));
  return WriteFragments(
      reader.get(), rewriting.target, manifest.schema, rewriting.minor_version, write,
      BlobWriteScope{.base_paths = manifest.base_paths, .source = &dataset.state()}, context);
}

/// The rows of `before` in new files of about the same size, written to `target`.
Result<std::vector<Fragment>> WriteAgain(const Dataset& dataset,
                                         const std::vector<Fragment>& before,
                                         const CompactionOptions& options,
                                         const io::StorePath& target,
                                         const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(
      const uint16_t minor_version,
      MinorVersionOfRows(dataset.state(), options.data_storage_version, "compact"));
  const int64_t rows = CountRows(before);
  if (rows == 0) return std::vector<Fragment>();
  const int64_t num_files = std::max<int64_t>(1, rows / options.target_rows_per_fragment);
  const Rewriting rewriting{.dataset = dataset,
                            .before = before,
                            .minor_version = minor_version,
                            .max_rows_per_file = (rows + num_files - 1) / num_files,
                            .target = target};
  if (options.mode == CompactionMode::kReencode) return Reencode(rewriting, options, context);
  auto copied = CopyPages(rewriting, options, context);
  if (GetErrorCode(copied.status()) != ErrorCode::kUnsupported) return copied;
  if (options.mode == CompactionMode::kTryCopy) return Reencode(rewriting, options, context);
  return Unsupported("cannot compact ", dataset.uri(),
                     " by copying pages: ", copied.status().message(),
                     "; have them written again ('reencode')");
}

/// A task that was done, not yet in a form that another process could read.
struct DoneTask {
  CompactionMetrics metrics;
  std::vector<RewriteFragments::Group> groups;
};

CompactionMetrics Sum(const std::vector<DoneTask>& done) {
  CompactionMetrics sum;
  for (const DoneTask& each : done) {
    sum.fragments_removed += each.metrics.fragments_removed;
    sum.fragments_added += each.metrics.fragments_added;
    sum.files_removed += each.metrics.files_removed;
    sum.files_added += each.metrics.files_added;
  }
  return sum;
}

void RemoveNewFiles(const io::StorePath& table, const std::vector<DoneTask>& done,
                    const OperationContext& context) {
  for (const DoneTask& each : done) {
    for (const auto& group : each.groups) RemoveDataFiles(table, group.after, context);
  }
}

/// What a task has written, taken from the form for other processes.
Result<DoneTask> ParseDone(const CompactedFragments& done) {
  ARROW_ASSIGN_OR_RAISE(Transaction part, ParseTransactionJson(done.rewrite, nullptr));
  auto* rewrite = std::get_if<RewriteFragments>(&part.operation);
  if (rewrite == nullptr) {
    return InvalidArgument("what is to be committed as a compaction is none");
  }
  return DoneTask{.metrics = done.metrics, .groups = std::move(rewrite->groups)};
}

Transaction TransactionOf(uint64_t read_version, std::vector<DoneTask> done,
                          const CompactionOptions& options) {
  RewriteFragments rewrite;
  for (DoneTask& each : done) {
    std::ranges::move(each.groups, std::back_inserter(rewrite.groups));
  }
  return {.read_version = read_version,
          .uuid = RandomUuidString(),
          .properties = options.transaction_properties,
          .operation = std::move(rewrite)};
}

/// Tasks from the form for other processes, with the first of the versions that they were planned
/// on: whatever came since is looked at for conflicts.
Result<std::pair<uint64_t, std::vector<DoneTask>>> ParseAll(
    const std::vector<CompactedFragments>& done) {
  std::pair<uint64_t, std::vector<DoneTask>> all{done.front().read_version, {}};
  for (const CompactedFragments& each : done) {
    all.first = std::min(all.first, each.read_version);
    ARROW_ASSIGN_OR_RAISE(all.second.emplace_back(), ParseDone(each));
  }
  return all;
}

/// Where the rows of each group were that the rewrite has written again: MovedRowsAccount::moved.
Result<std::vector<std::string>> FindMovedRows(const Dataset::State& state,
                                               const RewriteFragments& rewrite,
                                               const OperationContext& context) {
  std::vector<std::string> all;
  for (const RewriteFragments::Group& group : rewrite.groups) {
    std::map<uint64_t, DeletedRows> rows;
    for (const Fragment& fragment : group.before) {
      DeletedRows& moved = rows[fragment.id];
      if (fragment.physical_rows > 0) ARROW_RETURN_NOT_OK(moved.Add(0, fragment.physical_rows));
      ARROW_ASSIGN_OR_RAISE(const auto deleted, state.FindDeletedRows(fragment, context));
      if (deleted == nullptr) continue;
      ARROW_ASSIGN_OR_RAISE(moved, Difference(moved, *deleted));
    }
    all.push_back(SerializeAddresses(rows));
  }
  return all;
}

/// `how` and `remove_files` as in CommitChange.
Result<CompactionResult> Commit(const Dataset& dataset, std::vector<DoneTask> done,
                                CommitOptions how, const CompactionOptions& options,
                                const std::function<void()>& remove_files,
                                const OperationContext& context) {
  CompactionResult result{.metrics = Sum(done)};
  const Transaction transaction = TransactionOf(dataset.version(), std::move(done), options);
  std::vector<std::string> moved_rows;
  if (options.defer_index_remap) {
    auto found = FindMovedRows(dataset.state(), *transaction.As<RewriteFragments>(), context);
    if (!found.ok()) {
      if (remove_files) remove_files();
      return found.status();
    }
    moved_rows = *std::move(found);
    how.moved_rows = &moved_rows;
  }
  ARROW_ASSIGN_OR_RAISE(result.dataset,
                        CommitChange(dataset, transaction, how, remove_files, context));
  return result;
}

/// InvalidArgument if an index has rows of the tasks by their addresses, and would not find them.
Status CheckIndicesFollow(const Dataset::State& state, const std::vector<DoneTask>& done,
                          const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto coverage, ReadIndexCoverage(state, context));
  for (const IndexCoverage& index : coverage) {
    if (!index.holds_addresses) continue;
    for (const DoneTask& task : done) {
      for (const RewriteFragments::Group& group : task.groups) {
        const auto fragment = std::ranges::find_if(group.before, [&](const Fragment& each) {
          return index.fragments.Contains(static_cast<int64_t>(each.id));
        });
        if (fragment == group.before.end()) continue;
        return InvalidArgument(
            "cannot commit a compaction of fragment ", fragment->id, " of ", state.location.path,
            ": index '", index.name,
            "' has its rows; commit it with defer_index_remap, as it was planned");
      }
    }
  }
  return Status::OK();
}

/// The threads of a compaction, which has `context` as long as they are there.
class OwnThreads {
 public:
  OwnThreads(const CompactionOptions& options, OperationContext* context) {
    const int64_t most = context->executor->parallelism();
    if (!options.num_threads || *options.num_threads >= most) return;
    executor_ = MakeExecutor(static_cast<int>(*options.num_threads));
    context->executor = executor_.get();
  }

 private:
  std::shared_ptr<Executor> executor_;  ///< null if they are the operation's
};

/// `target` is the table, by the store through which new files are written.
Result<DoneTask> Execute(const Dataset& dataset, const CompactionTask& task,
                         const CompactionOptions& options, const io::StorePath& target,
                         OperationContext context) {
  const OwnThreads threads(options, &context);
  const Dataset::State& state = dataset.state();
  ARROW_ASSIGN_OR_RAISE(auto before, FindFragments(state.manifest, task.fragments));
  ARROW_ASSIGN_OR_RAISE(auto after, WriteAgain(dataset, before, options, target, context));
  const Status carried = CarryLineage(state, before, &after, context);
  if (!carried.ok()) {
    RemoveDataFiles(state.location, after, context);
    return carried;
  }
  return DoneTask{.metrics = {.fragments_removed = std::ssize(before),
                              .fragments_added = std::ssize(after),
                              .files_removed = CountFiles(before),
                              .files_added = CountFiles(after)},
                  .groups = {{.before = std::move(before), .after = std::move(after)}}};
}

Result<CompactionResult> TryToCompact(const io::StorePath& table, const CompactionOptions& options,
                                      const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, context));
  ARROW_ASSIGN_OR_RAISE(const auto tasks, PlanCompaction(*dataset, options, context));
  if (tasks.empty()) return CompactionResult{.dataset = dataset};
  std::vector<DoneTask> done;
  const auto remove_files = [&] { RemoveNewFiles(table, done, context); };
  // Nothing is true before the manifest, so all becomes durable with it.
  const io::StorePath deferring = io::Deferring(table);
  for (const CompactionTask& task : tasks) {
    auto one = Execute(*dataset, task, options, deferring, context);
    if (!one.ok()) {
      remove_files();
      return one.status();
    }
    done.push_back(*std::move(one));
  }
  return Commit(*dataset, done, {.lock = options.commit_lock, .written = deferring.store}, options,
                remove_files, context);
}

}  // namespace

Result<CompactionMode> ParseCompactionMode(std::string_view name) {
  std::string lower(name);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  if (lower == "reencode") return CompactionMode::kReencode;
  if (lower == "try_binary_copy") return CompactionMode::kTryCopy;
  if (lower == "force_binary_copy") return CompactionMode::kForceCopy;
  return InvalidArgument("compaction_mode must be reencode, try_binary_copy or force_binary_copy, ",
                         "not '", name, "'");
}

Result<std::vector<CompactionTask>> PlanCompaction(const Dataset& dataset,
                                                   const CompactionOptions& options,
                                                   const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckOptions(options));
  const Dataset::State& state = dataset.state();
  const Status writable = CheckWritable(state.manifest);
  if (!writable.ok()) return WithContext(writable, state.location.path);
  ARROW_RETURN_NOT_OK(CheckDeferring(state, options));
  ARROW_ASSIGN_OR_RAISE(const auto coverage, ReadIndexCoverage(state, context));
  std::vector<CompactionTask> tasks;
  for (auto& ids : PlanTasks(LoadsOf(state.manifest, coverage, options), options)) {
    tasks.push_back({.read_version = dataset.version(), .fragments = std::move(ids)});
  }
  return tasks;
}

Result<CompactedFragments> ExecuteCompaction(const Dataset& dataset, const CompactionTask& task,
                                             const CompactionOptions& options,
                                             const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckOptions(options));
  if (task.read_version != dataset.version()) {
    return InvalidArgument("a compaction task of version ", task.read_version,
                           " cannot be done on version ", dataset.version());
  }
  ARROW_ASSIGN_OR_RAISE(DoneTask done,
                        Execute(dataset, task, options, dataset.state().location, context));
  RewriteFragments rewrite{.groups = std::move(done.groups)};
  return CompactedFragments{.read_version = task.read_version,
                            .metrics = done.metrics,
                            .rewrite = TransactionToJson({.read_version = task.read_version,
                                                          .operation = std::move(rewrite)})};
}

Result<CompactionResult> CommitCompaction(const io::StorePath& table,
                                          const std::vector<CompactedFragments>& done,
                                          const CompactionOptions& options,
                                          const OperationContext& context) {
  if (done.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto latest, Dataset::Open(table, {}, context));
    return CompactionResult{.dataset = std::move(latest)};
  }
  ARROW_ASSIGN_OR_RAISE(auto parsed, ParseAll(done));
  auto& [read_version, tasks] = parsed;
  ARROW_ASSIGN_OR_RAISE(const auto dataset,
                        Dataset::Open(table, {.version = read_version}, context));
  ARROW_RETURN_NOT_OK(CheckDeferring(dataset->state(), options));
  if (!options.defer_index_remap) {
    ARROW_RETURN_NOT_OK(CheckIndicesFollow(dataset->state(), tasks, context));
  }
  return Commit(*dataset, std::move(tasks), {.lock = options.commit_lock}, options,
                /*remove_files=*/nullptr, context);
}

Result<std::string> CompactionTransaction(const std::vector<CompactedFragments>& done,
                                          const CompactionOptions& options) {
  if (done.empty()) return InvalidArgument("a compaction without tasks has no transaction");
  if (options.defer_index_remap) {
    return Unsupported(
        "a joint commit cannot keep account of moved rows: compact without defer_index_remap");
  }
  ARROW_ASSIGN_OR_RAISE(auto parsed, ParseAll(done));
  return TransactionToJson(TransactionOf(parsed.first, std::move(parsed.second), options));
}

Result<CompactionResult> Compact(const io::StorePath& table, const CompactionOptions& options,
                                 const OperationContext& context) {
  const RetryLimit limit{.max_retries = options.max_retries, .timeout = kAnyTime};
  return RetryConflicts<CompactionResult>(
      limit, [&](int /*number*/) { return TryToCompact(table, options, context); });
}

}  // namespace tusk::lance
