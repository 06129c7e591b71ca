#include "tusk/lance/table/named_files.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "tusk/base/uuid.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/index_metadata.h"
#include "tusk/lance/table/manifest_file.h"

namespace tusk::lance {
namespace {

constexpr std::string_view kDataFolder = "data/";

void AddFragment(const Fragment& fragment, WhosePlace places, NamedFiles* named) {
  // Most are there already, by the versions before: then no string is made.
  std::string path(kDataFolder);
  for (const DataFile& file : fragment.files) {
    if (file.base_id && places == WhosePlace::kOwn) continue;
    path.resize(kDataFolder.size());
    path += file.path;
    if (!named->data.contains(path)) named->data.insert(path);
  }
  if (!fragment.deletion_file) return;
  if (!fragment.deletion_file->base_id || places == WhosePlace::kAny) {
    named->data.insert(DeletionPath(fragment));
  }
}

Status AddIndices(std::string_view section, std::string_view path, WhosePlace places,
                  NamedFiles* named) {
  const auto indices = ParseIndexSection(section);
  if (!indices.ok()) return WithContext(indices.status(), std::string(path));
  for (const IndexMetadata& index : *indices) {
    if (index.base_id && places == WhosePlace::kOwn) continue;
    std::array<uint8_t, 16> uuid = {};
    std::ranges::copy(index.uuid, uuid.begin());
    named->folders.insert("_indices/" + FormatUuid(uuid) + "/");
  }
  return Status::OK();
}

}  // namespace

Status AddNamedFiles(const io::StorePath& table, std::string_view path, NamedFiles* named,
                     const OperationContext& context, WhosePlace places) {
  ARROW_ASSIGN_OR_RAISE(const Manifest manifest, ReadManifest(table, path, context));
  ARROW_ASSIGN_OR_RAISE(const std::string section,
                        ReadIndexSection(table, path, manifest, context));
  const Status added = AddNamedFiles(path, manifest, section, named, places);
  return added.ok() ? added : WithContext(added, table.path);
}

Status AddNamedFiles(std::string_view path, const Manifest& manifest,
                     std::string_view index_section, NamedFiles* named, WhosePlace places) {
  const Status readable = CheckReadable(manifest);
  if (!readable.ok()) return WithContext(readable, std::string(path));
  named->others.insert(std::string(path));
  if (!manifest.transaction_file.empty()) {
    named->others.insert("_transactions/" + manifest.transaction_file);
  }
  for (const Fragment& fragment : manifest.fragments) AddFragment(fragment, places, named);
  if (index_section.empty()) return Status::OK();
  return AddIndices(index_section, path, places, named);
}

Result<std::vector<std::string>> ListIndices(const io::StorePath& table, std::string_view path,
                                             const Manifest& manifest,
                                             const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const std::string section,
                        ReadIndexSection(table, path, manifest, context));
  const auto indices = ParseIndexSection(section);
  if (!indices.ok()) return WithContext(indices.status(), std::string(path));
  std::set<std::string> names;
  for (const IndexMetadata& index : *indices) names.insert(index.name);
  return std::vector<std::string>(names.begin(), names.end());
}

bool Names(const NamedFiles& named, std::string_view path) {
  if (named.data.contains(path)) return true;
  const std::string text(path);
  if (named.others.contains(text)) return true;
  if (path.starts_with(kDataFolder)) {
    const size_t slash = path.find('/', kDataFolder.size());
    if (slash == path.npos) return false;
    return named.data.contains(std::string(path.substr(0, slash)) + ".lance");
  }
  // No folder of the set lies in another, so only the last one before the path can hold it.
  auto after = named.folders.upper_bound(text);
  return after != named.folders.begin() && path.starts_with(*std::prev(after));
}

}  // namespace tusk::lance
