// Descriptors of blobs with any fields, over files of any size.

#include "tusk/lance/table/blob_laws.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tusk::lance::CheckBlobDescriptor({data, size});
  return 0;
}
