// Texts as transactions; what is read is written and read the same.

#include <string>

#include "tusk/lance/table/transaction.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  const auto transaction = ParseTransactionJson(tusk::AsText({data, size}), nullptr);
  if (!transaction.ok()) {
    tusk::RequireRefusal(transaction.status());
    return 0;
  }
  const std::string text = TransactionToJson(*transaction);
  const auto again = ParseTransactionJson(text, nullptr);
  tusk::Require(again.status(), "what is written is read");
  tusk::Require(TransactionToJson(*again) == text, "what is read again is the same");
  // It is also what the table's transaction file would say.
  const auto from_bytes = ParseTransaction(SerializeTransaction(*transaction));
  tusk::Require(from_bytes.status(), "its message is read");
  tusk::Require(TransactionToJson(*from_bytes) == text, "its message says the same");
  return 0;
}
