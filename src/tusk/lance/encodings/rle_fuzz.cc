// Run-length encoding: runs of any bytes.

#include "tusk/lance/encodings/decoder_laws.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return tusk::lance::CheckDecoder(tusk::lance::ValueEncoding::Kind::kRle, data, size);
}
