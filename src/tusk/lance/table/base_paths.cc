#include "tusk/lance/table/base_paths.h"

#include <algorithm>
#include <utility>

#include "tusk/lance/table/dataset_state.h"

namespace tusk::lance {

std::string ComparablePath(const std::string& path) {
  const auto place = io::ResolveUri(path);
  std::string comparable = place.ok() ? place->path : path;
  while (comparable.size() > 1 && comparable.ends_with('/')) comparable.pop_back();
  return comparable;
}

Result<std::optional<TableBase>> PlaceByOptions(const BasePath& base,
                                                const BaseStoreOptions& options) {
  for (const auto& [path, of_store] : options) {
    if (path != base.path && ComparablePath(path) != ComparablePath(base.path)) continue;
    ARROW_ASSIGN_OR_RAISE(io::StorePath place, io::ResolveUri(base.path, of_store));
    return TableBase{.place = std::move(place), .is_dataset_root = base.is_dataset_root};
  }
  return std::nullopt;
}

Result<BasePlaces> PlacesByOptions(std::span<const BasePath> bases,
                                   const BaseStoreOptions& options) {
  BasePlaces places;
  for (const BasePath& base : bases) {
    ARROW_ASSIGN_OR_RAISE(auto place, PlaceByOptions(base, options));
    if (place) places.emplace(base.id, *std::move(place));
  }
  return places;
}

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

Result<std::shared_ptr<const Dataset>> WithBaseStores(const Dataset& table,
                                                      const BaseStoreOptions& options) {
  const Dataset::State& state = table.state();
  Reading reading = state.reading();
  auto places = PlacesByOptions(state.manifest.base_paths, options);
  if (!places.ok()) return WithContext(places.status(), state.location.path);
  reading.base_places = *std::move(places);
  return state.ReadAs(std::move(reading));
}

}  // namespace tusk::lance
