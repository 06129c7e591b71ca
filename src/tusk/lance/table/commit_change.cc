#include "tusk/lance/table/commit_change.h"

#include <utility>

#include "tusk/lance/table/dataset_state.h"

namespace tusk::lance {

Result<std::shared_ptr<const Dataset>> CommitChange(const Dataset& base,
                                                    const Transaction& transaction,
                                                    const CommitOptions& options,
                                                    const std::function<void()>& remove_files,
                                                    const OperationContext& context) {
  const Dataset::State& state = base.state();
  bool outcome_known = true;
  auto committed = CommitTransaction(state.location, transaction, TableVersion::Of(state), options,
                                     context, &outcome_known);
  if (committed.ok()) {
    return Dataset::State::Make(state.uri, state.location, std::move(committed->manifest),
                                std::move(committed->path));
  }
  if (outcome_known) {
    RemoveTransactionFile(state.location, transaction, context);
    if (remove_files) remove_files();
  }
  return committed.status();
}

}  // namespace tusk::lance
