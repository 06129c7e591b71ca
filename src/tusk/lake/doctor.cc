#include <algorithm>
#include <chrono>
#include <string>
#include <tuple>
#include <utility>

#include "tusk/lake/lake_state.h"
#include "tusk/lake/maintenance.h"
#include "tusk/lake/survey.h"

namespace tusk::lake {
namespace {

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// `path` as it is shown: without the lake's own.
std::string InLake(const Lake& lake, const std::string& path) {
  const std::string folder = lake.uri() + "/";
  return path.starts_with(folder) ? path.substr(folder.size()) : path;
}

Status AddUnpublished(const LakeParts& parts, DoctorReport* report,
                      const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto waiting, parts.catalog->Unpublished(context));
  for (const catalog::LogEntry& entry : waiting) {
    for (const catalog::TableChange& change : entry.changes) {
      report->findings.push_back(
          {.kind = FindingKind::kUnpublished,
           .table = change.name.ToString(),
           .path = io::JoinPath(change.location, change.next.path),
           .size_bytes = change.next.size_bytes,
           .detail = "joint version " + std::to_string(entry.number) +
                     " is true but readers by path do not see it: a foreign version is in its "
                     "place, or the folder cannot be written"});
    }
  }
  return Status::OK();
}

Status AddDrift(const Lake& lake, DoctorReport* report, const OperationContext& context) {
  const auto drift = lake.FindDrift(context);
  // What cannot be opened shows among the unclear and the missing.
  if (!drift.ok()) return context.CheckStop();
  for (const TableDrift& table : *drift) {
    const char* what = table.kind == catalog::TableKind::kLance ? "version " : "snapshot ";
    report->findings.push_back(
        {.kind = FindingKind::kDrift,
         .table = table.name.ToString(),
         .detail = "another client brought it from " + std::string(what) +
                   std::to_string(table.known_version) + " (" + std::to_string(table.known_rows) +
                   " rows) to " + std::to_string(table.foreign_version) + " (" +
                   std::to_string(table.foreign_rows) + " rows): adopt takes it in"});
  }
  return Status::OK();
}

/// Files that a version needs and that are not there.
Status AddMissing(const Lake& lake, const Survey& survey, DoctorReport* report,
                  const OperationContext& context) {
  const auto is_there = [&](const std::string& path) -> Result<bool> {
    if (std::ranges::binary_search(survey.files, path, {}, &io::ObjectInfo::path)) return true;
    // It may have come, with the commit that needs it, since the files were listed.
    const auto info = lake.state().parts.root.store->Head(path, context);
    if (info.ok()) return true;
    if (GetErrorCode(info.status()) == ErrorCode::kNotFound) return false;
    return info.status();
  };
  const std::string folder = io::JoinPath(lake.uri(), "tables") + "/";
  for (const auto& [root, table] : survey.tables) {
    const std::string name = table.name.ToString();
    if (!table.unclear.ok()) {
      const bool is_gone = GetErrorCode(table.unclear) == ErrorCode::kNotFound;
      report->findings.push_back({.kind = is_gone ? FindingKind::kMissing : FindingKind::kUnclear,
                                  .table = name,
                                  .path = InLake(lake, table.root),
                                  .detail = table.unclear.message()});
      continue;
    }
    const auto add = [&](const std::string& path) -> Status {
      if (!path.starts_with(folder)) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const bool there, is_there(path));
      if (there) return Status::OK();
      report->findings.push_back({.kind = FindingKind::kMissing,
                                  .table = name,
                                  .path = InLake(lake, path),
                                  .detail = "rows are lost: bring the file back, or restore a "
                                            "joint version that does not need it"});
      return Status::OK();
    };
    for (const std::string& path : table.lance.data) {
      ARROW_RETURN_NOT_OK(add(io::JoinPath(table.root, path)));
    }
    for (const std::string& path : table.iceberg.data) ARROW_RETURN_NOT_OK(add(path));
  }
  return Status::OK();
}

void AddLeftovers(const Lake& lake, const Survey& survey, int64_t young_since_ms,
                  DoctorReport* report) {
  const auto add = [&](const io::ObjectInfo& file, const TableNeeds* table, const char* detail) {
    report->findings.push_back({.kind = FindingKind::kLeftover,
                                .table = table == nullptr ? "" : table->name.ToString(),
                                .path = InLake(lake, file.path),
                                .size_bytes = file.size,
                                .detail = detail,
                                .is_young = file.modified_ms >= young_since_ms});
    ++report->leftover_files;
    report->leftover_bytes += file.size;
  };
  for (const io::ObjectInfo& file : survey.files) {
    const TableNeeds* table = survey.TableOf(file.path);
    if (table == nullptr) {
      add(file, table, "no table of the lake lies here: a commit that did not become true");
    } else if (table->unclear.ok() && !table->Needs(file.path)) {
      add(file, table, "no version needs it: a commit that did not become true");
    }
  }
  for (const io::ObjectInfo& file : survey.half_written) {
    add(file, survey.TableOf(file.path), "half written: its writer was killed");
  }
}

Status RemoveLeftovers(const Lake& lake, DoctorReport* report, const OperationContext& context) {
  for (Finding& finding : report->findings) {
    if (finding.kind != FindingKind::kLeftover || finding.is_young) continue;
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_RETURN_NOT_OK(
        lake.state().parts.root.store->Delete(io::JoinPath(lake.uri(), finding.path), context));
    finding.removed = true;
    ++report->removed_files;
    report->removed_bytes += finding.size_bytes;
    if (context.progress != nullptr) {
      context.progress->Report("leftovers", report->removed_files, report->leftover_files);
    }
  }
  return Status::OK();
}

}  // namespace

std::string_view FindingKindName(FindingKind kind) {
  switch (kind) {
    case FindingKind::kUnpublished:
      return "unpublished";
    case FindingKind::kDrift:
      return "drift";
    case FindingKind::kMissing:
      return "missing";
    case FindingKind::kUnclear:
      return "unclear";
    case FindingKind::kLeftover:
      return "leftover";
  }
  return "";
}

bool DoctorReport::is_damaged() const {
  return std::ranges::any_of(findings, [](const Finding& finding) {
    return finding.kind == FindingKind::kMissing || finding.kind == FindingKind::kUnclear;
  });
}

Result<DoctorReport> Examine(Lake* lake, const DoctorOptions& options,
                             const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*lake, "examine it"));
  if (options.min_age_ms < 0) return InvalidArgument("an age of ", options.min_age_ms, " ms");
  (void)lake->Recover(context);
  const LakeParts& parts = lake->state().parts;
  const int64_t young_since_ms = NowMs() - options.min_age_ms;
  ARROW_ASSIGN_OR_RAISE(const Survey survey, TakeSurvey(parts, context));
  DoctorReport report;
  ARROW_RETURN_NOT_OK(AddUnpublished(parts, &report, context));
  ARROW_RETURN_NOT_OK(AddDrift(*lake, &report, context));
  ARROW_RETURN_NOT_OK(AddMissing(*lake, survey, &report, context));
  AddLeftovers(*lake, survey, young_since_ms, &report);
  std::ranges::stable_sort(report.findings, {}, [](const Finding& finding) {
    return std::tie(finding.kind, finding.path);
  });
  if (options.clean) ARROW_RETURN_NOT_OK(RemoveLeftovers(*lake, &report, context));
  return report;
}

}  // namespace tusk::lake
