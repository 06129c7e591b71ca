#include "tusk/lake/lake.h"

#include <filesystem>
#include <utility>

#include "tusk/lake/joint_commit.h"
#include "tusk/lake/lake_parts.h"
#include "tusk/lake/lake_state.h"
#include "tusk/lake/publish.h"
#include "tusk/lake/table_stage.h"

namespace tusk::lake {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCatalogName = "tusk";

/// A staged manifest may be published and removed between the look at the pointer and the opening;
/// the next look finds the final one. Many writers can make that happen more than once.
constexpr int kOpenAttempts = 10;

/// Refuses a folder in which a lake would mix with something else.
Status CheckFolderIsFree(const std::string& path) {
  std::error_code error;
  if (fs::exists(io::JoinPath(path, "catalog.db"), error)) {
    return AlreadyExists("there is a lake at '", path, "' already");
  }
  if (!fs::exists(path, error)) return Status::OK();
  if (!fs::is_directory(path, error)) return InvalidArgument("'", path, "' is not a folder");
  fs::directory_iterator it(path, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    // What an interrupted attempt to make this lake may have left.
    if (it->path().native().ends_with(".tusk-tmp")) continue;
    return InvalidArgument("the folder '", path, "' is not empty: it has '",
                           it->path().filename().native(), "'; make the lake in a new one");
  }
  if (error) return IoError("cannot list '", path, "': ", error.message());
  return Status::OK();
}

}  // namespace

Status CheckNewest(const Lake& lake, std::string_view what) {
  if (!lake.at()) return Status::OK();
  return InvalidArgument("the lake is opened at joint version ", *lake.at(),
                         ", which is read-only; open it without a version to ", what);
}

Lake::Lake(std::unique_ptr<State> state) : state_(std::move(state)) {}
Lake::~Lake() = default;

Result<std::shared_ptr<Lake>> Lake::Init(std::string_view uri, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const io::StorePath root, io::ResolveUri(uri));
  ARROW_RETURN_NOT_OK(context.CheckStop());
  ARROW_RETURN_NOT_OK(CheckFolderIsFree(root.path));
  std::error_code error;
  fs::create_directories(root.path, error);
  if (error) return IoError("cannot make the folder '", root.path, "': ", error.message());
  ARROW_RETURN_NOT_OK(
      catalog::OpenSqliteCatalog(CatalogPath(root), catalog::SqliteMode::kCreate, kCatalogName));
  return Open(root, std::nullopt, context);
}

Result<std::shared_ptr<Lake>> Lake::Open(std::string_view uri, std::optional<int64_t> at,
                                         const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(io::StorePath root, io::ResolveUri(uri));
  return Open(std::move(root), at, context);
}

Result<std::shared_ptr<Lake>> Lake::Open(io::StorePath location, std::optional<int64_t> at,
                                         const OperationContext& context) {
  ARROW_RETURN_NOT_OK(context.CheckStop());
  auto catalog = catalog::OpenSqliteCatalog(CatalogPath(location), catalog::SqliteMode::kOpen, "");
  if (!catalog.ok()) {
    if (GetErrorCode(catalog.status()) != ErrorCode::kNotFound) return catalog.status();
    return NotFound("no lake at '", location.path, "'; make one with: tusk init ", location.path);
  }
  auto state = std::make_unique<State>();
  state->parts = {.root = std::move(location),
                  .catalog = *std::move(catalog),
                  .handler = lance::MakePutIfAbsentHandler()};
  state->at = at;
  std::shared_ptr<Lake> lake(new Lake(std::move(state)));
  if (at) {
    ARROW_RETURN_NOT_OK(lake->Tables(context));  // NotFound if there is no such joint version
    return lake;
  }
  // What cannot be published, because it drifted or because the folder cannot be written, is
  // still read through the lake; Recover tells.
  (void)lake->Recover(context);
  ARROW_RETURN_NOT_OK(context.CheckStop());
  return lake;
}

const std::string& Lake::uri() const { return state_->parts.root.path; }
const std::string& Lake::catalog_name() const { return state_->parts.catalog->name(); }
std::optional<int64_t> Lake::at() const { return state_->at; }

Result<std::vector<catalog::TableEntry>> Lake::Tables(const OperationContext& context) const {
  return state_->parts.catalog->ListTables(state_->at, context);
}

Result<std::shared_ptr<const lance::Dataset>> Lake::OpenLance(
    const catalog::TableName& name, const OperationContext& context) const {
  const LakeParts& parts = state_->parts;
  for (int attempt = 1;; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(const catalog::TableEntry entry,
                          parts.catalog->LoadTable(name, state_->at, context));
    if (entry.kind != catalog::TableKind::kLance) {
      return InvalidArgument("table '", name.ToString(), "' is an Iceberg table");
    }
    ARROW_ASSIGN_OR_RAISE(io::StorePath table, LanceTablePath(parts, entry.location));
    ARROW_RETURN_NOT_OK(io::CheckRelativePath(entry.pointer.path));
    lance::OpenOptions options;
    options.manifest_path = entry.pointer.path;
    auto dataset = lance::Dataset::Open(std::move(table), options, context);
    if (dataset.ok()) return dataset;
    const bool retry = !entry.published && attempt < kOpenAttempts &&
                       GetErrorCode(dataset.status()) == ErrorCode::kNotFound;
    if (!retry) {
      return WithContext(dataset.status(), "opening table '" + name.ToString() + "'");
    }
  }
}

Result<std::shared_ptr<const iceberg::Table>> Lake::OpenIceberg(
    const catalog::TableName& name, const OperationContext& context) const {
  const LakeParts& parts = state_->parts;
  ARROW_ASSIGN_OR_RAISE(const catalog::TableEntry entry,
                        parts.catalog->LoadTable(name, state_->at, context));
  if (entry.kind != catalog::TableKind::kIceberg) {
    return InvalidArgument("table '", name.ToString(), "' is a Lance table");
  }
  const std::string& path = entry.pointer.path;
  auto table = iceberg::Table::Open(parts.root.store, path, context);
  if (table.ok()) return table;
  const std::string what = "opening table '" + name.ToString() + "'";
  if (GetErrorCode(table.status()) == ErrorCode::kNotFound &&
      !path.starts_with(parts.root.path + "/")) {
    return NotFound(what, ": no file at '", path, "', which is not in the lake's folder '",
                    parts.root.path,
                    "'; if the lake was moved, move it back: Iceberg tables keep "
                    "absolute paths");
  }
  return WithContext(table.status(), what);
}

Result<int64_t> Lake::UpdateIceberg(const catalog::TableName& name,
                                    const iceberg::TableUpdate& update, const CommitInfo& info,
                                    const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*this, "change a table"));
  const Staging staging(state_->parts);
  std::vector<std::unique_ptr<TableStage>> stages;
  stages.push_back(MakeIcebergUpdateStage(staging.parts(), name, update));
  return CommitJointly(staging, stages, info, "changing", std::nullopt, context);
}

Result<int64_t> Lake::OverwriteIceberg(const catalog::TableName& name,
                                       const iceberg::Overwrite& overwrite, const CommitInfo& info,
                                       const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*this, "overwrite rows"));
  const Staging staging(state_->parts);
  std::vector<std::unique_ptr<TableStage>> stages;
  stages.push_back(MakeIcebergOverwriteStage(staging.parts(), name, overwrite));
  return CommitJointly(staging, stages, info, "overwriting", std::nullopt, context);
}

Result<int64_t> Lake::Append(std::vector<TableAppend> appends, const CommitInfo& info,
                             const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*this, "append"));
  // Tables that this append does not touch may stay stuck; those it touches say so themselves.
  (void)Recover(context);
  return AppendJointly(state_->parts, std::move(appends), info, context);
}

Result<int64_t> Lake::CommitLance(const std::vector<LanceChange>& changes,
                                  std::vector<TableAppend> appends, const CommitInfo& info,
                                  const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*this, "commit"));
  (void)Recover(context);
  return ChangeJointly(state_->parts, changes, std::move(appends), info, context);
}

Status Lake::Recover(const OperationContext& context) { return PublishAll(state_->parts, context); }

Result<std::vector<catalog::LogEntry>> Lake::Log(std::optional<int64_t> limit,
                                                 const OperationContext& context) const {
  const std::optional<int64_t> at = state_->at;
  if (!at) return state_->parts.catalog->Log(limit, context);
  const int64_t newest = *at;
  ARROW_ASSIGN_OR_RAISE(auto entries, state_->parts.catalog->Log(std::nullopt, context));
  std::erase_if(entries, [&](const auto& entry) { return entry.number > newest; });
  if (limit && *limit < static_cast<int64_t>(entries.size())) entries.resize(*limit);
  return entries;
}

}  // namespace tusk::lake
