#include "tusk/lance/delete_rows.h"

#include <optional>

#include "tusk/lance/table/find_rows.h"
#include "tusk/lance/table/row_change.h"

namespace tusk::lance {
namespace {

/// One look for the rows and one try to commit.
Result<DeleteResult> TryToDelete(const io::StorePath& table,
                                 const std::shared_ptr<const expr::Filter>& filter,
                                 const DeleteOptions& options, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Dataset::Open(table, {}, context));
  ARROW_RETURN_NOT_OK(CheckRowsCanChange(*dataset));
  RowChange change;
  change.predicate = filter->ToString();
  ARROW_ASSIGN_OR_RAISE(change.gone, FindRows(*dataset, filter, std::nullopt, context));
  DeleteResult result;
  for (const auto& [fragment, deleted] : change.gone) result.num_deleted_rows += deleted.count();
  change.lock = options.commit_lock;
  ARROW_ASSIGN_OR_RAISE(result.dataset, CommitRowChange(*dataset, std::move(change),
                                                        options.transaction_properties, context));
  return result;
}

}  // namespace

Result<DeleteResult> DeleteRows(const io::StorePath& table,
                                const std::shared_ptr<const expr::Filter>& filter,
                                const DeleteOptions& options, const OperationContext& context) {
  if (filter == nullptr) return InvalidArgument("delete needs a filter; true deletes every row");
  const RetryLimit limit{.max_retries = options.max_retries, .timeout = options.retry_timeout};
  return RetryConflicts<DeleteResult>(
      limit, [&](int /*number*/) { return TryToDelete(table, filter, options, context); });
}

}  // namespace tusk::lance
