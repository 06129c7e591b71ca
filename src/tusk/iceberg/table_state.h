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

/// The chosen snapshot, or the current one; null if that is of an empty table. NotFound, also for a
/// time before the first snapshot; InvalidArgument if more than one way to choose is taken.
Result<const MetadataSnapshot*> ChooseSnapshot(const Table::State& table,
                                               const SnapshotChoice& choice);

/// The manifests of `snapshot`, as its manifest list has them.
Result<std::vector<ManifestFile>> ReadManifestList(const Table::State& table,
                                                   const MetadataSnapshot& snapshot,
                                                   const OperationContext& context);

/// A reader of a manifest's entries.
Result<ManifestReader> OpenManifest(const Table::State& table, const ManifestFile& manifest,
                                    ManifestReadOptions options, const OperationContext& context);

/// All entries of a manifest, DELETED ones included, with the numbers that they inherit.
Result<std::vector<ManifestEntry>> ReadManifest(const Table::State& table,
                                                const ManifestFile& manifest,
                                                const OperationContext& context);

/// True unless the manifest list says that no live file is in `manifest`.
bool MayHaveLiveFiles(const ManifestFile& manifest);

}  // namespace tusk::iceberg
