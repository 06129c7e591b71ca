#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

/// What states of a table cannot do without, as paths of the store.
struct NamedFiles {
  std::set<std::string> data = {};      ///< data and delete files: without one, rows are lost
  std::set<std::string> metadata = {};  ///< metadata files, manifest lists, manifests, statistics
};

/// Which snapshots of a metadata file count.
enum class WhichSnapshots { kCurrent, kAll };

/// Adds what the metadata file names to `named`. Manifests that are in `named` are not read again.
/// NotFound if one of the files that have to be read is gone; Corrupt; Unsupported for locations
/// of other stores.
Status AddNamedFiles(io::ObjectStore* store, std::string_view metadata_location,
                     WhichSnapshots which, NamedFiles* named, const OperationContext& context);

}  // namespace tusk::iceberg
