// Files of any bytes, read as a manifest and as a manifest list.

#include "tusk/iceberg/manifest_laws.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tusk::iceberg::CheckManifest({data, size});
  tusk::iceberg::CheckManifestList({data, size});
  return 0;
}
