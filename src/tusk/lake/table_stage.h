#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>

#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/catalog/catalog.h"
#include "tusk/iceberg/changes.h"
#include "tusk/iceberg/rewrite.h"
#include "tusk/lake/lake.h"
#include "tusk/lake/lake_parts.h"

namespace tusk::lake {

/// One table's part in a joint commit under way. Used by one thread.
class TableStage {
 public:
  virtual ~TableStage() = default;
  /// Writes the rows and stages the table's next version. Nothing becomes visible. Called once; a
  /// failure has removed what it staged.
  virtual Status Stage(const OperationContext& context) = 0;
  /// Stages again on the table's pointer of now, if that has moved (true) or not (false); keeps the
  /// data files where it can. After a failure Abort is still due.
  virtual Result<bool> Restage(const OperationContext& context) = 0;
  /// What the catalog is asked to make true.
  virtual const catalog::TableChange& change() const = 0;
  /// Removes what is staged. What cannot be removed stays as garbage that nothing refers to.
  virtual void Abort(const OperationContext& context) = 0;
};

/// `parts` must outlive the stage.
std::unique_ptr<TableStage> MakeLanceStage(const LakeParts& parts, TableAppend append);
/// InvalidArgument if the change is no transaction.
Result<std::unique_ptr<TableStage>> MakeLanceChangeStage(const LakeParts& parts,
                                                         const LanceChange& change);
std::unique_ptr<TableStage> MakeIcebergStage(const LakeParts& parts, TableAppend append);
std::unique_ptr<TableStage> MakeIcebergUpdateStage(const LakeParts& parts,
                                                   const catalog::TableName& name,
                                                   iceberg::TableUpdate update);
std::unique_ptr<TableStage> MakeIcebergOverwriteStage(const LakeParts& parts,
                                                      const catalog::TableName& name,
                                                      iceberg::Overwrite overwrite);

/// A stage that brings the table back to what `then` says. It must be there still.
std::unique_ptr<TableStage> MakeLanceRestoreStage(const LakeParts& parts,
                                                  const catalog::TableEntry& then);
std::unique_ptr<TableStage> MakeIcebergRestoreStage(const LakeParts& parts,
                                                    const catalog::TableEntry& then);
/// A stage that drops these snapshots of an Iceberg table, as far as nothing of its own needs them.
std::unique_ptr<TableStage> MakeIcebergExpireStage(const LakeParts& parts,
                                                   const catalog::TableName& name,
                                                   std::set<int64_t> dropped);

/// A stage that puts small data files together by `plan`, anew if the table is another one since,
/// and counts the files into `files_removed` and `files_added`, which must outlive it.
/// CommitConflict if another writer has done that since.
std::unique_ptr<TableStage> MakeIcebergRewriteStage(const LakeParts& parts,
                                                    const catalog::TableName& name,
                                                    iceberg::DataFileRewrite options,
                                                    iceberg::RewritePlan plan,
                                                    int64_t* files_removed, int64_t* files_added);

/// The entry of `change` before it is staged: published if it is a Lance table, nothing if the
/// table is to be made. InvalidArgument if it is of another kind.
Result<std::optional<catalog::TableEntry>> LoadForAppend(const LakeParts& parts,
                                                         const catalog::TableChange& change,
                                                         const OperationContext& context);

}  // namespace tusk::lake
