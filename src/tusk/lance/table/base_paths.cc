#include "tusk/lance/table/base_paths.h"

#include <algorithm>
#include <utility>

namespace tusk::lance {

Result<TableBase> PlaceOf(const io::StorePath& table, const BasePath& base) {
  TableBase found{.place = {.store = table.store, .path = base.path},
                  .is_dataset_root = base.is_dataset_root};
  if (base.path.find("://") != std::string::npos) {
    ARROW_ASSIGN_OR_RAISE(found.place, io::ResolveUri(base.path));
  }
  return found;
}

Result<TableBase> FindBase(const io::StorePath& table, const Manifest& manifest,
                           std::optional<uint32_t> base_id) {
  if (!base_id) return TableBase{.place = table};
  const auto base = std::ranges::find(manifest.base_paths, *base_id, &BasePath::id);
  if (base == manifest.base_paths.end()) {
    return Corrupt("version ", manifest.version, " of ", table.path, " has no base path ",
                   *base_id);
  }
  return PlaceOf(table, *base);
}

}  // namespace tusk::lance
