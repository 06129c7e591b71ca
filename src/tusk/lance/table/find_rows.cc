#include "tusk/lance/table/find_rows.h"

#include <span>
#include <string>

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "tusk/lance/table/projection.h"
#include "tusk/lance/table/row_change.h"

namespace tusk::lance {

Result<AffectedRows> FindRows(const Dataset& dataset,
                              const std::shared_ptr<const expr::Filter>& filter,
                              const std::optional<std::vector<uint64_t>>& fragments,
                              const OperationContext& context) {
  ScanOptions options;
  options.columns = {std::string(kRowAddressColumn)};
  options.filter = filter;
  options.fragments = fragments;
  options.all_at_once = true;
  ARROW_ASSIGN_OR_RAISE(const auto reader, dataset.Scan(options, context));
  AffectedRows found;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return found;
    const auto* addresses = batch->column(0)->data()->GetValues<uint64_t>(1);
    ARROW_RETURN_NOT_OK(AddAddresses(std::span(addresses, batch->num_rows()), &found));
  }
}

}  // namespace tusk::lance
