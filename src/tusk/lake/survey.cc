#include "tusk/lake/survey.h"

#include <algorithm>
#include <utility>

#include "tusk/iceberg/location.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/refs.h"

namespace tusk::lake {
namespace {

/// How often a file that is gone makes the needs be collected anew.
constexpr int kAttempts = 5;

/// The states of a table that somebody may open: what the catalog points to, and what joint
/// versions need.
struct States {
  catalog::TableName name;
  catalog::TableKind kind = catalog::TableKind::kLance;
  std::string root;
  std::string current;           ///< empty if the table is not in the catalog any more
  std::set<std::string> needed;  ///< paths of manifests or metadata files
  Status unclear;
};

Status AddLanceNeeds(const LakeParts& parts, const States& states, lance::NamedFiles* named,
                     const OperationContext& context) {
  const io::StorePath table{.store = parts.root.store, .path = states.root};
  ARROW_ASSIGN_OR_RAISE(const lance::TableRefs refs,
                        lance::ReadRefs(table, /*branch=*/{}, context));
  if (refs.has_branches) {
    return Unsupported("'", table.path, "' has branches, which are not covered yet");
  }
  std::set<std::string> manifests = states.needed;
  if (!states.current.empty()) manifests.insert(states.current);
  // Every version counts, whoever made it, and detached ones.
  ARROW_ASSIGN_OR_RAISE(const auto listed,
                        table.store->List(io::JoinPath(table.path, "_versions"), context));
  for (const io::ObjectInfo& info : listed) {
    if (info.path.ends_with(".manifest")) manifests.insert(info.path.substr(table.path.size() + 1));
  }
  for (const std::string& path : manifests) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_RETURN_NOT_OK(io::CheckRelativePath(path));
    ARROW_RETURN_NOT_OK(lance::AddNamedFiles(table, path, named, context));
  }
  return Status::OK();
}

Status AddIcebergNeeds(const LakeParts& parts, const States& states, iceberg::NamedFiles* named,
                       const OperationContext& context) {
  io::ObjectStore* store = parts.root.store.get();
  if (!states.current.empty()) {
    ARROW_RETURN_NOT_OK(iceberg::AddNamedFiles(store, states.current, iceberg::WhichSnapshots::kAll,
                                               named, context));
  }
  for (const std::string& path : states.needed) {
    if (path == states.current) continue;
    ARROW_RETURN_NOT_OK(
        iceberg::AddNamedFiles(store, path, iceberg::WhichSnapshots::kCurrent, named, context));
  }
  return Status::OK();
}

/// The root of an Iceberg table; of another client's, the folder that has its metadata.
Result<std::string> IcebergRoot(const std::string& location, const std::string& metadata) {
  if (!location.empty()) return iceberg::LocationToPath(location);
  ARROW_ASSIGN_OR_RAISE(const std::string path, iceberg::LocationToPath(metadata));
  return iceberg::TableFolder(path);
}

Result<std::string> RootOf(const LakeParts& parts, catalog::TableKind kind,
                           const std::string& location, const std::string& path) {
  if (kind == catalog::TableKind::kIceberg) return IcebergRoot(location, path);
  ARROW_ASSIGN_OR_RAISE(const io::StorePath table, LanceTablePath(parts, location));
  return table.path;
}

Result<std::map<std::string, States>> CollectStates(const LakeParts& parts,
                                                    const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto needed, parts.catalog->NeededChanges(context));
  ARROW_ASSIGN_OR_RAISE(const auto entries, parts.catalog->ListTables(std::nullopt, context));
  std::map<std::string, States> by_root;
  for (const catalog::TableEntry& entry : entries) {
    const auto root = RootOf(parts, entry.kind, entry.location, entry.pointer.path);
    if (!root.ok()) {
      // Nobody knows where it lies, so it may own any file.
      return WithContext(root.status(), "looking for table '" + entry.name.ToString() + "'");
    }
    States& states = by_root[*root];
    states.name = entry.name;
    states.kind = entry.kind;
    states.root = *root;
    states.current = entry.pointer.path;
  }
  for (const catalog::NeededChange& change : needed) {
    const catalog::TableChange& table = change.change;
    ARROW_ASSIGN_OR_RAISE(const std::string root,
                          RootOf(parts, table.kind, table.location, table.next.path));
    States& states = by_root[root];
    if (states.root.empty()) {
      states.name = table.name;
      states.kind = table.kind;
      states.root = root;
    }
    states.needed.insert(table.next.path);
  }
  return by_root;
}

}  // namespace

bool TableNeeds::Needs(const std::string& path) const {
  if (kind == catalog::TableKind::kIceberg) {
    return iceberg.data.contains(path) || iceberg.metadata.contains(path);
  }
  const std::string_view relative = std::string_view(path).substr(root.size() + 1);
  // Refs and the hint are the table's own; what is in other folders is not known here.
  for (const char* folder :
       {"data/", "_deletions/", "_transactions/", "_indices/", "_staged/", "_versions/"}) {
    if (!relative.starts_with(folder)) continue;
    return relative.ends_with("latest_version_hint.json") || Names(lance, relative);
  }
  return true;
}

const TableNeeds* Survey::TableOf(const std::string& path) const {
  // From the inside out: a table may lie in the folder of another.
  for (size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0;
       slash = path.rfind('/', slash - 1)) {
    const auto table = tables.find(path.substr(0, slash + 1));
    if (table != tables.end()) return &table->second;
  }
  return nullptr;
}

namespace {

using Tables = std::map<std::string, TableNeeds>;

Result<Tables> CollectNeeds(const LakeParts& parts, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto by_root, CollectStates(parts, context));
  Tables tables;
  for (const auto& [root, states] : by_root) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    TableNeeds needs{.name = states.name,
                     .kind = states.kind,
                     .root = root,
                     .lance = {},
                     .iceberg = {},
                     .unclear = {}};
    needs.unclear = states.kind == catalog::TableKind::kLance
                        ? AddLanceNeeds(parts, states, &needs.lance, context)
                        : AddIcebergNeeds(parts, states, &needs.iceberg, context);
    ARROW_RETURN_NOT_OK(context.CheckStop());
    tables.emplace(root + "/", std::move(needs));
  }
  return tables;
}

}  // namespace

Result<Survey> TakeSurvey(const LakeParts& parts, const OperationContext& context) {
  Survey survey;
  // Files first: what is written after this is no leftover of now.
  const std::string folder = io::JoinPath(parts.root.path, "tables");
  ARROW_ASSIGN_OR_RAISE(survey.files, parts.root.store->List(folder, context));
  ARROW_ASSIGN_OR_RAISE(survey.half_written,
                        parts.root.store->ListUnfinished(parts.root.path, context));
  for (int attempt = 1;; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(survey.tables, CollectNeeds(parts, context));
    // A staged manifest may be published, and removed, between the look at the catalog and the one
    // at it; the next look finds the final one.
    const bool is_whole = std::ranges::none_of(survey.tables, [](const auto& table) {
      return GetErrorCode(table.second.unclear) == ErrorCode::kNotFound;
    });
    if (is_whole || attempt == kAttempts) return survey;
  }
}

}  // namespace tusk::lake
