#include "tusk/lance/table/transaction.h"

#include <array>

namespace tusk::lance {

std::string_view OperationName(Operation operation) {
  static constexpr std::array<std::string_view, 17> kNames = {
      "append",           "delete",        "overwrite",         "update",  "merge",
      "project",          "rewrite",       "reserve_fragments", "restore", "create_index",
      "data_replacement", "update_config", "update_bases",      "clone",   "update_mem_wal_state",
      "data_overlay",     "unknown"};
  return kNames[static_cast<size_t>(operation)];
}

void MapUpdate::ApplyTo(std::map<std::string, std::string>* map) const {
  if (replace) map->clear();
  for (const Entry& entry : entries) {
    if (entry.value) {
      (*map)[entry.key] = *entry.value;
    } else {
      map->erase(entry.key);
    }
  }
}

Operation Transaction::kind() const {
  if (const auto* other = As<OtherOperation>()) return other->kind;
  return static_cast<Operation>(operation.index());
}

std::string TransactionFileName(const Transaction& transaction) {
  return std::to_string(transaction.read_version) + "-" + transaction.uuid + ".txn";
}

}  // namespace tusk::lance
