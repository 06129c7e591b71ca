#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/base_targets.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// A place where files of a table lie.
struct TableBase {
  io::StorePath place;
  bool is_dataset_root = true;  ///< with data/, _deletions/ and so on below it
};

/// Where a base path of the table at `table` is. The errors of ResolveUri.
Result<TableBase> PlaceOf(const io::StorePath& table, const BasePath& base);

/// A path as it is compared: of the local store absolute and without slashes at its end, else as it
/// is, since what its store makes of it is not known.
std::string ComparablePath(const std::string& path);

/// Where `base` is in the store that `options` say; nothing if they say nothing of its path. The
/// errors of ResolveUri.
Result<std::optional<TableBase>> PlaceByOptions(const BasePath& base,
                                                const BaseStoreOptions& options);

/// Where base paths are read, by their ids, as PlaceByOptions finds them.
using BasePlaces = std::map<uint32_t, TableBase>;
Result<BasePlaces> PlacesByOptions(std::span<const BasePath> bases,
                                   const BaseStoreOptions& options);

/// The place that `base_id` names in `manifest`, a version of the table at `table`: the table's own
/// root without one. Corrupt if the version registers no such base path; the errors of ResolveUri.
Result<TableBase> FindBase(const io::StorePath& table, const Manifest& manifest,
                           std::optional<uint32_t> base_id);

}  // namespace tusk::lance
