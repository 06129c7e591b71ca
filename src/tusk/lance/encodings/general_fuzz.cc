// Compressed chunks of any bytes, around any encoding.

#include "tusk/lance/encodings/decoder_laws.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return tusk::lance::CheckDecoder(tusk::lance::ValueEncoding::Kind::kGeneral, data, size);
}
