#pragma once

#include <memory>
#include <string>

#include "tusk/base/result.h"
#include "tusk/catalog/catalog.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/table/commit.h"

namespace tusk::lake {

/// The config key of a Lance table that belongs to a lake; its value is the lake's uuid.
inline constexpr const char* kLakeConfigKey = "tusk.lake";

/// What an open lake consists of; the steps of a joint commit borrow it.
struct LakeParts {
  io::StorePath root;
  std::shared_ptr<catalog::Catalog> catalog;
  std::shared_ptr<lance::CommitHandler> handler;
};

/// The catalog's file in the lake at `root`.
std::string CatalogPath(const io::StorePath& root);

/// Where a new table is put: relative to the lake for Lance, absolute for Iceberg.
std::string NewLanceLocation(const catalog::TableName& name);
std::string NewIcebergLocation(const io::StorePath& root, const catalog::TableName& name);

/// The root of a Lance table with this location. Corrupt if the location leaves the lake.
Result<io::StorePath> LanceTablePath(const LakeParts& parts, std::string_view location);

}  // namespace tusk::lake
