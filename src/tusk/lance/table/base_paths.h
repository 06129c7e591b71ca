#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/table/manifest.h"

namespace tusk::lance {

/// A place where files of a table lie.
struct TableBase {
  io::StorePath place;
  bool is_dataset_root = true;  ///< with data/, _deletions/ and so on below it
};

/// Where a base path of the table at `table` is. The errors of ResolveUri.
Result<TableBase> PlaceOf(const io::StorePath& table, const BasePath& base);

/// The place that `base_id` names in `manifest`, a version of the table at `table`: the table's own
/// root without one. Corrupt if the version registers no such base path; the errors of ResolveUri.
Result<TableBase> FindBase(const io::StorePath& table, const Manifest& manifest,
                           std::optional<uint32_t> base_id);

}  // namespace tusk::lance
