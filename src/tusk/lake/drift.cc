#include <algorithm>
#include <string>
#include <utility>

#include "tusk/lake/lake.h"
#include "tusk/lake/lake_state.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/manifest_file.h"

namespace tusk::lake {
namespace {

/// How often an adoption looks again because the table has moved meanwhile.
constexpr int kAttempts = 10;

/// A drifted table, and the change that would take its state in.
struct Found {
  TableDrift drift;
  catalog::TableChange change;
};

/// The uuid of the transaction that made `dataset`; empty if it does not say.
Result<std::string> TransactionUuid(const lance::Dataset::State& dataset,
                                    const OperationContext& context) {
  const auto transaction =
      lance::ReadTransaction(dataset.location, dataset.manifest_path, dataset.manifest, context);
  if (transaction.ok()) return transaction->uuid;
  if (GetErrorCode(transaction.status()) == ErrorCode::kNotFound) return std::string();
  return transaction.status();
}

Result<std::optional<Found>> LookAtLance(const LakeParts& parts, const catalog::TableEntry& entry,
                                         const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const io::StorePath table, LanceTablePath(parts, entry.location));
  const auto latest_version = parts.handler->Latest(table, context);
  // Not published yet, or gone: no drift, and the doctor tells.
  if (GetErrorCode(latest_version.status()) == ErrorCode::kNotFound) return std::nullopt;
  ARROW_RETURN_NOT_OK(latest_version);
  if (!entry.published || static_cast<int64_t>(*latest_version) <= entry.pointer.version) {
    return std::nullopt;
  }
  ARROW_ASSIGN_OR_RAISE(const auto latest, lance::Dataset::Open(table, {}, context));
  lance::OpenOptions options;
  options.manifest_path = entry.pointer.path;
  ARROW_ASSIGN_OR_RAISE(const auto known, lance::Dataset::Open(table, options, context));
  Found found{.drift = {.name = entry.name,
                        .kind = entry.kind,
                        .known_version = entry.pointer.version,
                        .foreign_version = static_cast<int64_t>(latest->version())},
              .change = {}};
  ARROW_ASSIGN_OR_RAISE(found.drift.known_rows, known->CountRows(nullptr, context));
  ARROW_ASSIGN_OR_RAISE(found.drift.foreign_rows, latest->CountRows(nullptr, context));
  const lance::Dataset::State& state = latest->state();
  ARROW_ASSIGN_OR_RAISE(const auto info,
                        table.store->Head(io::JoinPath(table.path, state.manifest_path), context));
  ARROW_ASSIGN_OR_RAISE(std::string uuid, TransactionUuid(state, context));
  found.change = {.name = entry.name,
                  .kind = entry.kind,
                  .uuid = entry.uuid,
                  .location = entry.location,
                  .expected = entry.pointer,
                  .next = {.path = state.manifest_path,
                           .version = found.drift.foreign_version,
                           .size_bytes = info.size,
                           .transaction_uuid = std::move(uuid)},
                  .added_rows = found.drift.foreign_rows - found.drift.known_rows,
                  .published = true};
  return found;
}

/// The newest pointer of the table that the log has; empty if it has none.
Result<std::string> KnownPath(const LakeParts& parts, const catalog::TableName& name,
                              const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const int64_t newest, parts.catalog->LatestNumber(context));
  if (newest == 0) return std::string();
  const auto entry = parts.catalog->LoadTable(name, newest, context);
  if (entry.ok()) return entry->pointer.path;
  if (GetErrorCode(entry.status()) == ErrorCode::kNotFound) return std::string();
  return entry.status();
}

Result<std::optional<Found>> LookAtIceberg(const LakeParts& parts, const catalog::TableEntry& entry,
                                           const OperationContext& context) {
  if (!entry.drifted) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        iceberg::Table::Open(parts.root.store, entry.pointer.path, context));
  Found found{.drift = {.name = entry.name,
                        .kind = entry.kind,
                        .foreign_version = table->current_snapshot_id().value_or(0)},
              .change = {}};
  ARROW_ASSIGN_OR_RAISE(const std::string known_path, KnownPath(parts, entry.name, context));
  if (!known_path.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto known,
                          iceberg::Table::Open(parts.root.store, known_path, context));
    found.drift.known_version = known->current_snapshot_id().value_or(0);
    ARROW_ASSIGN_OR_RAISE(found.drift.known_rows, known->CountRows(nullptr, {}, context));
  }
  ARROW_ASSIGN_OR_RAISE(found.drift.foreign_rows, table->CountRows(nullptr, {}, context));
  found.change = {.name = entry.name,
                  .kind = entry.kind,
                  .uuid = table->uuid(),
                  .location = table->location(),
                  .expected = entry.pointer,
                  .next = {.path = entry.pointer.path,
                           .version = found.drift.foreign_version,
                           .size_bytes = 0,
                           .transaction_uuid = ""},
                  .added_rows = found.drift.foreign_rows - found.drift.known_rows};
  return found;
}

Result<std::vector<Found>> FindAll(const LakeParts& parts, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto entries, parts.catalog->ListTables(std::nullopt, context));
  std::vector<Found> all;
  for (const catalog::TableEntry& entry : entries) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    auto found = entry.kind == catalog::TableKind::kLance ? LookAtLance(parts, entry, context)
                                                          : LookAtIceberg(parts, entry, context);
    if (!found.ok()) {
      return WithContext(found.status(),
                         "looking for drift of table '" + entry.name.ToString() + "'");
    }
    if (found->has_value()) all.push_back(**std::move(found));
  }
  return all;
}

}  // namespace

Result<std::vector<TableDrift>> Lake::FindDrift(const OperationContext& context) const {
  ARROW_RETURN_NOT_OK(CheckNewest(*this, "look for drift"));
  ARROW_ASSIGN_OR_RAISE(const auto all, FindAll(state_->parts, context));
  std::vector<TableDrift> drift;
  drift.reserve(all.size());
  for (const Found& found : all) drift.push_back(found.drift);
  return drift;
}

Result<std::optional<int64_t>> Lake::Adopt(const CommitInfo& info,
                                           const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*this, "adopt"));
  const LakeParts& parts = state_->parts;
  for (int attempt = 1;; ++attempt) {
    (void)Recover(context);
    ARROW_ASSIGN_OR_RAISE(const auto all, FindAll(parts, context));
    if (all.empty()) return std::nullopt;
    catalog::JointCommit commit{.message = info.message,
                                .author = info.author,
                                .properties = info.properties,
                                .changes = {},
                                .uses_version = std::nullopt};
    if (commit.message.empty()) commit.message = "adopt what other clients committed";
    commit.properties.emplace("tusk.operation", "adopt");
    for (const Found& found : all) commit.changes.push_back(found.change);
    const Result<int64_t> number = parts.catalog->Commit(commit, context);
    if (number.ok()) return std::optional(*number);
    if (GetErrorCode(number.status()) != ErrorCode::kCommitConflict || attempt == kAttempts) {
      return number.status();
    }
  }
}

}  // namespace tusk::lake
