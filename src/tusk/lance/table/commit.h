#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/io/object_store.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// A manifest that is written, durable and not yet a version: no reader takes its name for one.
/// Everything in it can be stored and read back later by another process.
struct StagedManifest {
  std::string staged_path = {};  ///< relative to the table's root
  uint64_t version = 0;          ///< the version it wants to become
  int64_t size_bytes = 0;
  std::string transaction_uuid = {};  ///< the same when it is staged again for a later version
};

/// How versions of a table become true. Paths are relative to the table's root. Thread-safe.
class CommitHandler {
 public:
  virtual ~CommitHandler() = default;
  /// NotFound if there is none.
  virtual Result<uint64_t> Latest(const io::StorePath& table, const OperationContext& context) = 0;
  /// Ascending.
  virtual Result<std::vector<uint64_t>> List(const io::StorePath& table,
                                             const OperationContext& context) = 0;
  /// Writes the manifest's bytes under a staged name.
  virtual Result<StagedManifest> Stage(const io::StorePath& table, uint64_t version,
                                       std::string_view manifest_bytes,
                                       std::string_view transaction_uuid,
                                       const OperationContext& context) = 0;
  /// Gives it its final name. CommitConflict if another manifest holds the name; success if this
  /// very manifest (same transaction uuid) holds it already.
  virtual Result<uint64_t> Publish(const io::StorePath& table, const StagedManifest& staged,
                                   const OperationContext& context) = 0;
  /// Removes the staged manifest; published ones stay. No error if it is gone.
  virtual Status Abort(const io::StorePath& table, const StagedManifest& staged,
                       const OperationContext& context) = 0;
};

/// Put-if-absent (a link) on the final manifest name: what pylance does on local disks and stores.
std::shared_ptr<CommitHandler> MakePutIfAbsentHandler();

/// Where a lake reads a staged manifest from before it is published, and the relative path of a
/// published version ("_versions/<u64max - version>.manifest").
std::string FinalManifestPath(uint64_t version);

/// First half of a write for a commit that is part of a larger one: writes data files and the
/// staged manifest of the next version; nothing becomes visible. `base` is the version that is
/// changed, null to make a table. The errors of WriteDataset.
Result<StagedManifest> StageWrite(arrow::RecordBatchReader* data, const io::StorePath& table,
                                  const std::shared_ptr<const Dataset>& base,
                                  const WriteOptions& options, CommitHandler* handler,
                                  const OperationContext& context);

/// The same for a restore: stages a version after `base`, the latest, that has the content of
/// version `restored`. NotFound if that is gone.
Result<StagedManifest> StageRestore(const io::StorePath& table,
                                    const std::shared_ptr<const Dataset>& base, uint64_t restored,
                                    CommitHandler* handler, const OperationContext& context);

/// The same for any transaction, whose files are written: stages the version after the latest one,
/// if what was committed since the transaction's read version goes with it. A read version of 0
/// stands for the latest, and is set. NotFound without a table; CommitConflict; Unsupported if the
/// table's manifests have names of the old scheme.
Result<StagedManifest> StageTransaction(const io::StorePath& table, Transaction transaction,
                                        CommitHandler* handler, const OperationContext& context);

/// After Publish said CommitConflict: reads the transaction of `staged`, checks it against every
/// version committed since its read version under the conflict matrix and stages it again, same
/// uuid, as the next free version. CommitConflict if it is incompatible; nothing is overwritten. If
/// one of those versions has the uuid of `staged`, the transaction is in the table already: gives
/// that version under its final path, which Publish accepts. So repeating after a crash adds
/// nothing twice. Data and transaction files stay; the old staged manifest is the caller's to
/// abort.
Result<StagedManifest> Restage(const io::StorePath& table, const StagedManifest& staged,
                               CommitHandler* handler, const OperationContext& context);

}  // namespace tusk::lance
