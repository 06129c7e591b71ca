#include "tusk/lance/compact.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <span>
#include <utility>

#include <arrow/record_batch.h>

#include "tusk/base/uuid.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lance/table/blob_writer.h"
#include "tusk/lance/table/commit_change.h"
#include "tusk/lance/table/compaction_plan.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/index_metadata.h"
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
  if (options.copy_read_bytes < 0) {
    return InvalidArgument("cannot read ", options.copy_read_bytes, " bytes of pages at a time");
  }
  return Status::OK();
}

/// The indices of a version that rows are looked up in, and whether they would go wrong if rows
/// got other addresses.
struct Coverage {
  std::vector<FragmentIds> fragments;
  std::vector<bool> holds_addresses;
};

Result<Coverage> ReadCoverage(const Dataset::State& state, const OperationContext& context) {
  Coverage coverage;
  ARROW_ASSIGN_OR_RAISE(
      const std::string section,
      ReadIndexSection(state.location, state.manifest_path, state.manifest, context));
  if (section.empty()) return coverage;
  ARROW_ASSIGN_OR_RAISE(const auto indices, ParseIndexSection(section));
  for (const IndexMetadata& index : indices) {
    if (index.is_system()) {
      return Unsupported("cannot compact ", state.location.path, ": its index '", index.name,
                         "' keeps account of rows that move, which is not supported yet");
    }
    FragmentIds covered;
    if (index.fragments) {
      covered = *index.fragments;
    } else {
      // Nobody knows: it may be all of them.
      ARROW_RETURN_NOT_OK(covered.Add(0, int64_t{1} << 32));
    }
    coverage.fragments.push_back(std::move(covered));
    coverage.holds_addresses.push_back(!HasStableRowIds(state.manifest) ||
                                       index.answers_addresses());
  }
  return coverage;
}

std::vector<FragmentLoad> LoadsOf(const Manifest& manifest, const Coverage& coverage,
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
    for (size_t i = 0; i < coverage.fragments.size(); ++i) {
      if (!coverage.fragments[i].Contains(static_cast<int64_t>(fragment.id))) continue;
      load.is_excluded |= coverage.holds_addresses[i];
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

/// The stable ids of the rows of some fragments that are not deleted, in their order, and the
/// versions that these were made and last changed in.
class RowLineage {
 public:
  Status Add(const Dataset::State& state, const Fragment& fragment,
             const OperationContext& context) {
    if (fragment.created_at_in_column || fragment.last_updated_at_in_column) {
      return Unsupported("cannot compact fragment ", fragment.id, " of ", state.location.path,
                         ": it keeps the versions of its rows in a column, which is not supported "
                         "yet");
    }
    ARROW_ASSIGN_OR_RAISE(const auto ids, state.RowIds(fragment));
    ARROW_ASSIGN_OR_RAISE(const auto deleted, state.FindDeletedRows(fragment, context));
    ARROW_ASSIGN_OR_RAISE(const RowVersions created,
                          RowVersions::Parse(fragment.created_at_versions));
    ARROW_ASSIGN_OR_RAISE(const RowVersions updated,
                          RowVersions::Parse(fragment.last_updated_at_versions));
    const auto add = [&](int64_t begin, int64_t end) {
      const size_t before = ids_.size();
      ids_.resize(before + (end - begin));
      ids->Fill(begin, std::span(ids_).subspan(before));
      for (int64_t row = begin; row < end; ++row) {
        created_.Append(1, row < created.length() ? created.At(row) : kFirstVersion);
        updated_.Append(1, row < updated.length() ? updated.At(row) : kFirstVersion);
      }
    };
    int64_t begin = 0;
    if (deleted != nullptr) {
      for (const DeletedRows::Run& run : deleted->runs()) {
        add(begin, run.begin);
        begin = run.end;
      }
    }
    add(begin, fragment.physical_rows);
    return Status::OK();
  }

  /// Gives the next rows to `fragment`.
  Status GiveTo(Fragment* fragment) {
    const auto rows = static_cast<size_t>(fragment->physical_rows);
    if (rows > ids_.size() - next_) {
      return Corrupt("compaction wrote more rows than ", ids_.size());
    }
    fragment->row_ids = SerializeRowIds(std::span(ids_).subspan(next_, rows));
    RowVersions created;
    RowVersions updated;
    for (size_t row = next_; row < next_ + rows; ++row) {
      created.Append(1, created_.At(static_cast<int64_t>(row)));
      updated.Append(1, updated_.At(static_cast<int64_t>(row)));
    }
    fragment->created_at_versions = created.Serialize();
    fragment->last_updated_at_versions = updated.Serialize();
    next_ += rows;
    return Status::OK();
  }

 private:
  /// What readers take where no version is said.
  static constexpr uint64_t kFirstVersion = 1;

  std::vector<uint64_t> ids_;
  RowVersions created_;
  RowVersions updated_;
  size_t next_ = 0;
};

Status CarryLineage(const Dataset::State& state, const std::vector<Fragment>& before,
                    std::vector<Fragment>* after, const OperationContext& context) {
  if (!HasStableRowIds(state.manifest)) return Status::OK();
  RowLineage lineage;
  for (const Fragment& fragment : before) {
    ARROW_RETURN_NOT_OK(lineage.Add(state, fragment, context));
  }
  for (Fragment& fragment : *after) ARROW_RETURN_NOT_OK(lineage.GiveTo(&fragment));
  return Status::OK();
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

/// `how` and `remove_files` as in CommitChange.
Result<CompactionResult> Commit(const Dataset& dataset, std::vector<DoneTask> done,
                                const CommitOptions& how, const CompactionOptions& options,
                                const std::function<void()>& remove_files,
                                const OperationContext& context) {
  CompactionResult result{.metrics = Sum(done)};
  const Transaction transaction = TransactionOf(dataset.version(), std::move(done), options);
  ARROW_ASSIGN_OR_RAISE(result.dataset,
                        CommitChange(dataset, transaction, how, remove_files, context));
  return result;
}

/// `target` is the table, by the store through which new files are written.
Result<DoneTask> Execute(const Dataset& dataset, const CompactionTask& task,
                         const CompactionOptions& options, const io::StorePath& target,
                         const OperationContext& context) {
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
  ARROW_ASSIGN_OR_RAISE(const Coverage coverage, ReadCoverage(state, context));
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
  return Commit(*dataset, std::move(tasks), {.lock = options.commit_lock}, options,
                /*remove_files=*/nullptr, context);
}

Result<std::string> CompactionTransaction(const std::vector<CompactedFragments>& done,
                                          const CompactionOptions& options) {
  if (done.empty()) return InvalidArgument("a compaction without tasks has no transaction");
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
