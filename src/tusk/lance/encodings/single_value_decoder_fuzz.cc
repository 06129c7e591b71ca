// Values of full-zip rows of any bytes.

#include <arrow/buffer.h>

#include "tusk/lance/encodings/decoder_laws.h"
#include "tusk/lance/encodings/single_value_decoder.h"
#include "tusk/testing/bounded_pool.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tusk::lance;
  tusk::FuzzInput input(data, size);
  const ValueEncoding encoding = ReadEncoding(&input);
  const auto decoder = MakeSingleValueDecoder(encoding);
  if (!decoder.ok()) {
    tusk::RequireRefusal(decoder.status());
    return 0;
  }
  if (*decoder == nullptr) return 0;
  const auto bytes = tusk::ExactCopy(input.Rest());
  tusk::BoundedPool pool(kFuzzedMemory);
  const auto value = (*decoder)->Decode({bytes->data(), static_cast<size_t>(bytes->size())}, &pool);
  RequireJustified(pool.largest_request(), size, 0);
  if (!value.ok()) {
    tusk::RequireRefusal(value.status());
    return 0;
  }
  tusk::Require((*value)->size() == 0 || (*value)->data() != nullptr, "a value has its bytes");
  return 0;
}
