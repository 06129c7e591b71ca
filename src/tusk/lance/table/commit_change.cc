#include "tusk/lance/table/commit_change.h"

#include <utility>

#include "tusk/lance/table/dataset_state.h"

namespace tusk::lance {

Result<TableVersion> CommitOrRemove(const io::StorePath& table, const Transaction& transaction,
                                    std::optional<TableVersion> base, const CommitOptions& options,
                                    const std::function<void()>& remove_files,
                                    const OperationContext& context) {
  bool outcome_known = true;
  auto committed =
      CommitTransaction(table, transaction, std::move(base), options, context, &outcome_known);
  if (!committed.ok() && outcome_known) {
    RemoveTransactionFile(table, transaction, context);
    if (remove_files) remove_files();
  }
  return committed;
}

Result<std::shared_ptr<const Dataset>> CommitChange(const Dataset& base,
                                                    const Transaction& transaction,
                                                    const CommitOptions& options,
                                                    const std::function<void()>& remove_files,
                                                    const OperationContext& context) {
  const Dataset::State& state = base.state();
  ARROW_ASSIGN_OR_RAISE(TableVersion committed,
                        CommitOrRemove(state.location, transaction, TableVersion::Of(state),
                                       options, remove_files, context));
  return Dataset::State::Make(state.uri, state.location, std::move(committed.manifest),
                              std::move(committed.path));
}

}  // namespace tusk::lance
