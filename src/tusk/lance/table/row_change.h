#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tusk/base/final_error.h"
#include "tusk/base/operation_context.h"
#include "tusk/base/result.h"
#include "tusk/lance/commit_lock.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/rebase.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

/// Adds the rows at these addresses, which ascend and are above those that are there.
Status AddAddresses(std::span<const uint64_t> addresses, AffectedRows* rows);

/// Adds rows that may lie between those that are there, but are not among them.
Status AddRows(const AffectedRows& more, AffectedRows* rows);

/// OK if rows of `dataset`, the newest version, can be changed. Unsupported, naming the feature, if
/// the table needs more than this build can keep.
Status CheckRowsCanChange(const Dataset& dataset);

/// The minor number of the data version of new files of the table: as `asked`, or as the table is.
Result<uint16_t> MinorVersionOfRows(const Dataset::State& state,
                                    const std::optional<std::string>& asked,
                                    std::string_view operation);

/// What a delete or an update does to the rows of a table.
struct RowChange {
  AffectedRows gone = {};  ///< rows that are deleted, or written again
  /// Of a delete: for people who look at the transaction. What follows is for updates.
  std::optional<std::string> predicate = {};
  /// The rows written again, and behind them new ones.
  std::vector<Fragment> added = {};
  std::vector<uint64_t> moved_ids = {};  ///< of the rows written again, if row ids are stable
  std::vector<uint32_t> fields = {};     ///< ids of those whose values may be others in `added`
  std::string inserted_keys = {};        ///< see UpdateRows::inserted_rows
  CommitLock lock = nullptr;             ///< may be null
  /// Through what `added` was written, and deletion files are to be; null: the table's own.
  std::shared_ptr<io::ObjectStore> store = nullptr;
};

/// The transaction that makes `change`, with its deletion files written, for a commit on top of
/// `base`, for which it was made. After a failure the files that it names, the added ones too, are
/// removed.
Result<Transaction> WriteRowChange(const Dataset& base, RowChange change,
                                   const std::map<std::string, std::string>& properties,
                                   const OperationContext& context);

/// Commits `change` on top of `base`, for which it was made: all that it wrote through its store
/// becomes durable with the manifest. After a failure the files that it names, the added ones too,
/// are removed unless the version may be there all the same.
Result<std::shared_ptr<const Dataset>> CommitRowChange(
    const Dataset& base, RowChange change, const std::map<std::string, std::string>& properties,
    const OperationContext& context);

/// For operations that write so much that only their number is limited.
constexpr std::chrono::milliseconds kAnyTime = std::chrono::hours(24 * 365);

/// How long an operation is tried again after it lost a race.
struct RetryLimit {
  int max_retries = 10;
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  ///< no try begins after it
};

/// Calls `attempt` with the number of calls, from 1, until it does not fail by a CommitConflict
/// that another call may be spared.
template <typename Value>
Result<Value> RetryConflicts(const RetryLimit& limit,
                             const std::function<Result<Value>(int)>& attempt) {
  const auto begin = std::chrono::steady_clock::now();
  for (int number = 1;; ++number) {
    auto result = attempt(number);
    if (result.ok() || GetErrorCode(result.status()) != ErrorCode::kCommitConflict) return result;
    if (IsFinal(result.status())) return result;
    if (number > limit.max_retries) return result;
    if (std::chrono::steady_clock::now() - begin >= limit.timeout) return result;
  }
}

}  // namespace tusk::lance
