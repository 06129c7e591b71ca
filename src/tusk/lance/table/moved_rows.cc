#include "tusk/lance/moved_rows.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lance/table/commit_change.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/fragment_reuse.h"
#include "tusk/lance/table/index_metadata.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/row_change.h"

namespace tusk::lance {
namespace {

/// As often as a compaction.
constexpr int kMaxRetries = 3;

/// The indices of a version, and what they say of moved rows.
struct Account {
  std::vector<IndexMetadata> indices;
  std::optional<FragmentReuse> reuse;
};

Result<Account> ReadAccount(const Dataset::State& state, const OperationContext& context) {
  Account account;
  ARROW_ASSIGN_OR_RAISE(
      const std::string section,
      ReadIndexSection(state.location, state.manifest_path, state.manifest, context));
  if (section.empty()) return account;
  ARROW_ASSIGN_OR_RAISE(account.indices, ParseIndexSection(section));
  ARROW_ASSIGN_OR_RAISE(
      account.reuse, ReadFragmentReuse(state.location, state.manifest, account.indices, context));
  return account;
}

Result<std::shared_ptr<const Dataset>> TryToCleanUp(const io::StorePath& table,
                                                    const CommitLock& lock,
                                                    const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto dataset, Dataset::Open(table, {}, context));
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(*dataset));
  ARROW_ASSIGN_OR_RAISE(const Account account, ReadAccount(dataset->state(), context));
  if (!account.reuse) return dataset;
  const FragmentReuse needed = NeededVersions(*account.reuse, account.indices);
  if (needed.versions.size() == account.reuse->versions.size()) return dataset;
  const io::StorePath target = io::Deferring(table);
  std::vector<std::string> written;
  const auto remove_files = [&] {
    OperationContext unstoppable = context;
    unstoppable.stop = {};
    for (const std::string& path : written) {
      (void)table.store->Delete(io::JoinPath(table.path, path), unstoppable);
    }
  };
  auto index = WriteFragmentReuse(target, needed, dataset->version(), &written, context);
  if (!index.ok()) {
    remove_files();
    return index.status();
  }
  const Transaction transaction{
      .read_version = dataset->version(),
      .uuid = RandomUuidString(),
      .operation =
          CreateIndices{.added = {*std::move(index)},
                        .removed = {*std::ranges::find_if(account.indices, IsFragmentReuse)}}};
  return CommitChange(*dataset, transaction, {.lock = lock, .written = target.store}, remove_files,
                      context);
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> RemapRowAddresses(
    const Dataset& dataset, const std::shared_ptr<arrow::Array>& addresses,
    const OperationContext& context) {
  if (addresses->type_id() != arrow::Type::UINT64) {
    return InvalidArgument("row addresses must be an array of uint64, not of ",
                           addresses->type()->ToString());
  }
  ARROW_ASSIGN_OR_RAISE(const Account account, ReadAccount(dataset.state(), context));
  if (!account.reuse) return nullptr;
  const auto rows = MovedRows::Make(*account.reuse);
  if (!rows.ok()) return WithContext(rows.status(), dataset.uri());
  const auto& values = static_cast<const arrow::UInt64Array&>(*addresses);
  arrow::UInt64Builder moved(context.pool);
  ARROW_RETURN_NOT_OK(moved.Reserve(values.length()));
  for (int64_t i = 0; i < values.length(); ++i) {
    const auto found = values.IsNull(i) ? std::nullopt : rows->Find(values.Value(i));
    if (found) {
      moved.UnsafeAppend(*found);
    } else {
      moved.UnsafeAppendNull();
    }
  }
  return moved.Finish();
}

Result<std::shared_ptr<const Dataset>> CleanUpMovedRows(const io::StorePath& table,
                                                        const CommitLock& lock,
                                                        const OperationContext& context) {
  const RetryLimit limit{.max_retries = kMaxRetries, .timeout = kAnyTime};
  return RetryConflicts<std::shared_ptr<const Dataset>>(
      limit, [&](int /*number*/) { return TryToCleanUp(table, lock, context); });
}

}  // namespace tusk::lance
