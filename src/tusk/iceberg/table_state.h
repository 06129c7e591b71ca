#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/metadata.h"
#include "tusk/iceberg/table.h"
#include "tusk/io/object_store.h"

namespace tusk::iceberg {

/// What an open table knows; the operations of the component share it.
struct Table::State {
  std::shared_ptr<io::ObjectStore> store;
  std::string metadata_location;  ///< as the caller gave it
  std::string folder;             ///< path of the table's folder; all its files are below
  TableMetadata metadata;
  std::vector<SnapshotInfo> snapshots;
};

/// The snapshot `snapshot_id`, or the current one; null if the table is empty. NotFound.
Result<const MetadataSnapshot*> ChooseSnapshot(const Table::State& table,
                                               std::optional<int64_t> snapshot_id);

/// The manifests of `snapshot`, as its manifest list has them.
Result<std::vector<ManifestFile>> ReadManifestList(const Table::State& table,
                                                   const MetadataSnapshot& snapshot,
                                                   const OperationContext& context);

/// The entries of a manifest, DELETED ones included.
Result<std::vector<ManifestEntry>> ReadManifest(const Table::State& table,
                                                const ManifestFile& manifest,
                                                const OperationContext& context);

/// True unless the manifest list says that no live file is in `manifest`.
bool MayHaveLiveFiles(const ManifestFile& manifest);

/// The data files that are live in `snapshot`, in the order of the manifests. Unsupported if it has
/// delete files.
Result<std::vector<DataFile>> ListDataFiles(const Table::State& table,
                                            const MetadataSnapshot& snapshot,
                                            const OperationContext& context);

}  // namespace tusk::iceberg
