#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/merge_insert.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/merge_plan.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

/// What an analyzed merge has done.
struct Done {
  MergeInsertResult result;
  int64_t files = 0;
  IoCounters io;
};

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "no column" : text;
}

std::string Names(const Schema& schema) {
  std::vector<std::string> names;
  names.reserve(schema.fields.size());
  for (const Field& field : schema.fields) names.push_back(field.name);
  return Join(names);
}

std::string ActionsText(const MergeInsertOptions& options) {
  std::string text = "rows that match are ";
  switch (options.when_matched) {
    case WhenMatched::kKeep:
      text += "kept";
      break;
    case WhenMatched::kUpdate:
      text += "updated";
      break;
    case WhenMatched::kDelete:
      text += "deleted";
      break;
    case WhenMatched::kFail:
      text += "an error";
      break;
  }
  if (options.update_condition != nullptr) text += " if " + options.update_condition->ToString();
  text += options.insert_not_matched ? ", others of the source inserted" : "";
  if (options.delete_not_matched_by_source) {
    text += ", others of the table deleted";
    if (options.delete_condition != nullptr) text += " if " + options.delete_condition->ToString();
  }
  return text;
}

std::string WriteText(const Schema& table, const MergePlan& plan,
                      const MergeInsertOptions& options) {
  if (options.write_mode == MergeWriteMode::kRewriteColumns) {
    std::vector<std::string> names;
    for (const Field& field : plan.source.fields) {
      if (std::ranges::find(plan.on, field.name) == plan.on.end()) names.push_back(field.name);
    }
    return "Write columns: " + Join(names) + " of every fragment with a match";
  }
  const bool writes = options.when_matched == WhenMatched::kUpdate || options.insert_not_matched;
  if (!writes) return "Write deletion files";
  std::vector<std::string> missing;
  for (const Field& field : table.fields) {
    if (plan.source.FindField(field.name) == nullptr) missing.push_back(field.name);
  }
  std::string text = "Write rows: " + Names(table);
  if (!missing.empty() && options.when_matched == WhenMatched::kUpdate) {
    text += ", with " + Join(missing) + " of the rows that match";
  }
  return text;
}

/// `done` is null if nothing was.
std::string Explain(const Dataset& table, const MergePlan& plan, const MergeInsertOptions& options,
                    const Done* done) {
  const Dataset::State& state = table.state();
  std::ostringstream text;
  text << "Merge: on " << Join(plan.on) << "; " << ActionsText(options);
  if (done != nullptr) {
    text << "  [" << done->result.num_inserted_rows << " inserted, "
         << done->result.num_updated_rows << " updated, " << done->result.num_deleted_rows
         << " deleted]";
  }
  text << "\n  " << WriteText(state.manifest.schema, plan, options);
  if (done != nullptr) {
    text << "  [" << done->files << " files, " << done->io.write_requests << " requests, "
         << done->io.write_bytes << " bytes]";
  }
  text << "\n    Join: hash table of the source's keys, in parts if they need more than "
       << options.key_bytes_in_memory << " bytes\n      Source: " << Names(plan.source)
       << ", in files if it has more than " << options.source_bytes_in_memory
       << " bytes\n      Table: " << state.location.path << " version " << table.version() << ", "
       << Join(plan.on) << " of " << table.num_fragments() << " fragments, " << state.num_rows()
       << " rows";
  if (done != nullptr) {
    text << "  [" << done->io.read_requests << " requests, " << done->io.read_bytes << " bytes]";
  }
  text << "\n";
  return text.str();
}

/// Removes the files of an update that is not to be committed; gives their number.
int64_t RemoveFiles(const Dataset& base, const UpdateRows& update,
                    const OperationContext& context) {
  const io::StorePath& table = base.state().location;
  OperationContext unstoppable = context;
  unstoppable.stop = {};
  std::vector<Fragment> data = update.added;
  int64_t files = 0;
  for (const Fragment& fragment : update.updated) {
    if (update.mode == UpdateMode::kRewriteColumns) {
      Fragment columns;
      columns.files.push_back(fragment.files.back());
      data.push_back(std::move(columns));
    } else {
      (void)table.store->Delete(io::JoinPath(table.path, DeletionPath(fragment)), unstoppable);
      ++files;
    }
  }
  for (const Fragment& fragment : data) files += std::ssize(fragment.files);
  RemoveDataFiles(table, data, unstoppable, base.state().manifest.base_paths);
  return files;
}

void AddTo(const IoCounters& from, IoCounters* to) {
  if (to == nullptr) return;
  to->read_requests += from.read_requests;
  to->read_bytes += from.read_bytes;
  to->write_requests += from.write_requests;
  to->write_bytes += from.write_bytes;
  to->list_requests += from.list_requests;
  to->head_requests += from.head_requests;
  to->delete_requests += from.delete_requests;
}

}  // namespace

Result<std::string> ExplainMergeInsert(const Dataset& table, const arrow::Schema& source,
                                       const MergeInsertOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const MergePlan plan, PlanMerge(table, source, options));
  return Explain(table, plan, options, nullptr);
}

Result<std::string> AnalyzeMergeInsert(arrow::RecordBatchReader* source, const io::StorePath& table,
                                       const MergeInsertOptions& options,
                                       const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, context));
  ARROW_ASSIGN_OR_RAISE(const MergePlan plan, PlanMerge(*dataset, *source->schema(), options));
  const auto done = std::make_shared<Done>();
  OperationContext own = context;
  own.io = &done->io;
  ARROW_ASSIGN_OR_RAISE(done->result, PrepareMergeInsert(source, table, options, own));
  AddTo(done->io, context.io);
  ARROW_ASSIGN_OR_RAISE(const Transaction transaction,
                        ParseTransactionJson(done->result.transaction, nullptr));
  const auto* update = transaction.As<UpdateRows>();
  done->files = RemoveFiles(*dataset, *update, context);
  return Explain(*dataset, plan, options, done.get());
}

}  // namespace tusk::lance
