#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>

#include <arrow/type.h>

#include "tusk/lance/table/blob_schema.h"
#include "tusk/lance/table/commit_loop.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/lance/transactions.h"

namespace tusk::lance {
namespace {

Result<TableVersion> ReadBase(const io::StorePath& table, const ManifestLocation& location,
                              const OperationContext& context) {
  TableVersion base{.manifest = {}, .path = location.path, .naming = location.naming};
  ARROW_ASSIGN_OR_RAISE(base.manifest, ReadManifest(table, location.path, context));
  const Status writable = CheckWritable(base.manifest);
  if (!writable.ok()) return WithContext(writable, table.path);
  // Whoever made the transaction may have done so long ago.
  base.read_at -= std::chrono::hours(1);
  return base;
}

/// The version that the transaction has read, and sets that in it if it does not say; none to make
/// a table.
Result<std::optional<TableVersion>> FindBase(const io::StorePath& table, Transaction* transaction,
                                             const OperationContext& context) {
  if (transaction->read_version != 0) {
    ARROW_ASSIGN_OR_RAISE(const ManifestLocation location,
                          FindManifest(table, transaction->read_version, context));
    return ReadBase(table, location, context);
  }
  ARROW_ASSIGN_OR_RAISE(const auto locations, ListManifests(table, context));
  if (locations.empty()) {
    if (transaction->kind() == Operation::kOverwrite) return std::nullopt;
    return NotFound("cannot commit ", OperationName(transaction->kind()),
                    ": there is no Lance table at '", table.path, "'");
  }
  transaction->read_version = locations.back().version;
  return ReadBase(table, locations.back(), context);
}

/// Puts the version under a random number beside the history.
Result<TableVersion> CommitDetached(const io::StorePath& table, const Transaction& transaction,
                                    const std::optional<TableVersion>& base,
                                    const OperationContext& context) {
  if (!base) {
    return NotFound("cannot make a detached version: there is no Lance table at '", table.path,
                    "'");
  }
  ARROW_RETURN_NOT_OK(WriteTransactionFile(table, transaction, context));
  const uint64_t random = std::random_device()() | uint64_t{std::random_device()()} << 32;
  std::vector<std::string> written;
  ARROW_ASSIGN_OR_RAISE(NextVersion next,
                        BuildNextVersion(table, transaction, base,
                                         {.version = DetachedVersion(random)}, &written, context));
  std::string path = DetachedManifestPath(next.manifest.version);
  ARROW_RETURN_NOT_OK(table.store->PutIfAbsent(io::JoinPath(table.path, path), next.file, context));
  return TableVersion{.manifest = std::move(next.manifest), .path = std::move(path)};
}

/// Whether what is overwritten has no file of a data version before 2.2.
bool HasBlobsV2(const OverwriteTable& overwrite) {
  const auto can_have = [](const DataFile& file) {
    return file.major_version == 2 && file.minor_version >= 2;
  };
  return std::ranges::all_of(overwrite.fragments, [&](const Fragment& fragment) {
    return std::ranges::all_of(fragment.files, can_have);
  });
}

}  // namespace

Result<std::shared_ptr<const Dataset>> CommitTransaction(
    const io::StorePath& table, std::string_view json, const std::shared_ptr<arrow::Schema>& schema,
    const TransactionOptions& options, const OperationContext& context) {
  Schema fields;
  if (schema != nullptr) {
    ARROW_ASSIGN_OR_RAISE(fields, Schema::FromArrow(*schema));
  }
  ARROW_ASSIGN_OR_RAISE(Transaction transaction,
                        ParseTransactionJson(json, schema == nullptr ? nullptr : &fields));
  // As writes make the files of such a schema.
  if (auto* overwrite = std::get_if<OverwriteTable>(&transaction.operation);
      overwrite != nullptr && schema != nullptr && HasBlobsV2(*overwrite)) {
    ARROW_ASSIGN_OR_RAISE(overwrite->schema, Schema::FromArrow(*WithBlobsV2(*schema)));
  }
  const bool reads_nothing = transaction.read_version == 0;
  ARROW_ASSIGN_OR_RAISE(auto base, FindBase(table, &transaction, context));
  const bool is_strict =
      options.max_retries == 0 && !options.detached && transaction.kind() == Operation::kOverwrite;
  // What a strict overwrite has not read must not be there.
  if (is_strict && reads_nothing) base.reset();
  bool outcome_known = true;
  const CommitOptions how{
      .stable_row_ids = options.enable_stable_row_ids,
      .naming = options.enable_v2_manifest_paths ? ManifestNaming::kV2 : ManifestNaming::kV1,
      .lock = options.lock,
      .is_strict = is_strict,
      .max_attempts = options.max_retries + 1,
      .timeout = options.timeout};
  auto committed = options.detached ? CommitDetached(table, transaction, base, context)
                                    : lance::CommitTransaction(table, transaction, std::move(base),
                                                               how, context, &outcome_known);
  if (!committed.ok()) {
    if (outcome_known) RemoveTransactionFile(table, transaction, context);
    return committed.status();
  }
  return Dataset::State::Make(table.path, table, std::move(committed->manifest),
                              std::move(committed->path));
}

Result<std::string> DescribeTransaction(const Dataset& dataset, const OperationContext& context) {
  const Dataset::State& state = dataset.state();
  ARROW_ASSIGN_OR_RAISE(
      const Transaction transaction,
      ReadTransaction(state.location, state.manifest_path, state.manifest, context));
  return TransactionToJson(transaction);
}

Result<std::vector<uint64_t>> ListVersionNumbers(const Dataset& dataset,
                                                 const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto locations, ListManifests(dataset.state().location, context));
  std::vector<uint64_t> numbers;
  numbers.reserve(locations.size());
  for (const ManifestLocation& location : locations) numbers.push_back(location.version);
  return numbers;
}

std::string DescribeFragments(const Dataset& dataset) {
  return FragmentsToJson(dataset.state().manifest.fragments);
}

std::string DescribeSchema(const Dataset& dataset) {
  return SchemaToJson(dataset.state().manifest.schema);
}

Result<std::string> DescribeSchema(const arrow::Schema& schema) {
  ARROW_ASSIGN_OR_RAISE(const Schema fields, Schema::FromArrow(schema));
  return SchemaToJson(fields);
}

std::string DescribeTable(const Dataset& dataset) { return TableToJson(dataset.state().manifest); }

Status MigrateManifestPaths(const io::StorePath& table, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto locations, ListManifestNames(table, context));
  if (locations.empty()) return NotFound("no Lance table at '", table.path, "'");
  // From the oldest on: until the end, the latest is found under its old name.
  for (const ManifestLocation& location : locations) {
    if (location.naming == ManifestNaming::kV2) continue;
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const std::string old_path = io::JoinPath(table.path, location.path);
    const std::string new_path =
        io::JoinPath(table.path, ManifestPath(location.version, ManifestNaming::kV2));
    Status linked = table.store->LinkIfAbsent(old_path, new_path, context);
    // A call that was interrupted has done that.
    if (!linked.ok() && GetErrorCode(linked) != ErrorCode::kAlreadyExists) return linked;
    ARROW_RETURN_NOT_OK(table.store->Delete(old_path, context));
  }
  return Status::OK();
}

}  // namespace tusk::lance
