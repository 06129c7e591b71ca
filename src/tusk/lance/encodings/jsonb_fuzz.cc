// JSON texts and JSONB: what can be parsed is JSONB, whose text is JSON that gives the same text
// again; any bytes as JSONB are refused or have such a text.

#include <span>
#include <string>
#include <string_view>

#include <arrow/buffer.h>

#include "tusk/lance/encodings/jsonb.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::lance {
namespace {

std::span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// `text` is of AppendJsonText.
void RequireStable(const std::string& text) {
  std::string jsonb;
  const Status status = AppendJsonb(text, &jsonb);
  if (!status.ok()) {
    // JSONB that no JSON was the source of can have a key twice.
    Require(GetErrorCode(status) == ErrorCode::kInvalidArgument, "an error has its code");
    return;
  }
  std::string again;
  Require(AppendJsonText(BytesOf(jsonb), &again), "JSONB of a JSON text has a text");
  std::string jsonb_again;
  Require(AppendJsonb(again, &jsonb_again), "the text of JSON is JSON");
  Require(jsonb == jsonb_again, "JSON stays the same");
}

}  // namespace
}  // namespace tusk::lance

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  const auto bytes = tusk::ExactCopy({data, size});
  const std::string_view json(reinterpret_cast<const char*>(bytes->data()), size);
  std::string jsonb;
  if (const tusk::Status status = AppendJsonb(json, &jsonb); status.ok()) {
    std::string text;
    tusk::Require(AppendJsonText(BytesOf(jsonb), &text), "what is written can be read");
    RequireStable(text);
  } else {
    tusk::Require(tusk::GetErrorCode(status) == tusk::ErrorCode::kInvalidArgument && jsonb.empty(),
                  "broken JSON is refused");
  }
  std::string text;
  if (const tusk::Status status = AppendJsonText({bytes->data(), size}, &text); status.ok()) {
    RequireStable(text);
  } else {
    tusk::RequireRefusal(status);
  }
  return 0;
}
