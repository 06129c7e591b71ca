#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lance/append_or_create.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/batch_shaper.h"
#include "tusk/lance/file/data_version.h"
#include "tusk/lance/file/writer.h"
#include "tusk/lance/fragment_changes.h"
#include "tusk/lance/table/blob_schema.h"
#include "tusk/lance/table/blob_writer.h"
#include "tusk/lance/table/commit.h"
#include "tusk/lance/table/commit_change.h"
#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/fragment_reader.h"
#include "tusk/lance/table/target_folders.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

/// The minor number of the data version of the files to write.
Result<uint16_t> MinorVersion(const WriteOptions& options, const std::optional<TableVersion>& base,
                              const io::StorePath& table) {
  if (options.data_storage_version) return ParseDataVersion(*options.data_storage_version);
  if (base && (base->manifest.data_version == "2.1" || base->manifest.data_version == "2.2")) {
    return ParseDataVersion(base->manifest.data_version);
  }
  if (options.mode == WriteMode::kAppend && base) {
    return Unsupported("cannot append to ", table.path, " in its data version '",
                       base->manifest.data_version, "': ask for files of 2.1 or 2.2");
  }
  return uint16_t{2};
}

/// A new table may not have columns that the reference implementation fails to read.
Status CheckColumnNames(const arrow::Schema& schema) {
  for (const auto& field : schema.fields()) {
    if (std::ranges::find(kSystemColumns, field->name()) != kSystemColumns.end()) {
      return InvalidArgument("cannot write a column '", field->name(),
                             "': the name is reserved in Lance tables; rename it");
    }
    if (field->name().find('.') != std::string::npos) {
      return InvalidArgument("cannot write a column '", field->name(),
                             "': a dot in a name stands before a nested field in Lance tables; "
                             "rename it");
    }
  }
  return Status::OK();
}

/// What `options` may not ask of a table that exists, or of this one.
Status CheckBase(const TableVersion& base, const io::StorePath& table,
                 const WriteOptions& options) {
  const Status writable = CheckWritable(base.manifest);
  if (!writable.ok()) return WithContext(writable, table.path);
  const bool stable_row_ids = (base.manifest.reader_flags & kFlagStableRowIds) != 0;
  if (options.enable_stable_row_ids && !stable_row_ids) {
    return InvalidArgument(table.path,
                           " was made without stable row ids: they can be chosen only when a table "
                           "is made");
  }
  if (options.mode != WriteMode::kAppend) return Status::OK();
  if (!options.config.empty()) {
    return InvalidArgument("cannot append to ", table.path,
                           " with config keys: they are set when a table is made or overwritten");
  }
  if (!base.manifest.data_version.starts_with("2.")) {
    return InvalidArgument("cannot append to ", table.path, ": its data version is '",
                           base.manifest.data_version,
                           "', whose files cannot stand beside those of 2.1 or 2.2");
  }
  return Status::OK();
}

/// The version that `base` is, as one to stage the next on.
Result<TableVersion> BaseOfStage(const Dataset& base, const io::StorePath& table) {
  TableVersion previous{.manifest = base.state().manifest, .path = base.state().manifest_path};
  if (previous.path == ManifestPath(base.version(), ManifestNaming::kV1)) {
    return Unsupported(table.path,
                       " names its manifests by the old scheme: they cannot be staged; migrate "
                       "the table's manifest paths first");
  }
  return previous;
}

/// The base paths of the table to write: those of the version, or those that it is made with.
Result<std::vector<BasePath>> BasesOf(const std::optional<TableVersion>& base,
                                      const BaseTargets& targets, const io::StorePath& table) {
  if (!base) {
    auto numbered = NumberBases(ToBasePaths(targets.initial_bases));
    return numbered.ok() ? numbered : WithContext(numbered.status(), table.path);
  }
  if (!targets.initial_bases.empty()) {
    return InvalidArgument("cannot register base paths in a write to ", table.path,
                           ", which is there already: add them to the table first (add_bases)");
  }
  return base->manifest.base_paths;
}

/// The transaction of a write, with its data files written. `base` is the version it changes;
/// `targets` say where data files go.
Result<Transaction> WriteTransaction(arrow::RecordBatchReader* data, const io::StorePath& table,
                                     const std::optional<TableVersion>& base,
                                     const WriteOptions& options, const BaseTargets& targets,
                                     const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const uint16_t minor_version, MinorVersion(options, base, table));
  BlobWriteScope scope{.targets = targets};
  ARROW_ASSIGN_OR_RAISE(scope.base_paths, BasesOf(base, targets, table));
  Transaction transaction{.read_version = base ? base->manifest.version : 0,
                          .uuid = RandomUuidString(),
                          .properties = options.transaction_properties};
  if (options.mode == WriteMode::kAppend) {
    AppendRows append;
    ARROW_ASSIGN_OR_RAISE(const Schema schema, MatchAppend(*data->schema(), base->manifest.schema));
    ARROW_ASSIGN_OR_RAISE(append.fragments, WriteFragments(data, table, schema, minor_version,
                                                           options, scope, context));
    transaction.operation = std::move(append);
    return transaction;
  }
  ARROW_RETURN_NOT_OK(CheckColumnNames(*data->schema()));
  OverwriteTable overwrite;
  if (!base) overwrite.initial_bases = scope.base_paths;
  overwrite.config_upserts = options.config;
  overwrite.data_version = "2." + std::to_string(minor_version);
  std::shared_ptr<arrow::Schema> schema = WithoutViews(data->schema());
  if (minor_version >= 2) schema = WithBlobsV2(*schema);
  ARROW_ASSIGN_OR_RAISE(overwrite.schema, Schema::FromArrow(*schema));
  ARROW_RETURN_NOT_OK(CheckWritable(overwrite.schema, minor_version));
  ARROW_ASSIGN_OR_RAISE(
      overwrite.fragments,
      WriteFragments(data, table, overwrite.schema, minor_version, options, scope, context));
  transaction.operation = std::move(overwrite);
  return transaction;
}

/// Removes the data files of a write on top of a version with `base_paths`.
void RemoveWritten(const io::StorePath& table, const Transaction& transaction,
                   const std::vector<BasePath>& base_paths, const OperationContext& context) {
  const auto* overwrite = transaction.As<OverwriteTable>();
  const auto& fragments =
      overwrite != nullptr ? overwrite->fragments : transaction.As<AppendRows>()->fragments;
  const bool is_new = overwrite != nullptr && !overwrite->initial_bases.empty();
  RemoveDataFiles(table, fragments, context, is_new ? overwrite->initial_bases : base_paths);
}

/// The version to change, checked against what the mode and options ask; none to make a table.
Result<std::optional<TableVersion>> FindBase(const io::StorePath& table,
                                             const WriteOptions& options,
                                             const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto latest, FindLatestManifest(table, context));
  if (!latest) {
    if (options.mode == WriteMode::kAppend) {
      return NotFound("cannot append: there is no Lance table at '", table.path, "'");
    }
    return std::nullopt;
  }
  if (options.mode == WriteMode::kCreate) {
    return AlreadyExists("cannot make a table at '", table.path,
                         "': there is one already; append to it or overwrite it");
  }
  TableVersion base{.manifest = {}, .path = latest->path, .naming = latest->naming};
  ARROW_ASSIGN_OR_RAISE(base.manifest, ReadManifest(table, base.path, context));
  ARROW_RETURN_NOT_OK(CheckBase(base, table, options));
  return base;
}

}  // namespace

Result<std::shared_ptr<const Dataset>> WriteDataset(arrow::RecordBatchReader* data,
                                                    std::string_view uri,
                                                    const WriteOptions& options,
                                                    const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(io::StorePath table, io::ResolveUri(uri));
  return WriteDataset(data, std::move(table), options, context);
}

Result<std::shared_ptr<const Dataset>> WriteDataset(arrow::RecordBatchReader* data,
                                                    io::StorePath table,
                                                    const WriteOptions& options,
                                                    const OperationContext& context) {
  return WriteDataset(data, std::move(table), options, BaseTargets(), context);
}

namespace {

/// Writes on top of `base`, which FindBase has found.
Result<std::shared_ptr<const Dataset>> WriteOn(std::optional<TableVersion> base,
                                               arrow::RecordBatchReader* data, io::StorePath table,
                                               const WriteOptions& options,
                                               const BaseTargets& targets,
                                               const OperationContext& context) {
  // Nothing is true before the manifest, so all becomes durable with it.
  const io::StorePath deferring = io::Deferring(table);
  ARROW_ASSIGN_OR_RAISE(const Transaction transaction,
                        WriteTransaction(data, deferring, base, options, targets, context));
  const auto base_paths = base ? base->manifest.base_paths : std::vector<BasePath>();
  const CommitOptions how{
      .stable_row_ids = options.enable_stable_row_ids,
      .naming = options.enable_v2_manifest_paths ? ManifestNaming::kV2 : ManifestNaming::kV1,
      .lock = options.commit_lock,
      .written = deferring.store};
  const auto remove_files = [&] { RemoveWritten(table, transaction, base_paths, context); };
  auto committed = CommitOrRemove(table, transaction, std::move(base), how, remove_files, context);
  if (!committed.ok()) {
    if (options.mode == WriteMode::kCreate &&
        GetErrorCode(committed.status()) == ErrorCode::kCommitConflict) {
      return AlreadyExists("cannot make a table at '", table.path,
                           "': another writer made one at the same time");
    }
    return committed.status();
  }
  std::string uri = table.path;
  return Dataset::State::Make(std::move(uri), std::move(table), std::move(committed->manifest),
                              std::move(committed->path));
}

}  // namespace

Result<std::shared_ptr<const Dataset>> WriteDataset(arrow::RecordBatchReader* data,
                                                    io::StorePath table,
                                                    const WriteOptions& options,
                                                    const BaseTargets& targets,
                                                    const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto base, FindBase(table, options, context));
  return WriteOn(std::move(base), data, std::move(table), options, targets, context);
}

Result<std::shared_ptr<const Dataset>> AppendOrCreate(arrow::RecordBatchReader* data,
                                                      io::StorePath table, WriteOptions options,
                                                      const OperationContext& context) {
  return AppendOrCreate(data, std::move(table), std::move(options), BaseTargets(), context);
}

Result<std::shared_ptr<const Dataset>> AppendOrCreate(arrow::RecordBatchReader* data,
                                                      io::StorePath table, WriteOptions options,
                                                      const BaseTargets& targets,
                                                      const OperationContext& context) {
  options.mode = WriteMode::kAppend;
  auto base = FindBase(table, options, context);
  if (GetErrorCode(base.status()) == ErrorCode::kNotFound) {
    options.mode = WriteMode::kCreate;
    base = FindBase(table, options, context);
  }
  ARROW_RETURN_NOT_OK(base);
  return WriteOn(*std::move(base), data, std::move(table), options, targets, context);
}

Result<std::string> PrepareWrite(arrow::RecordBatchReader* data, const io::StorePath& table,
                                 const WriteOptions& options, const OperationContext& context) {
  return PrepareWrite(data, table, options, BaseTargets(), context);
}

Result<std::string> PrepareWrite(arrow::RecordBatchReader* data, const io::StorePath& table,
                                 const WriteOptions& options, const BaseTargets& targets,
                                 const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto base, FindBase(table, options, context));
  ARROW_ASSIGN_OR_RAISE(const Transaction transaction,
                        WriteTransaction(data, table, base, options, targets, context));
  return TransactionToJson(transaction);
}

Result<StagedManifest> StageWrite(arrow::RecordBatchReader* data, const io::StorePath& table,
                                  const std::shared_ptr<const Dataset>& base,
                                  const WriteOptions& options, CommitHandler* handler,
                                  const OperationContext& context) {
  std::optional<TableVersion> previous;
  if (base != nullptr) {
    if (options.mode == WriteMode::kCreate) {
      return AlreadyExists("cannot make a table at '", table.path, "': there is one already");
    }
    ARROW_ASSIGN_OR_RAISE(previous, BaseOfStage(*base, table));
    ARROW_RETURN_NOT_OK(CheckBase(*previous, table, options));
  } else if (options.mode == WriteMode::kAppend) {
    return NotFound("cannot append: there is no Lance table at '", table.path, "'");
  }
  ARROW_ASSIGN_OR_RAISE(const Transaction transaction,
                        WriteTransaction(data, table, previous, options, {}, context));
  const auto base_paths = previous ? previous->manifest.base_paths : std::vector<BasePath>();
  std::vector<std::string> built;  // nothing: neither an append nor an overwrite moves rows
  const auto stage = [&]() -> Result<StagedManifest> {
    ARROW_RETURN_NOT_OK(WriteTransactionFile(table, transaction, context));
    ARROW_ASSIGN_OR_RAISE(
        const NextVersion next,
        BuildNextVersion(table, transaction, previous,
                         {.stable_row_ids = options.enable_stable_row_ids}, &built, context));
    return handler->Stage(table, next.manifest.version, next.file, transaction.uuid, context);
  };
  auto staged = stage();
  if (!staged.ok()) {
    RemoveWritten(table, transaction, base_paths, context);
    RemoveTransactionFile(table, transaction, context);
  }
  return staged;
}

Result<StagedManifest> StageRestore(const io::StorePath& table,
                                    const std::shared_ptr<const Dataset>& base, uint64_t restored,
                                    CommitHandler* handler, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const TableVersion previous, BaseOfStage(*base, table));
  const Transaction transaction{.read_version = base->version(),
                                .uuid = RandomUuidString(),
                                .operation = RestoreVersion{.version = restored}};
  std::vector<std::string> built;  // nothing: a restore moves no rows
  ARROW_ASSIGN_OR_RAISE(const NextVersion next,
                        BuildNextVersion(table, transaction, previous, {}, &built, context));
  ARROW_RETURN_NOT_OK(WriteTransactionFile(table, transaction, context));
  auto staged = handler->Stage(table, next.manifest.version, next.file, transaction.uuid, context);
  if (!staged.ok()) RemoveTransactionFile(table, transaction, context);
  return staged;
}

}  // namespace tusk::lance
