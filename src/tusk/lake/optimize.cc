#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "tusk/iceberg/rewrite.h"
#include "tusk/lake/joint_commit.h"
#include "tusk/lake/lake_state.h"
#include "tusk/lake/maintenance.h"
#include "tusk/lake/publish.h"
#include "tusk/lake/table_stage.h"

namespace tusk::lake {
namespace {

CommitInfo InfoOf(const TableOptimization& table, const OptimizeOptions& options) {
  return {.message = "put the files of " + table.name.ToString() + " together",
          .author = options.author,
          .properties = {{"tusk.operation", "optimize"}}};
}

Status Commit(const Staging& staging, std::unique_ptr<TableStage> stage,
              const OptimizeOptions& options, TableOptimization* table,
              const OperationContext& context) {
  std::vector<std::unique_ptr<TableStage>> stages;
  stages.push_back(std::move(stage));
  ARROW_ASSIGN_OR_RAISE(table->version, CommitJointly(staging, stages, InfoOf(*table, options),
                                                      "optimizing", std::nullopt, context));
  return Status::OK();
}

Status OptimizeLance(const LakeParts& parts, const OptimizeOptions& options,
                     TableOptimization* table, const OperationContext& context) {
  const Staging staging(parts);
  ARROW_ASSIGN_OR_RAISE(const auto entry, LoadPublished(parts, table->name, context));
  ARROW_ASSIGN_OR_RAISE(const io::StorePath path, LanceTablePath(staging.parts(), entry.location));
  ARROW_ASSIGN_OR_RAISE(const auto dataset, lance::Dataset::Open(path, {}, context));
  ARROW_ASSIGN_OR_RAISE(auto how, lance::WithConfig(options.lance, dataset->config()));
  how.defer_index_remap = false;  // a joint commit cannot keep account of moved rows
  if (options.target_rows_per_fragment) {
    how.target_rows_per_fragment = *options.target_rows_per_fragment;
  }
  ARROW_ASSIGN_OR_RAISE(const auto tasks, PlanCompaction(*dataset, how, context));
  if (tasks.empty()) return Status::OK();
  std::vector<lance::CompactedFragments> done;
  for (const lance::CompactionTask& task : tasks) {
    ARROW_ASSIGN_OR_RAISE(auto one, ExecuteCompaction(*dataset, task, how, context));
    table->files_removed += one.metrics.files_removed;
    table->files_added += one.metrics.files_added;
    done.push_back(std::move(one));
  }
  ARROW_ASSIGN_OR_RAISE(std::string transaction, CompactionTransaction(done, how));
  ARROW_ASSIGN_OR_RAISE(
      auto stage, MakeLanceChangeStage(staging.parts(), {.name = table->name,
                                                         .transaction = std::move(transaction)}));
  return Commit(staging, std::move(stage), options, table, context);
}

Status OptimizeIceberg(const LakeParts& parts, const OptimizeOptions& options,
                       TableOptimization* table, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto entry,
                        parts.catalog->LoadTable(table->name, std::nullopt, context));
  ARROW_ASSIGN_OR_RAISE(const auto base,
                        iceberg::Table::Open(parts.root.store, entry.pointer.path, context));
  ARROW_ASSIGN_OR_RAISE(auto plan, iceberg::PlanRewrite(base, options.iceberg, context));
  if (plan.rewritten.empty()) return Status::OK();
  const Staging staging(parts);
  return Commit(
      staging,
      MakeIcebergRewriteStage(staging.parts(), table->name, options.iceberg, std::move(plan),
                              &table->files_removed, &table->files_added),
      options, table, context);
}

/// Plans anew when another writer was faster.
Status OptimizeTable(const LakeParts& parts, const OptimizeOptions& options,
                     TableOptimization* table, const OperationContext& context) {
  for (int attempt = 0;; ++attempt) {
    table->files_removed = 0;
    table->files_added = 0;
    Status status = table->kind == catalog::TableKind::kLance
                        ? OptimizeLance(parts, options, table, context)
                        : OptimizeIceberg(parts, options, table, context);
    if (status.ok()) return status;
    if (GetErrorCode(status) != ErrorCode::kCommitConflict ||
        attempt >= options.lance.max_retries) {
      table->files_removed = 0;
      table->files_added = 0;
      return WithContext(status, "optimizing table '" + table->name.ToString() + "'");
    }
  }
}

/// The tables that are asked for, ascending by name.
Result<std::vector<TableOptimization>> FindTables(const LakeParts& parts,
                                                  const std::vector<catalog::TableName>& names,
                                                  const OperationContext& context) {
  std::vector<TableOptimization> tables;
  if (names.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto entries, parts.catalog->ListTables(std::nullopt, context));
    for (const catalog::TableEntry& entry : entries) {
      tables.push_back({.name = entry.name, .kind = entry.kind});
    }
  }
  for (const catalog::TableName& name : names) {
    ARROW_ASSIGN_OR_RAISE(const auto entry, parts.catalog->LoadTable(name, std::nullopt, context));
    tables.push_back({.name = name, .kind = entry.kind});
  }
  std::ranges::sort(tables, {}, &TableOptimization::name);
  const auto twice = std::ranges::unique(tables, {}, &TableOptimization::name);
  tables.erase(twice.begin(), twice.end());
  return tables;
}

}  // namespace

Result<OptimizeReport> Optimize(Lake* lake, const OptimizeOptions& options,
                                const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*lake, "optimize it"));
  const LakeParts& parts = lake->state().parts;
  (void)lake->Recover(context);
  OptimizeReport report;
  ARROW_ASSIGN_OR_RAISE(report.tables, FindTables(parts, options.tables, context));
  for (TableOptimization& table : report.tables) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    table.error = OptimizeTable(parts, options, &table, context);
  }
  ARROW_RETURN_NOT_OK(context.CheckStop());
  if (!options.cleanup) return report;
  auto cleaned = CleanUp(lake, *options.cleanup, context);
  if (cleaned.ok()) {
    report.cleanup = *std::move(cleaned);
  } else {
    report.cleanup_error = cleaned.status();
  }
  ARROW_RETURN_NOT_OK(context.CheckStop());
  return report;
}

}  // namespace tusk::lake
