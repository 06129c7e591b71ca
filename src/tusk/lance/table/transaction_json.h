#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tusk/base/result.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/transaction.h"

namespace tusk::lance {

// Transactions, fragments and schemas as JSON, in the names of pylance. Described in
// docs/format/transaction_json.md.

/// `schema` stands for one that the operation needs and does not say; may be null. A transaction
/// without a uuid gets one. InvalidArgument if the text is no transaction.
Result<Transaction> ParseTransactionJson(std::string_view text, const Schema* schema);

std::string TransactionToJson(const Transaction& transaction);
std::string FragmentToJson(const Fragment& fragment);
std::string FragmentsToJson(const std::vector<Fragment>& fragments);
std::string SchemaToJson(const Schema& schema);
/// Branch, table metadata and base paths.
std::string TableToJson(const Manifest& manifest);

}  // namespace tusk::lance
