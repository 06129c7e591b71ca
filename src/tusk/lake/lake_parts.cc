#include "tusk/lake/lake_parts.h"

namespace tusk::lake {
namespace {

/// One folder per namespace: nested ones could not be told from tables.
std::string TableFolder(const catalog::TableName& name) {
  return io::JoinPath(io::JoinPath("tables", name.Namespace()), name.name);
}

}  // namespace

std::string CatalogPath(const io::StorePath& root) { return io::JoinPath(root.path, "catalog.db"); }

std::string NewLanceLocation(const catalog::TableName& name) {
  return TableFolder(name) + ".lance";
}

std::string NewIcebergLocation(const io::StorePath& root, const catalog::TableName& name) {
  return io::JoinPath(root.path, TableFolder(name));
}

Result<io::StorePath> LanceTablePath(const LakeParts& parts, std::string_view location) {
  ARROW_RETURN_NOT_OK(io::CheckRelativePath(location));
  return io::StorePath{.store = parts.root.store, .path = io::JoinPath(parts.root.path, location)};
}

}  // namespace tusk::lake
