#include "tusk/lance/table/target_folders.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "tusk/lance/table/base_paths.h"

namespace tusk::lance {
namespace {

std::string Describe(const BasePath& base) {
  return "'" + (base.name ? *base.name : base.path) + "'";
}

std::string DescribeAll(std::span<const BasePath> bases) {
  if (bases.empty()) return "it has no base paths";
  std::string text = "its base paths are ";
  for (size_t i = 0; i < bases.size(); ++i) text += (i == 0 ? "" : ", ") + Describe(bases[i]);
  return text;
}

DataFolder FolderOf(const TableBase& base, std::optional<uint32_t> base_id) {
  DataFolder folder{.place = base.place, .base_id = base_id};
  if (base.is_dataset_root) folder.place.path = io::JoinPath(base.place.path, "data");
  return folder;
}

/// The folder of a base path, in a store as `targets` say.
Result<DataFolder> FolderOf(const io::StorePath& table, const BasePath& base,
                            const BaseTargets& targets) {
  ARROW_ASSIGN_OR_RAISE(const auto by_options, PlaceByOptions(base, targets.store_options));
  if (by_options) return FolderOf(*by_options, base.id);
  ARROW_ASSIGN_OR_RAISE(const TableBase found, PlaceOf(table, base));
  return FolderOf(found, base.id);
}

Result<DataFolder> FindTarget(const io::StorePath& table, std::span<const BasePath> bases,
                              const std::string& target, const BaseTargets& targets) {
  for (const BasePath& base : bases) {
    if (base.name == target) return FolderOf(table, base, targets);
  }
  const std::string path = ComparablePath(target);
  for (const BasePath& base : bases) {
    if (base.path == target || ComparablePath(base.path) == path) {
      return FolderOf(table, base, targets);
    }
  }
  if (path == ComparablePath(table.path)) return FolderOf(TableBase{.place = table}, std::nullopt);
  return InvalidArgument("cannot write to base '", target, "' of ", table.path,
                         ": no base path has this name or path; ", DescribeAll(bases));
}

}  // namespace

std::vector<BasePath> ToBasePaths(const std::vector<NewBasePath>& bases) {
  std::vector<BasePath> paths;
  paths.reserve(bases.size());
  for (const NewBasePath& base : bases) {
    paths.push_back({.id = base.id,
                     .name = base.name,
                     .is_dataset_root = base.is_dataset_root,
                     .path = base.path});
  }
  return paths;
}

Result<std::vector<BasePath>> NumberBases(std::vector<BasePath> bases,
                                          std::span<const BasePath> there) {
  std::vector<BasePath> all(there.begin(), there.end());
  std::set<uint32_t> ids;
  for (const BasePath& base : there) ids.insert(base.id);
  for (const BasePath& base : bases) ids.insert(base.id);
  uint32_t next = 1;
  for (BasePath& base : bases) {
    if (base.path.empty()) return InvalidArgument("cannot add a base path that is empty");
    if (base.path.find("://") == std::string::npos) base.path = ComparablePath(base.path);
    if (base.id == 0) {
      while (ids.contains(next)) ++next;
      base.id = next++;
    }
    for (const BasePath& other : all) {
      if (other.id == base.id || (base.name && other.name == base.name) ||
          ComparablePath(other.path) == ComparablePath(base.path)) {
        return InvalidArgument("cannot add base path '", base.path, "': '", other.path,
                               "' has its path, name or id ", other.id);
      }
    }
    all.push_back(base);
  }
  return bases;
}

Result<std::vector<DataFolder>> FindTargetFolders(const io::StorePath& table,
                                                  std::span<const BasePath> bases,
                                                  const BaseTargets& targets) {
  std::vector<DataFolder> folders;
  if (targets.choice == BaseChoice::kNamed) {
    for (const std::string& target : targets.targets) {
      ARROW_ASSIGN_OR_RAISE(folders.emplace_back(), FindTarget(table, bases, target, targets));
    }
    if (folders.empty()) folders.push_back(FolderOf(TableBase{.place = table}, std::nullopt));
    return folders;
  }
  if (!targets.targets.empty()) {
    return InvalidArgument("cannot write to all base paths of ", table.path,
                           " and to some of them: choose one");
  }
  if (targets.choice == BaseChoice::kRootAndBases) {
    folders.push_back(FolderOf(TableBase{.place = table}, std::nullopt));
  } else if (bases.empty()) {
    return InvalidArgument("cannot write to all base paths of ", table.path,
                           ": it has none; register some, or include the table's own root");
  }
  for (const BasePath& base : bases) {
    ARROW_ASSIGN_OR_RAISE(folders.emplace_back(), FolderOf(table, base, targets));
  }
  return folders;
}

Result<DataFolder> FindDataFolder(const io::StorePath& table, std::span<const BasePath> bases,
                                  std::optional<uint32_t> base_id) {
  if (!base_id) return FolderOf(TableBase{.place = table}, std::nullopt);
  const auto base = std::ranges::find(bases, *base_id, &BasePath::id);
  if (base == bases.end()) return Corrupt(table.path, " has no base path ", *base_id);
  return FolderOf(table, *base, {});
}

}  // namespace tusk::lance
