// Manifests of any bytes, read with protobuf and without.

#include "tusk/lance/table/manifest_laws.h"
#include "tusk/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tusk::lance::CheckManifest(tusk::AsText({data, size}));
  return 0;
}
