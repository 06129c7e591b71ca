#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/base_targets.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// A folder of data files.
struct DataFolder {
  io::StorePath place;
  std::optional<uint32_t> base_id = {};  ///< of the base path that has it; absent: the table's own
};

/// What is to be registered, as it was given.
std::vector<BasePath> ToBasePaths(const std::vector<NewBasePath>& bases);

/// `bases` as they stand in a manifest beside those that are `there`: in the order given, each with
/// an id, paths made absolute. InvalidArgument if one has no path, or the id, name or path of
/// another.
Result<std::vector<BasePath>> NumberBases(std::vector<BasePath> bases,
                                          std::span<const BasePath> there = {});

/// The folders that new data files of the table at `table` go to by turns; at least one. `bases`
/// are the base paths of the version that is changed, or of the new table. InvalidArgument for a
/// target that is none of them, naming those that there are, and if there is none to choose;
/// the errors of ResolveUri.
Result<std::vector<DataFolder>> FindTargetFolders(const io::StorePath& table,
                                                  std::span<const BasePath> bases,
                                                  const BaseTargets& targets);

/// The folder of the data files that name `base_id`. Corrupt if `bases` have no such id.
Result<DataFolder> FindDataFolder(const io::StorePath& table, std::span<const BasePath> bases,
                                  std::optional<uint32_t> base_id);

}  // namespace tusk::lance
