// Transactions of any bytes; what is read is written and read the same, also as JSON.

#include <string>

#include "tusk/lance/table/transaction.h"
#include "tusk/lance/table/transaction_json.h"
#include "tusk/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  const auto transaction = ParseTransaction(tusk::AsText({data, size}));
  if (!transaction.ok()) {
    tusk::RequireRefusal(transaction.status());
    return 0;
  }
  // What is known by its name only cannot be written.
  if (transaction->As<OtherOperation>() != nullptr) return 0;
  const std::string written = SerializeTransaction(*transaction);
  const auto again = ParseTransaction(written);
  tusk::Require(again.status(), "what is written is read");
  tusk::Require(SerializeTransaction(*again) == written, "what is read again is the same");

  const std::string text = TransactionToJson(*transaction);
  const auto from_text = ParseTransactionJson(text, nullptr);
  if (!from_text.ok()) {
    // JSON is for what is to be committed: it is looked at more closely.
    tusk::RequireRefusal(from_text.status());
    return 0;
  }
  if (transaction->uuid.empty()) return 0;  // then it gets one
  tusk::Require(TransactionToJson(*from_text) == text, "what is read from JSON is the same");
  return 0;
}
